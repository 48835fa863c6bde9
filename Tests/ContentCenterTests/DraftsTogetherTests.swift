import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Drafts that are saved at the same time are one transaction, and nobody notices.
@Suite struct DraftsTogetherTests {
    private static let tenant = ContentCenterHarness.tenant

    @Test func whatWaitsIsOneTransaction() async throws {
        try await Crowd.run { crowd in
            let contents = try await crowd.save((0..<10).map { NewContent.sample.named("第 \($0) 篇") })
            #expect(try contents.map { try $0.get().title } == (0..<10).map { "第 \($0) 篇" })
            let service = crowd.service
            let transactions: Int = try await service.database.superuser.query(
                "SELECT count(DISTINCT xmin::text) AS n FROM contents"
            ).only.decode("n")
            #expect(transactions == 2)
            // What is answered is what is there.
            for content in contents {
                let stored = try await service.send(.get, "/v1/contents/\(try content.get().id.lowercase)").decode(Content.self)
                #expect(try JSON.encode(stored) == JSON.encode(content.get()))
            }
            #expect(try await service.count("search_changes") == 11)
            let events = try await service.events()
            #expect(try Set(events.map(\.subject)).isSuperset(of: contents.map { try $0.get().id.lowercase }))
            #expect(events.count == 11)
            // Each names the request that it comes from.
            #expect(Set(events.compactMap(\.correlationId)) == Set((0..<10).map { "for 第 \($0) 篇" } + ["for 先"]))
        }
    }

    @Test func aBadOneKeepsNobodyFromBeingSaved() async throws {
        try await Crowd.run { crowd in
            var drafts = (0..<4).map { NewContent.sample.named("第 \($0) 篇") }
            drafts[2].title = "U+0000 \u{0} is refused by the server"
            let contents = try await crowd.save(drafts)
            for (index, content) in contents.enumerated() where index != 2 {
                #expect(try content.get().title == drafts[index].title)
            }
            #expect(throws: PostgresError.self) { try contents[2].get() }
            #expect(try await crowd.service.count("contents") == 4)
            #expect(try await crowd.service.count("content_versions") == 4)
            #expect(try await crowd.service.events().count == 4)
        }
    }

    @Test func oneOperationTwiceIsOneDraft() async throws {
        try await Crowd.run { crowd in
            let operation = UUID()
            let drafts = [NewContent.sample, .sample.named("另一篇"), .sample]
            let contents = try await crowd.save(drafts, operations: [operation, nil, operation]).map { try $0.get() }
            #expect(contents[0] == contents[2])
            #expect(contents[1].title == "另一篇")
            // And once more, beside one that is new.
            let again = try await crowd.save([.sample, .sample], operations: [operation, UUID()]).map { try $0.get() }
            #expect(again[0] == contents[0] && again[1].id != contents[0].id)
            #expect(try await crowd.service.count("contents") == 5)
            #expect(try await crowd.service.events().count == 5)
        }
    }

    @Test func anotherTenantDoesNotWait() async throws {
        try await Crowd.run { crowd in
            let other = UUID()
            let contents = try await crowd.save([.sample]) {
                let content = try await crowd.contents.saveDraft(.sample, by: Author(tenantId: other, subject: "user-2"))
                #expect(content.author == "user-2")
            }
            _ = try contents[0].get()
            #expect(try await crowd.service.page("/v1/contents", tenant: other).items.count == 1)
            #expect(try await crowd.service.page("/v1/contents").items.count == 2)
        }
    }

    @Test func whoLeavesWhileWaitingHasWrittenNothing() async throws {
        try await Crowd.run { crowd in
            let contents = try await crowd.save([.sample.named("走"), .sample.named("留")], leaving: [0])
            #expect(throws: CancellationError.self) { try contents[0].get() }
            #expect(try contents[1].get().title == "留")
            let titles = try await crowd.service.page("/v1/contents").items.map(\.title)
            #expect(Set(titles) == ["留", "先"])
        }
    }

    /// The server ends the connection in the middle of a batch: it wrote nothing, and the repeats write each draft once.
    @Test func aBatchThatIsCutOffIsSavedByItsRepeats() async throws {
        try await Crowd.run { crowd in
            let service = crowd.service
            try await service.database.superuser.query(
                """
                CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                    RETURN NULL;
                END $$
                """)
            try await service.database.superuser.query(
                """
                CREATE TRIGGER cut_off AFTER INSERT ON contents FOR EACH ROW WHEN (NEW.title = '断') EXECUTE FUNCTION cut_off()
                """)
            let drafts = [NewContent.sample, .sample.named("断"), .sample]
            let operations = drafts.map { _ in UUID() as UUID? }
            for content in try await crowd.save(drafts, operations: operations) {
                #expect(throws: PostgresError.self) { try content.get() }
            }
            #expect(try await service.count("contents") == 1)
            try await service.database.superuser.query("DROP TRIGGER cut_off ON contents")
            let contents = try await crowd.save(drafts, operations: operations).map { try $0.get() }
            #expect(contents.map(\.title) == drafts.map(\.title))
            let again = try await crowd.save(drafts, operations: operations).map { try $0.get() }
            #expect(again == contents)
            #expect(try await service.count("contents") == 3 + 3)
        }
    }
}

/// Lets drafts wait for one that is being written.
private struct Crowd: Sendable {
    let service: ContentCenterHarness
    let contents: Contents

    static func run(_ body: @escaping @Sendable (Crowd) async throws -> Void) async throws {
        try await ContentCenterHarness.run { service in
            try await body(Crowd(service: service, contents: Contents(store: ContentsStore(database: service.database.app) {})))
        }
    }

    /// Saves one draft that the tenant's lock holds up, and meanwhile these, in their order.
    ///
    /// - Parameter leaving: the places of those whose callers leave before the batch begins.
    func save(
        _ drafts: [NewContent], operations: [UUID?] = [], leaving: [Int] = [], meanwhile: @Sendable () async throws -> Void = {}
    ) async throws -> [Result<Content, any Error>] {
        let (tasks, first) = try await service.database.superuser.transaction { transaction in
            let tenant = ContentCenterHarness.tenant
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(tenant_write_lock(\(tenant)))")
            let first = save(.sample.named("先"), operation: nil)
            try await eventually("the first never waited", within: .seconds(120)) {
                try await service.database.superuser.query(
                    """
                    SELECT count(*) AS n FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                    """
                ).only.decode("n", as: Int.self) == 1
            }
            var tasks: [Task<Content, any Error>] = []
            for (index, draft) in drafts.enumerated() {
                tasks.append(save(draft, operation: operations.isEmpty ? nil : operations[index]))
                try await eventually("no line", within: .seconds(120)) {
                    contents.store.drafts.waiting(of: tenant) == index + 1
                }
            }
            for place in leaving {
                tasks[place].cancel()
                _ = await tasks[place].result
            }
            try await meanwhile()
            return (tasks, first)
        }
        _ = try await first.value
        var results: [Result<Content, any Error>] = []
        for task in tasks { results.append(await task.result) }
        return results
    }

    private func save(_ draft: NewContent, operation: UUID?) -> Task<Content, any Error> {
        Task {
            let author = Author(tenantId: ContentCenterHarness.tenant, subject: "user-1", operationId: operation)
            return try await CallContext.$current.withValue(CallContext(requestId: "for \(draft.title)")) {
                try await contents.saveDraft(draft, by: author)
            }
        }
    }
}
