import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of looking for contents; the index answers in `search_contents` and `search_vocabulary`, see `SearchFunctions`.
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
        of tokens: [String], phrases: [String], _ request: SearchRequest, limit: Int, tenantId: UUID
    ) async throws -> SearchMatches {
        let byScore = request.order == .relevance
        var page: SQL = "SELECT * FROM matches"
        if let after = request.after {
            page.append(byScore ? " WHERE (score, id) < (\(after.score)::integer, \(after.id))" : " WHERE id < \(after.id)")
        }
        page.append(SQL(unescaped: byScore ? " ORDER BY score DESC, id DESC" : " ORDER BY id DESC"))
        page.append(" LIMIT \(limit)")
        let rows = try await database.query(
            """
            WITH moment AS (SELECT coalesce(\(request.after?.asOf), date_trunc('second', app_now())) AS as_of),
            matches AS MATERIALIZED (
                SELECT found.* FROM moment, search_contents(
                    \(tokens), \(phrases), \(request.after?.weights)::integer[], \(request.kind?.rawValue)::text,
                    \(request.status?.rawValue)::text, \(request.completeness?.rawValue)::text, \(request.groupId), \(request.from),
                    \(request.to), moment.as_of, \(!byScore), \(ContentSearch.mostMatches)::integer,
                    \(SearchLabels.tokens(spaceId: request.spaceId, topic: request.topic, tags: request.tag.map { [$0] } ?? []))) AS found
            ),
            page AS (\(page))
            SELECT \(unescaped: ContentSummary.columns), v.body, \(SearchIndexerStore.files) AS files, t.text AS spoken, p.score, p.token_weights, (SELECT as_of FROM moment) AS as_of, (SELECT count(*) FROM matches) AS total,
                   (SELECT json_build_object(
                       'kind', (SELECT json_object_agg(kind, n) FROM (SELECT kind, count(*) AS n FROM matches GROUP BY kind) AS f),
                       'status', (SELECT json_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM matches GROUP BY status) AS f),
                       'completeness', (SELECT json_object_agg(completeness, n)
                           FROM (SELECT completeness, count(*) AS n FROM matches GROUP BY completeness) AS f))) AS facets
            FROM page p
            -- What has just gone into the bin stands in the index for a moment yet.
            JOIN contents c ON c.tenant_id = \(tenantId) AND c.id = p.id AND c.deleted_at IS NULL
            JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            LEFT JOIN search_documents d ON d.tenant_id = c.tenant_id AND d.id = c.id
            LEFT JOIN subtitle_texts t ON t.tenant_id = d.tenant_id AND t.asset_id = d.subtitles
                AND d.spoken && search_terms(\(tokens), search_seed(d.tenant_id, d.segment))
            ORDER BY \(unescaped: byScore ? "p.score DESC, " : "")p.id DESC
            """, tenant: tenantId)
        guard let first = rows.first else { return SearchMatches() }
        return SearchMatches(
            hits: try rows.map(Self.hit), asOf: try first.decode("as_of"), weights: try first.decode("token_weights"),
            total: try first.decode("total"),
            facets: try Self.facets(first))
    }

    private static func hit(_ row: Row) throws -> SearchMatches.Hit {
        SearchMatches.Hit(
            content: try ContentSummary(row),
            body: try JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes),
            files: try row.decode("files"), spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""),
            score: try row.decode("score"))
    }

    private static func facets(_ row: Row) throws -> SearchFacets {
        let counts = try JSON.decode([String: [String: Int]].self, from: row.decode("facets", as: JSONText.self).bytes)
        func facet(_ name: String) -> [SearchFacetValue] {
            (counts[name] ?? [:]).map { SearchFacetValue(value: $0.key, count: $0.value) }
                .sorted { ($1.count, $0.value) < ($0.count, $1.value) }
        }
        return SearchFacets(kind: facet("kind"), status: facet("status"), completeness: facet("completeness"))
    }
}
