import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of keeping the index of assets, as ``SearchIndexerStore`` does for contents; the words that a tenant has used are of both.
struct AssetIndexerStore: Sendable {
    let app: Database
    let system: Database

    func claim(limit: Int) async throws -> [SearchChange] {
        try await SearchChangeStore.assets.claim(limit: limit, system: system)
    }

    /// The changed assets as `a`, each looked up by its key.
    private static func assets(of changes: [SearchChange], tenantId: UUID) -> SQL {
        """
        unnest(\(changes.map(\.id))::uuid[], \(changes.map(\.change))::bigint[]) AS changed (id, change)
        CROSS JOIN LATERAL (
            SELECT * FROM content_assets a WHERE a.tenant_id = \(tenantId) AND a.id = changed.id AND a.state = 'ready' OFFSET 0
        ) AS a
        """
    }

    /// The file that says what is said in an asset `a`.
    private static let subtitles: SQL = """
        CASE WHEN a.media_type IN ('application/x-subrip', 'text/vtt') THEN a.id
             WHEN a.media_type LIKE 'video/%' OR a.media_type LIKE 'audio/%' THEN asset_subtitles(a.tenant_id, a.id) END
        """

    func unreadSubtitles(of changes: [SearchChange], tenantId: UUID) async throws -> [UnreadSubtitles] {
        try await app.query(
            """
            SELECT s.found, a.id, a.sha256
            FROM (SELECT a.id AS found, \(Self.subtitles) AS asset FROM \(Self.assets(of: changes, tenantId: tenantId))) AS s
            JOIN content_assets a ON a.tenant_id = \(tenantId) AND a.id = s.asset
            WHERE NOT EXISTS (
                SELECT FROM subtitle_texts t WHERE t.tenant_id = a.tenant_id AND t.asset_id = a.id AND t.sha256 = a.sha256)
            """, tenant: tenantId
        ).map { row in
            UnreadSubtitles(
                document: try row.decode("found"), asset: try row.decode("id"), sha256: try row.decode("sha256"))
        }
    }

    /// The names of the folders that an asset lies in, from the inmost outwards.
    static func folders(of asset: String) -> SQL {
        """
        ARRAY(WITH RECURSIVE up AS (
            SELECT f.name, f.parent_id, 1 AS step FROM asset_folders f
            WHERE f.tenant_id = \(unescaped: asset).tenant_id AND f.id = \(unescaped: asset).folder_id
            UNION ALL
            SELECT f.name, f.parent_id, up.step + 1 FROM up
            JOIN asset_folders f ON f.tenant_id = \(unescaped: asset).tenant_id AND f.id = up.parent_id
            WHERE up.step < \(FolderRule.maxDepth)::integer
        ) SELECT up.name FROM up ORDER BY up.step)
        """
    }

    /// - Parameter away: what stays listed all the same, to be taken in once more.
    func takeIn(_ changes: [SearchChange], of tenantId: UUID, again away: Set<UUID>) async throws {
        let known = try await indexed(changes, of: tenantId)
        let documents = try await documents(of: changes, tenantId: tenantId)
        let kept = Set(documents.map(\.id))
        var gone: Set<String> = []
        for (id, body) in known where documents.first(where: { $0.id == id })?.text.folded != body {
            gone.formUnion(SearchTokens.words(in: [body]))
        }
        let words = documents.reduce(into: Set<String>()) { $0.formUnion($1.text.words) }
        gone.subtract(words)
        var statements = [SearchIndexerStore.wordsLock(of: tenantId, isShared: gone.isEmpty), SearchIndexerStore.openingOfTakeIn]
        let deleted = changes.map(\.id).filter { !kept.contains($0) }
        if !deleted.isEmpty {
            statements.append("DELETE FROM search_asset_documents WHERE tenant_id = \(tenantId) AND id = ANY(\(deleted))")
        }
        if !documents.isEmpty { statements += [Self.put(documents, of: tenantId), "SELECT search_flush_assets()"] }
        if !words.isEmpty { statements.append(SearchIndexerStore.add(words, of: tenantId)) }
        if !gone.isEmpty { statements.append("SELECT search_forget(\(gone.sorted()))") }
        let done = changes.filter { !away.contains($0.id) }
        statements.append(SearchChangeStore.assets.strike(done, of: tenantId))
        _ = try await app.pipeline(statements, tenant: tenantId)
    }

