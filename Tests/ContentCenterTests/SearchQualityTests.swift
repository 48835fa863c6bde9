import DTO
import Foundation
import HTTPCore
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// How good the search is, against what one would write without it, on the same contents and queries in the same run.
@Suite struct SearchQualityTests {
    static let documents = 20_000

    /// Of the first ten: how many of those wanted are there (of ten, or of all where there are fewer), and how early the first stands.
    struct Quality {
        var recall = 0.0
        var reciprocalRank = 0.0
        var count = 0

        mutating func add(_ shown: [Bool], wanted: Int) {
            guard wanted > 0 else { return }
            count += 1
            recall += Double(shown.prefix(10).count { $0 }) / Double(min(10, wanted))
            if let first = shown.prefix(10).firstIndex(of: true) { reciprocalRank += 1 / Double(first + 1) }
        }

        var meanRecall: Double { recall / Double(max(1, count)) }
        var mrr: Double { reciprocalRank / Double(max(1, count)) }
        var text: String { "recall@10 \(Self.rounded(meanRecall)), MRR \(Self.rounded(mrr))" }

        private static func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
    }

    @Test func beatsPatternsAndPlainFullText() async throws {
        try await ContentCenterHarness.run { service in
            let documents = SearchCorpus.documents(Self.documents)
            let abouts = try await Self.fill(documents, service)
            try await Self.prepareRivals(service)
            #expect(SearchCorpus.queries.count >= 200)

            var (ours, like, plain) = (Quality(), Quality(), Quality())
            var sorts: [String: Quality] = [:]
            for query in SearchCorpus.queries {
                let wanted = documents.count { query.wants($0.about) }
                func judge(_ ids: [UUID]) -> [Bool] { ids.map { abouts[$0].map(query.wants) ?? false } }
                let found = judge(try await service.find(query.text, "&limit=10").contents.map(\.id))
                ours.add(found, wanted: wanted)
                sorts[query.sort, default: Quality()].add(found, wanted: wanted)
                like.add(judge(try await Self.like(query.text, service)), wanted: wanted)
                plain.add(judge(try await Self.plain(query.text, service)), wanted: wanted)
            }
            print("search over \(Self.documents) contents, \(ours.count) queries: \(ours.text)")
            for (sort, quality) in sorts.sorted(by: { $0.key < $1.key }) { print("  \(sort): \(quality.text)") }
            print("  LIKE: \(like.text)\n  full text, simple: \(plain.text)")
            #expect(ours.count >= 200)
            for rival in [like, plain] {
                #expect(ours.meanRecall >= 1.5 * rival.meanRecall)
                #expect(ours.mrr >= 1.5 * rival.mrr)
            }
            #expect(ours.meanRecall >= 0.75)
            #expect(ours.mrr >= 0.75)
        }
    }

    /// Past the routes, which would take minutes; what follows the insert is the service's own.
    private static func fill(
        _ documents: [SearchCorpus.Document], _ service: ContentCenterHarness
    ) async throws -> [UUID: SearchCorpus.About] {
        var abouts: [UUID: SearchCorpus.About] = [:]
        for start in stride(from: 0, to: documents.count, by: 2_000) {
            let part = documents[start..<min(start + 2_000, documents.count)]
            let ids = part.map { _ in UUID.version7() }
            for (id, document) in zip(ids, part) { abouts[id] = document.about }
            let bodies = try part.map { String(decoding: try JSON.encode(ContentBody.copy($0.body)), as: UTF8.self) }
            let tenant = ContentCenterHarness.tenant
            _ = try await service.database.app.pipeline(
                [
                    """
                    INSERT INTO contents (tenant_id, id, kind, status, version, title)
                    SELECT \(tenant), id, 'copy', 'draft', 1, title FROM unnest(\(ids), \(part.map(\.title))) AS d (id, title)
                    """,
                    """
                    INSERT INTO content_versions (tenant_id, content_id, version, title, body, source_kind, author)
                    SELECT \(tenant), id, 1, title, body::jsonb, 'human', 'test'
                    FROM unnest(\(ids), \(part.map(\.title)), \(bodies)) AS d (id, title, body)
                    """,
                ], tenant: tenant)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { try await service.indexer.takeInAll() } }
            try await group.waitForAll()
        }
        #expect(try await service.count("search_documents") == documents.count)
        return abouts
    }

    private static func prepareRivals(_ service: ContentCenterHarness) async throws {
        try await service.database.superuser.query(
            """
            CREATE TABLE rivals AS
            SELECT c.id, c.title || E'\\n' || (v.body ->> 'text') AS text,
                   to_tsvector('simple', c.title || E'\\n' || (v.body ->> 'text')) AS words
            FROM contents c JOIN content_versions v ON v.content_id = c.id
            """)
    }

    private static func like(_ query: String, _ service: ContentCenterHarness) async throws -> [UUID] {
        try await service.database.superuser.query(
            "SELECT id FROM rivals WHERE text ILIKE '%' || \(query)::text || '%' ORDER BY id DESC LIMIT 10"
        ).map { try $0.decode("id") }
    }

    private static func plain(_ query: String, _ service: ContentCenterHarness) async throws -> [UUID] {
        try await service.database.superuser.query(
            """
            SELECT id FROM rivals, plainto_tsquery('simple', \(query)) AS q WHERE words @@ q
            ORDER BY ts_rank(words, q) DESC, id DESC LIMIT 10
            """
        ).map { try $0.decode("id") }
    }
}
