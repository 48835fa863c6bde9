import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

@Suite struct ContentActivityTests {
    @Test func writesDownWhatHappened() async throws {
        try await OrchestrationHarness.run { service in
            let (tenant, content, operation) = (UUID(), UUID(), UUID())
            let event = try draftCreated(tenant: tenant, content: content, operation: operation)
            try await service.consumer.record([event])
            let row = try await service.database.app.query(
                "SELECT event_id, content_id, kind, version, title, operation_id, occurred_at FROM content_activity",
                tenant: tenant
            ).only
            #expect(try row.decode("event_id") == event.id)
            #expect(try row.decode("content_id") == content)
            #expect(try row.decode("kind") == "video")
            #expect(try row.decode("version") == 1)
            #expect(try row.decode("title") == "猫砂盆")
            #expect(try row.decode("operation_id") == operation)
            #expect(try row.decode("occurred_at") == event.time)
        }
    }

    @Test func anEventThatComesTwiceIsOneRow() async throws {
        try await OrchestrationHarness.run { service in
            let event = try draftCreated()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { try await service.consumer.record([event]) } }
                try await group.waitForAll()
            }
            try await service.consumer.record([event])
            #expect(try await service.activityRows() == 1)
            // Another event about the same content is another row.
            try await service.consumer.record([try draftCreated(tenant: event.tenantId)])
            #expect(try await service.activityRows() == 2)
        }
    }

    @Test func severalAtOnceAreOneRowEach() async throws {
        try await OrchestrationHarness.run { service in
            let tenant = UUID()
            let events = try (0..<20).map { try draftCreated(tenant: tenant, operation: $0.isMultiple(of: 2) ? UUID() : nil) }
            try await service.consumer.record([events[3]])
            // Twice in one batch, and in two batches that come at once and the other way round.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await service.consumer.record(events + [events[0]]) }
                    group.addTask { try await service.consumer.record(events.reversed()) }
                }
                try await group.waitForAll()
            }
            let rows = try await service.database.app.query("SELECT event_id, operation_id FROM content_activity", tenant: tenant)
            let found = try rows.map { (try $0.decode("event_id", as: UUID.self), try $0.decode("operation_id", as: UUID?.self)) }
            #expect(
                Dictionary(found) { first, _ in first }
                    == Dictionary(events.map { ($0.id, $0.operationId) }) { first, _ in first })
            #expect(found.count == 20)
            // The rows are the record.
            #expect(try await service.database.superuser.query("SELECT 1 FROM inbox").isEmpty)
        }
    }

    @Test func aRowThatCannotBeWrittenLeavesTheEventUnclaimed() async throws {
        try await OrchestrationHarness.run { service in
            let event = try draftCreated()
            try await service.database.superuser.query("ALTER TABLE content_activity RENAME TO away")
            await #expect(throws: PostgresError.self) { try await service.consumer.record([event]) }
            try await service.database.superuser.query("ALTER TABLE away RENAME TO content_activity")
            try await service.consumer.record([event])
            #expect(try await service.activityRows() == 1)
        }
    }

    @Test func anotherTenantSeesNothing() async throws {
        try await OrchestrationHarness.run { service in
            try await service.consumer.record([try draftCreated()])
            let rows = try await service.database.app.query("SELECT 1 FROM content_activity", tenant: UUID())
            #expect(rows.isEmpty)
        }
    }

    @Test func dataThatIsNoDraftIsParkedAtOnce() async throws {
        try await OrchestrationHarness.run { service in
            var event = try draftCreated()
            event.data = Array(#"{"contentId": 7}"#.utf8)
            let broken = event
            await #expect(throws: PermanentFailure.self) { try await service.consumer.record([broken]) }
            #expect(try await service.activityRows() == 0)
        }
    }

    private func draftCreated(tenant: UUID = UUID(), content: UUID = UUID(), operation: UUID? = nil) throws -> CloudEvent {
        // A kind that this service does not know yet is written down all the same.
        let data = ContentDraftCreated(
            contentId: content, kind: "video", status: .draft, version: 1, title: "猫砂盆", operationId: operation)
        return CloudEvent(
            id: .version7(), source: "content-center", type: ContentDraftCreated.type, subject: content.uuidString.lowercased(),
            time: Date(timeIntervalSince1970: 1_790_000_000.25), tenantId: tenant, operationId: operation, version: 1,
            data: try JSON.encode(data))
    }
}

extension OrchestrationHarness {
    var consumer: ContentActivityConsumer { ContentActivityConsumer(store: ContentActivityStore(database: database.app)) }

    func activityRows() async throws -> Int {
        try await database.superuser.query("SELECT count(*) AS n FROM content_activity").only.decode("n")
    }
}
