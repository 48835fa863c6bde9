import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of keeping the index. The system role finds which contents have changed; the work runs as `app`, for their tenant.
struct SearchIndexerStore: Sendable {
    /// What this server knows when it writes a document, see M0026. Who raises it makes the indexes over what is below it anew.
    static let reading = 1

    let app: Database
    let system: Database

    func claim(limit: Int) async throws -> [SearchChange] {
        try await SearchChangeStore.contents.claim(limit: limit, system: system)
    }

    /// The changed contents as `c`, each looked up by its key, whatever the plan was made for: a tenant has more contents than a batch.
    private static func contents(of changes: [SearchChange], tenantId: UUID) -> SQL {
        """
        unnest(\(changes.map(\.id))::uuid[]) AS changed (id)
        CROSS JOIN LATERAL (SELECT * FROM contents c WHERE c.tenant_id = \(tenantId) AND c.id = changed.id OFFSET 0) AS c
        """
    }

    // MARK: What is said

    /// The file that says what the video of a content `c` says.
    private static let subtitles: SQL = "CASE WHEN c.kind = 'video' THEN content_subtitles(c.tenant_id, c.id, c.version) END"

    func unreadSubtitles(of changes: [SearchChange], tenantId: UUID) async throws -> [UnreadSubtitles] {
        try await app.query(
            """
            SELECT s.content, a.id, a.sha256 FROM (
                SELECT c.id AS content, \(Self.subtitles) AS asset FROM \(Self.contents(of: changes, tenantId: tenantId))
                WHERE c.deleted_at IS NULL
            ) AS s
            JOIN content_assets a ON a.tenant_id = \(tenantId) AND a.id = s.asset
            WHERE NOT EXISTS (
                SELECT FROM subtitle_texts t WHERE t.tenant_id = a.tenant_id AND t.asset_id = a.id AND t.sha256 = a.sha256)
            """, tenant: tenantId
        ).map { row in
            UnreadSubtitles(
                document: try row.decode("content"), asset: try row.decode("id"), sha256: try row.decode("sha256"))
        }
    }

    func keep(_ text: String, of subtitles: UnreadSubtitles, tenantId: UUID) async throws {
        try await app.query(
            """
            INSERT INTO subtitle_texts (tenant_id, asset_id, sha256, text)
            SELECT a.tenant_id, a.id, a.sha256, \(text) FROM content_assets a
            WHERE a.tenant_id = \(tenantId) AND a.id = \(subtitles.asset) AND a.sha256 = \(subtitles.sha256)
            ON CONFLICT (tenant_id, asset_id) DO UPDATE SET sha256 = excluded.sha256, text = excluded.text
            """, tenant: tenantId)
    }

    // MARK: Taking in

    /// The names of the files that a content `c` shows.
    static let files: SQL = """
        ARRAY(SELECT DISTINCT a.filename FROM asset_uses u
              JOIN content_assets a ON a.tenant_id = u.tenant_id AND a.id = u.asset_id
              WHERE u.tenant_id = c.tenant_id AND u.content_id = c.id AND u.version = c.version AND a.filename IS NOT NULL)
        """