    private func indexed(_ changes: [SearchChange], of tenantId: UUID) async throws -> [(id: UUID, body: String)] {
        try await app.query(
            "SELECT id, body FROM search_asset_documents WHERE tenant_id = \(tenantId) AND id = ANY(\(changes.map(\.id)))",
            tenant: tenantId
        ).map { (try $0.decode("id"), try $0.decode("body")) }
    }

    /// Of what is there and of a sort that the library knows.
    private func documents(of changes: [SearchChange], tenantId: UUID) async throws -> [AssetDocument] {
        try await app.query(
            """
            SELECT a.id, changed.change, a.filename, a.media_type, a.tags, \(Self.folders(of: "a")) AS folders,
                   t.asset_id AS subtitles, t.text AS spoken
            FROM \(Self.assets(of: changes, tenantId: tenantId))
            CROSS JOIN LATERAL (SELECT \(Self.subtitles) AS asset) AS s
            LEFT JOIN subtitle_texts t ON t.tenant_id = a.tenant_id AND t.asset_id = s.asset
            """, tenant: tenantId
        ).compactMap { row in
            guard let kind = FileType(rawValue: try row.decode("media_type"))?.kind else { return nil }
            let tags: [String] = try row.decode("tags")
            let text = SearchText(
                file: try row.decode("filename"), tags: tags, folders: try row.decode("folders"),
                spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""))
            guard !text.isEmpty else { return nil }
            return AssetDocument(
                id: try row.decode("id"), change: try row.decode("change"), kind: kind, text: text,
                labels: SearchLabels.tokens(spaceId: nil, topic: nil, tags: tags), subtitles: try row.decode("subtitles"))
        }
    }

    /// Never takes what was read earlier over what was read later; what is being deleted waits, or is not there any more.
    private static func put(_ documents: [AssetDocument], of tenantId: UUID) -> SQL {
        let separator = SearchIndexerStore.separator
        let tokens = documents.map(\.text.tokens)
        let all = zip(tokens, documents).map { $0.all.joined(with: $1.labels, separator: separator) }
        return """
            WITH newest AS (SELECT search_asset_segment(\(documents.count)::integer) AS segment),
            new AS MATERIALIZED (
                SELECT n.*, s.segment, search_seed(\(tenantId), s.segment) AS seed
                FROM unnest(
                    \(documents.map(\.id))::uuid[], \(documents.map(\.change))::bigint[], \(documents.map(\.kind.rawValue))::text[],
                    \(documents.map(\.text.folded))::text[], \(all)::text[],
                    \(tokens.map { $0.spoken.joined(separator: separator) })::text[], \(documents.map(\.subtitles))::uuid[])
                    AS n (id, change, kind, folded, tokens, spoken, subtitles)
                CROSS JOIN LATERAL (SELECT coalesce(
                    (SELECT segment FROM search_asset_documents d WHERE d.tenant_id = \(tenantId) AND d.id = n.id),
                    (SELECT segment FROM newest)) AS segment) AS s
            ), there AS MATERIALIZED (
                SELECT a.id, a.created_at, coalesce(a.updated_at, a.created_at) AS updated_at FROM content_assets a
                WHERE a.tenant_id = \(tenantId) AND a.id = ANY(\(documents.map(\.id))) AND a.state = 'ready' ORDER BY a.id FOR KEY SHARE
            )
            INSERT INTO search_asset_documents
                (tenant_id, id, segment, change, kind, created_at, updated_at, body, terms, spoken, subtitles)
            SELECT \(tenantId), n.id, n.segment, n.change, n.kind, a.created_at, a.updated_at, n.folded,
                   ARRAY(SELECT hashtextextended(t, n.seed) FROM unnest(string_to_array(n.tokens, \(separator))) AS t),
                   ARRAY(SELECT hashtextextended(t, n.seed) FROM unnest(string_to_array(n.spoken, \(separator))) AS t),
                   n.subtitles
            FROM new n JOIN there a ON a.id = n.id ORDER BY n.id
            ON CONFLICT (tenant_id, id) DO UPDATE SET
                change = excluded.change, kind = excluded.kind, updated_at = excluded.updated_at, body = excluded.body,
                terms = excluded.terms, spoken = excluded.spoken, subtitles = excluded.subtitles
            WHERE search_asset_documents.change <= excluded.change AND search_asset_documents.segment = excluded.segment
            """
    }
}

/// An asset as the index takes it in.
private struct AssetDocument {
    let id: UUID
    let change: Int64
    let kind: AssetKind
    let text: SearchText
    /// Its tags, see ``SearchLabels``.
    let labels: [String]
    /// The file that says what is said in it.
    let subtitles: UUID?
}
