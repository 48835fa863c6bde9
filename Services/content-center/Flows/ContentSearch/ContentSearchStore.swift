import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of looking for contents and assets; the index answers in `search_contents`, `search_assets` and `search_vocabulary`, see `SearchFunctions`.
struct ContentSearchStore: Sendable {
    let database: Database

    func vocabulary(_ words: [String], of tenantId: UUID) async throws -> [String: SearchQuery.Known] {
        let rows = try await database.query(
            "SELECT word, is_word, is_beginning, near FROM search_vocabulary(\(words))", tenant: tenantId)
        return try rows.reduce(into: [:]) { known, row in
            known[try row.decode("word")] = SearchQuery.Known(
                isWord: try row.decode("is_word"), isBeginning: try row.decode("is_beginning"), near: try row.decode("near"))
        }
    }

    func matches(
        of reading: SearchQuery.Reading, _ request: SearchRequest, limit: Int, for viewer: AssetViewer
    ) async throws -> SearchMatches {
        let (tenantId, tokens) = (viewer.tenantId, reading.tokens)
        let byScore = request.order == .relevance
        let order = SQL(unescaped: byScore ? "score DESC, id DESC" : "id DESC")
        var page: SQL = "SELECT * FROM matches"
        if let after = request.after {
            page.append(byScore ? " WHERE (score, id) < (\(after.score)::integer, \(after.id))" : " WHERE id < \(after.id)")
        }
        page.append(" ORDER BY \(order) LIMIT \(limit)")
        let rows = try await database.query(
            """
            WITH moment AS (SELECT coalesce(\(request.after?.asOf), date_trunc('second', app_now())) AS as_of),
            found_contents AS MATERIALIZED (\(contents(reading, request))), found_assets AS MATERIALIZED (\(assets(reading, request))),
            matches AS MATERIALIZED (
                SELECT id, score, 'content' AS type, kind, status, completeness, NULL::text AS asset_kind FROM found_contents
                UNION ALL
                SELECT id, score, 'asset', NULL, NULL, NULL, kind FROM found_assets WHERE \(Self.isFound(by: viewer))
                ORDER BY \(order) LIMIT \(ContentSearch.mostMatches)
            ),
            page AS (\(page))
            SELECT \(unescaped: ContentSummary.columns), v.body, \(SearchIndexerStore.files) AS files, t.text AS spoken,
                   p.id AS found_id, p.type AS found_type, p.score, (SELECT as_of FROM moment) AS as_of,
                   (SELECT token_weights FROM found_contents LIMIT 1) AS weights,
                   (SELECT token_weights FROM found_assets LIMIT 1) AS asset_weights,
                   (SELECT count(*) FROM matches) AS total,
                   greatest((SELECT count(*) FROM found_contents), (SELECT count(*) FROM found_assets)) AS longest,
                   (SELECT json_build_object(\(Self.counts(request)))) AS facets
            FROM page p
            LEFT JOIN contents c ON p.type = 'content' AND c.tenant_id = \(tenantId) AND c.id = p.id AND c.deleted_at IS NULL
            LEFT JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            LEFT JOIN search_documents d ON d.tenant_id = c.tenant_id AND d.id = c.id
            LEFT JOIN subtitle_texts t ON t.tenant_id = d.tenant_id AND t.asset_id = d.subtitles
                AND d.spoken && search_terms(\(tokens), search_seed(d.tenant_id, d.segment))
            -- What has just gone into the bin stands in the index for a moment yet.
            WHERE p.type = 'asset' OR v.body IS NOT NULL
            ORDER BY \(unescaped: byScore ? "p.score DESC, " : "")p.id DESC
            """, tenant: tenantId)
        guard let first = rows.first else { return SearchMatches() }
        let total: Int = try first.decode("total")
        let longest: Int = try first.decode("longest")
        return SearchMatches(
            hits: try await hits(rows, tokens, of: tenantId), asOf: try first.decode("as_of"),
            weights: try first.decode("weights"),
            assetWeights: try first.decode("asset_weights"), total: total,
            isTotalExact: max(total, longest) < ContentSearch.mostMatches, facets: try Self.facets(first))
    }

    private func contents(_ reading: SearchQuery.Reading, _ request: SearchRequest) -> SQL {
        guard !request.asksOnlyAssets else {
            return """
                SELECT NULL::uuid AS id, 0 AS score, ''::text AS kind, ''::text AS status, ''::text AS completeness,
                    NULL::integer[] AS token_weights WHERE false
                """
        }
        return """
            SELECT found.* FROM moment, search_contents(
                \(reading.tokens), \(request.query.phrases), \(request.after?.weights)::integer[], \(request.kind?.rawValue)::text,
                \(request.status?.rawValue)::text, \(request.completeness?.rawValue)::text, \(request.groupId), \(request.from),
                \(request.to), moment.as_of, \(request.order == .newest), \(ContentSearch.mostMatches)::integer,
                \(SearchLabels.tokens(spaceId: request.spaceId, topic: request.topic, tags: request.tag.map { [$0] } ?? []) + reading.required)) AS found
            """
    }

    private func assets(_ reading: SearchQuery.Reading, _ request: SearchRequest) -> SQL {
        guard !request.asksOnlyContents else {
            return "SELECT NULL::uuid AS id, 0 AS score, ''::text AS kind, NULL::integer[] AS token_weights WHERE false"
        }
        return """
            SELECT found.* FROM moment, search_assets(
                \(reading.tokens), \(request.query.phrases), \(request.after?.assetWeights)::integer[], \(request.assetKind?.rawValue)::text,
                \(request.from), \(request.to), moment.as_of, \(request.order == .newest), \(ContentSearch.mostMatches)::integer,
                \(SearchLabels.tokens(spaceId: nil, topic: nil, tags: request.tag.map { [$0] } ?? []) + reading.required)) AS found
            """
    }

