import DTO
import Foundation
import HTTPCore
import Lifecycle
import Messaging
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// The same as `ContentActivityTests`, by way of the broker.
@Suite(.timeLimit(.minutes(2))) struct ContentActivityQueueTests {
    @Test func hearsOfDraftsOnceHoweverOftenTheyAreTold() async throws {
        try await run { broker, database, publisher in
            let event = try draftCreated()
            for _ in 0..<3 { try await publisher.publish(OutgoingMessage(event)) }
            let other = try draftCreated()
            try await publisher.publish(OutgoingMessage(other))
            try await eventually("both events are written down") {
                try await database.superuser.query("SELECT DISTINCT event_id FROM content_activity").count == 2
            }
            // The repeats were acknowledged without a row: nothing is left, and nothing was parked.
            #expect(try await database.superuser.query("SELECT 1 FROM content_activity").count == 2)
            #expect(try await ParkingLot(broker: broker).list(queue: QueueDeclaration.contentActivity.name).isEmpty)
        }
    }

    @Test func parksWhatItCannotRead() async throws {
        try await run { broker, database, publisher in
            var event = try draftCreated()
            event.data = Array(#"{"contentId": 7}"#.utf8)
            try await publisher.publish(OutgoingMessage(event))
            let parkingLot = ParkingLot(broker: broker)
            var parked: [ParkedMessage] = []
            while parked.isEmpty { parked = try await parkingLot.list(queue: QueueDeclaration.contentActivity.name) }
            #expect(parked.map(\.messageId) == [event.id.uuidString.lowercased()])
            #expect(parked[0].reason.contains("content.draft.created.v1"))
            #expect(try await database.superuser.query("SELECT 1 FROM content_activity").isEmpty)
        }
    }

    /// The whole service on a broker's corner of its own, and a publisher beside it.
    private func run(
        _ body: @escaping @Sendable (Broker, TestDatabase, Publisher) async throws -> Void
    ) async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            try await TestBroker.withBroker(queues: [.contentActivity]) { broker in
                let publisher = Publisher(broker: broker)
                try await TestApplication.run(
                    Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                    broker: broker.configuration.url, brokerPrefix: broker.configuration.prefix, scope: .everything
                ) { _ in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await publisher.run() }
                        try await eventually("the publisher is connected") { publisher.isConnected }
                        try await body(broker, database, publisher)
                        group.cancelAll()
                    }
                }
            }
        }
    }

    private func draftCreated() throws -> CloudEvent {
        let content = UUID.version7()
        let data = ContentDraftCreated(
            contentId: content, kind: "title_set", status: .draft, version: 1, title: "猫砂盆", operationId: UUID())
        return CloudEvent(
            id: .version7(), source: "content-center", type: ContentDraftCreated.type, subject: content.uuidString.lowercased(),
            time: Date(), tenantId: TestContext.tenant, version: 1, data: try JSON.encode(data))
    }
}