    /// - Parameter away: what stays listed all the same, to be taken in once more.
    func takeIn(_ changes: [SearchChange], of tenantId: UUID, again away: Set<UUID>) async throws {
        let rows = try await app.query(
            """
            SELECT c.id, v.title, v.body, c.version, c.space_id, c.topic, c.tags, c.deleted_at IS NOT NULL AS is_deleted,
                   array_remove(c.topic || c.tags, NULL) AS labels, \(Self.files) AS files, t.asset_id AS subtitles, t.text AS spoken,
                   d.body AS indexed
            FROM \(Self.contents(of: changes, tenantId: tenantId))
            JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            CROSS JOIN LATERAL (SELECT \(Self.subtitles) AS asset) AS s
            LEFT JOIN subtitle_texts t ON t.tenant_id = c.tenant_id AND t.asset_id = s.asset
            LEFT JOIN search_documents d ON d.tenant_id = c.tenant_id AND d.id = c.id
            """, tenant: tenantId)
        var documents: [SearchDocument] = []
        var deleted: [UUID] = []
        var unreadable: Set<UUID> = []
        // Words that a document had and has no more.
        var gone: Set<String> = []
        for row in rows {
            let id: UUID = try row.decode("id")
            let indexed = try row.decode("indexed", as: String?.self)
            if try row.decode("is_deleted") {
                deleted.append(id)
                if let indexed { gone.formUnion(SearchTokens.words(in: [indexed])) }
                continue
            }
            guard let body = try? JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes) else {
                unreadable.insert(id)
                continue
            }
            let text = SearchText(
                title: try row.decode("title"), body: body, labels: try row.decode("labels"), files: try row.decode("files"),
                spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""))
            if let indexed, indexed != text.folded { gone.formUnion(SearchTokens.words(in: [indexed])) }
            let labels = SearchLabels.tokens(
                spaceId: try row.decode("space_id"), topic: try row.decode("topic"), tags: try row.decode("tags"))
            documents.append(
                SearchDocument(
                    id: id, version: try row.decode("version"), text: text, labels: labels, subtitles: try row.decode("subtitles")
                ))
        }
        // All at once and in order: two workers that add the same words in different orders would wait for each other.
        let words = documents.reduce(into: Set<String>()) { $0.formUnion($1.text.words) }
        gone.subtract(words)
        // Nobody adds a document with a word while somebody forgets it.
        var statements = [Self.wordsLock(of: tenantId, isShared: gone.isEmpty), Self.openingOfTakeIn]
        if !deleted.isEmpty {
            statements.append("DELETE FROM search_documents WHERE tenant_id = \(tenantId) AND id = ANY(\(deleted))")
        }
        if !documents.isEmpty {
            statements += [
                Self.forgetMeanings(of: documents, tenantId: tenantId), Self.put(documents, of: tenantId),
                "SELECT search_flush()",
            ]
        }
        if !words.isEmpty { statements.append(Self.add(words, of: tenantId)) }
        if !gone.isEmpty { statements.append("SELECT search_forget(\(gone.sorted()))") }
        // What a newer version of the service wrote waits for one that can read it, and keeps nobody else waiting.
        let done = changes.filter { !unreadable.contains($0.id) && !away.contains($0.id) }
        statements.append(SearchChangeStore.contents.strike(done, of: tenantId))
        _ = try await app.pipeline(statements, tenant: tenantId)
    }

    /// Between tokens, in which there are no control characters.
    static let separator = "\u{1F}"

    /// Never takes an older version over a newer one; everything but the text is read as it is now.
    private static func put(_ documents: [SearchDocument], of tenantId: UUID) -> SQL {
        let tokens = documents.map(\.text.tokens)
        let all = zip(tokens, documents).map { $0.all.joined(with: $1.labels, separator: separator) }
        return """
            WITH newest AS (SELECT search_segment(\(documents.count)::integer) AS segment),
            new AS MATERIALIZED (
                SELECT n.*, s.segment, search_seed(\(tenantId), s.segment) AS seed
                FROM unnest(
                    \(documents.map(\.id))::uuid[], \(documents.map(\.version))::integer[], \(documents.map(\.text.folded))::text[],
                    \(all)::text[], \(tokens.map { $0.spoken.joined(separator: separator) })::text[],
                    \(documents.map(\.subtitles))::uuid[]) AS n (id, version, folded, tokens, spoken, subtitles)
                CROSS JOIN LATERAL (SELECT coalesce(
                    (SELECT segment FROM search_documents d WHERE d.tenant_id = \(tenantId) AND d.id = n.id),
                    (SELECT segment FROM newest)) AS segment) AS s
            )
            INSERT INTO search_documents
                (tenant_id, id, segment, version, kind, status, completeness, group_id, created_at, updated_at, body, terms,
                 spoken, subtitles, performance)
            SELECT c.tenant_id, c.id, n.segment, n.version, c.kind, c.status, c.completeness, c.group_id, c.created_at,
                   c.updated_at, n.folded,
                   ARRAY(SELECT hashtextextended(t, n.seed) FROM unnest(string_to_array(n.tokens, \(separator))) AS t),
                   ARRAY(SELECT hashtextextended(t, n.seed) FROM unnest(string_to_array(n.spoken, \(separator))) AS t),
                   n.subtitles,
                   coalesce((SELECT points FROM content_points p WHERE p.tenant_id = c.tenant_id AND p.content_id = c.id), 0)
            FROM new n
            -- As in contents(of:tenantId:).
            CROSS JOIN LATERAL (SELECT * FROM contents c WHERE c.tenant_id = \(tenantId) AND c.id = n.id OFFSET 0) AS c
            ORDER BY n.id
            ON CONFLICT (tenant_id, id) DO UPDATE SET
                version = excluded.version, kind = excluded.kind, status = excluded.status, completeness = excluded.completeness,
                group_id = excluded.group_id, updated_at = excluded.updated_at, body = excluded.body, terms = excluded.terms,
                spoken = excluded.spoken, subtitles = excluded.subtitles, performance = excluded.performance
            WHERE search_documents.version <= excluded.version AND search_documents.segment = excluded.segment
            """
    }

    /// What is said is part of what a content means: with other subtitles its vector is made anew.
    private static func forgetMeanings(of documents: [SearchDocument], tenantId: UUID) -> SQL {
        """
        DELETE FROM search_vectors v
        USING unnest(\(documents.map(\.id))::uuid[], \(documents.map(\.subtitles))::uuid[]) AS n (id, subtitles)
        WHERE v.tenant_id = \(tenantId) AND v.content_id = n.id
            AND (SELECT d.subtitles FROM search_documents d WHERE d.tenant_id = \(tenantId) AND d.id = n.id) IS DISTINCT FROM n.subtitles
        """
    }

    /// - Parameter words: all at once and in order, see ``takeIn(_:of:again:)``.
    static func add(_ words: Set<String>, of tenantId: UUID) -> SQL {
        """
        INSERT INTO search_words (tenant_id, word, reading)
        SELECT \(tenantId), word, \(reading)::smallint FROM unnest(\(Array(words))) AS word
        ORDER BY word ON CONFLICT DO NOTHING
        """
    }

    static func wordsLock(of tenantId: UUID, isShared: Bool) -> SQL {
        "SELECT pg_advisory_xact_lock\(unescaped: isShared ? "_shared" : "")(search_words_lock(\(tenantId)))"
    }

    // MARK: Reading anew

    /// Without the reading in a document's transaction the document counts as a server of before's.
    ///
    /// What the index takes in and what it strikes off the list are one transaction: where a crash of the database loses its last moment, the
    /// list still has what the index has not. So nobody waits for the disk.
    static let openingOfTakeIn: SQL = """
        SELECT set_config('search.reading', \(String(reading)), true), set_config('synchronous_commit', 'off', true)
        """
    /// Spelt out, as the indexes have it.
    private static let isBefore = SQL(unescaped: "reading < \(reading)")

    /// Lists documents that a server of before wrote, and that do not wait yet.
    ///
    /// - Returns: how many.
    func listUnread(limit: Int) async throws -> Int {
        let list: SQL = """
            INSERT INTO search_changes (tenant_id, content_id)
            SELECT d.tenant_id, d.id FROM search_documents d
            WHERE d.\(Self.isBefore) AND NOT EXISTS (
                SELECT FROM search_changes s WHERE s.tenant_id = d.tenant_id AND s.content_id = d.id)
            ORDER BY d.tenant_id, d.reading, d.id LIMIT \(limit) ON CONFLICT (tenant_id, content_id) DO NOTHING
            """
        do {
            // Whoever is changing one just now lists it, and may be waiting for another of these: they go first.
            return try await system.pipeline(["SELECT set_config('lock_timeout', '100ms', true)", list]).last?.affectedRows ?? 0
        } catch let error as PostgresError where error.isLockTimeout {
            return 0
        }
    }

    /// One that has words of which nobody knows whether a document has them, and no documents of a server of before.
    func tenantWithUncheckedWords() async throws -> UUID? {
        // From tenant to tenant, not from word to word. The orders are those of the indexes over what is before, see M0028.
        try await system.query(
            """
            WITH RECURSIVE tenants AS (
                (SELECT w.tenant_id FROM search_words w WHERE w.\(Self.isBefore) ORDER BY w.tenant_id, w.reading LIMIT 1)
                UNION ALL
                SELECT (SELECT w.tenant_id FROM search_words w WHERE w.\(Self.isBefore) AND w.tenant_id > t.tenant_id
                        ORDER BY w.tenant_id, w.reading LIMIT 1)
                FROM tenants t WHERE t.tenant_id IS NOT NULL
            )
            SELECT t.tenant_id FROM tenants t WHERE t.tenant_id IS NOT NULL AND (
                SELECT d.id FROM search_documents d WHERE d.tenant_id = t.tenant_id AND d.\(Self.isBefore)
                ORDER BY d.reading LIMIT 1) IS NULL
            LIMIT 1
            """
        ).first?.decode("tenant_id", as: UUID.self)
    }

    /// Forgets those of the next words that no document has.
    func checkWords(of tenantId: UUID, limit: Int) async throws {
        let words: SQL = """
            SELECT w.word FROM search_words w WHERE w.tenant_id = \(tenantId) AND w.\(Self.isBefore)
            ORDER BY w.reading, w.word LIMIT \(limit)
            """
        _ = try await app.pipeline(
            [Self.wordsLock(of: tenantId, isShared: false), "SELECT search_forget(ARRAY(\(words)))"], tenant: tenantId)
    }
}

/// A content as the index takes it in.
private struct SearchDocument {
    let id: UUID
    let version: Int
    let text: SearchText
    let labels: [String]
    /// The file that says what its video says.
    let subtitles: UUID?
}