    /// A condition on `found_assets`: what is there still, and there for `viewer`. Where the tenant limits nothing to some roles, nobody looks
    /// at each.
    private static func isFound(by viewer: AssetViewer) -> SQL {
        var isVisible: SQL = "(\(AssetsStore.isVisible(to: viewer)))"
        if !viewer.seesEverything, !viewer.seesCustomerFacingOnly {
            let isUnlimited: SQL = "NOT EXISTS (SELECT FROM materials WHERE tenant_id = \(viewer.tenantId) AND audience <> '{}')"
            isVisible = "((SELECT \(isUnlimited)) AND content_assets.tenant_id = \(viewer.tenantId) OR \(isVisible))"
        }
        return """
            EXISTS (SELECT FROM content_assets WHERE content_assets.tenant_id = \(viewer.tenantId) AND content_assets.id = found_assets.id
                AND content_assets.state = 'ready' AND \(isVisible))
            """
    }

    // MARK: Facets

    private static func counts(_ request: SearchRequest) -> SQL {
        var counts = ["type", "kind", "status", "completeness", "asset_kind"].map { column -> SQL in
            """
            \(unescaped: "'\(column)'"), (SELECT json_object_agg(value, n) FROM (
                SELECT \(unescaped: column) AS value, count(*) AS n FROM matches WHERE \(unescaped: column) IS NOT NULL GROUP BY 1) AS f)
            """
        }
        if request.countsLabels {
            for (name, values) in labels {
                counts.append(
                    """
                    \(unescaped: "'\(name)'"), coalesce((SELECT json_object_agg(value, n) FROM (
                        SELECT value, count(*) AS n FROM (\(unescaped: values)) AS l WHERE value IS NOT NULL
                        GROUP BY 1 ORDER BY n DESC, value LIMIT 20) AS f), '{}')
                    """)
            }
        }
        return SQL.joined(counts, separator: ", ")
    }

    private static let ownContents = "JOIN contents c ON c.tenant_id = app_tenant() AND c.id = m.id"
    private static let labels = [
        (
            "tag",
            """
            SELECT unnest(c.tags) AS value FROM matches m \(ownContents) WHERE m.type = 'content'
            UNION ALL
            SELECT unnest(a.tags) FROM matches m JOIN content_assets a ON a.tenant_id = app_tenant() AND a.id = m.id
            WHERE m.type = 'asset'
            """
        ),
        ("topic", "SELECT c.topic AS value FROM matches m \(ownContents) WHERE m.type = 'content'"),
        ("space_id", "SELECT c.space_id AS value FROM matches m \(ownContents) WHERE m.type = 'content'"),
    ]

    private static func facets(_ row: Row) throws -> SearchFacets {
        let counts = try JSON.decode([String: [String: Int]?].self, from: row.decode("facets", as: JSONText.self).bytes)
        func values(_ name: String) -> [SearchFacetValue]? {
            (counts[name] ?? nil).map { $0.map { SearchFacetValue(value: $0.key, count: $0.value) } }?
                .sorted { ($1.count, $0.value) < ($0.count, $1.value) }
        }
        return SearchFacets(
            type: values("type") ?? [], kind: values("kind") ?? [], status: values("status") ?? [],
            completeness: values("completeness") ?? [], assetKind: values("asset_kind") ?? [], tag: values("tag"),
            topic: values("topic"), spaceId: values("space_id"))
    }

    // MARK: What is shown

    private func hits(_ rows: RowSet, _ tokens: [String], of tenantId: UUID) async throws -> [SearchMatches.Hit] {
        let ids = try rows.filter { try $0.decode("found_type") == SearchHitType.asset.rawValue }
            .map { try $0.decode("found_id", as: UUID.self) }
        let assets = try await assets(ids, tokens, of: tenantId)
        return try rows.compactMap { row in
            let (id, score) = (try row.decode("found_id", as: UUID.self), try row.decode("score", as: Int.self))
            guard !ids.contains(id) else {
                guard var hit = assets[id] else { return nil }
                hit.score = score
                return hit
            }
            let body = try JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes)
            return SearchMatches.Hit(
                found: .content(try ContentSummary(row), body, files: try row.decode("files")),
                spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""), score: score)
        }
    }

    private func assets(_ ids: [UUID], _ tokens: [String], of tenantId: UUID) async throws -> [UUID: SearchMatches.Hit] {
        guard !ids.isEmpty else { return [:] }
        return try await database.query(
            """
            SELECT \(unescaped: LibraryAsset.columns), \(AssetIndexerStore.folders(of: "content_assets")) AS folders,
                   (SELECT t.text FROM search_asset_documents d
                    JOIN subtitle_texts t ON t.tenant_id = d.tenant_id AND t.asset_id = d.subtitles
                    WHERE d.tenant_id = content_assets.tenant_id AND d.id = content_assets.id
                        AND d.spoken && search_terms(\(tokens), search_seed(d.tenant_id, d.segment))) AS spoken
            FROM content_assets WHERE tenant_id = \(tenantId) AND id = ANY(\(ids))
            """, tenant: tenantId
        ).reduce(into: [:]) { hits, row in
            let asset = try LibraryAsset(row)
            hits[asset.id] = SearchMatches.Hit(
                found: .asset(asset, folders: try row.decode("folders")),
                spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""), score: 0)
        }
    }
}
