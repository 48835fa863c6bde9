import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

/// Events leave the outbox for the broker, in the order of their content's versions.
@Suite(.timeLimit(.minutes(2))) struct ContentEventsTests {
    @Test func everyChangeReachesTheBrokerInOrder() async throws {
        let queue = QueueDeclaration("heard", bindings: ["content.#"])
        try await TestDatabase.withClone(of: ContentCenterHarness.template) { database in
            try await TestBroker.withBroker(queues: [queue, .contentActivity]) { broker in
                try await TestApplication.run(
                    Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                    broker: broker.configuration.url, brokerPrefix: broker.configuration.prefix
                ) { app in
                    let heard = Heard()
                    let consumer = Consumer(broker: broker, queue: queue) { heard.add($0.event) }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await consumer.run() }
                        let service = try ContentCenterHarness(app, database: database)
                        let content = try await service.create()
                        for version in 1...4 {
                            let answer = try await service.patch(
                                content.id, ContentPatch(title: "v\(version + 1)"), ifVersion: version)
                            #expect(answer.status == .ok)
                        }
                        try await eventually("all events arrive") { heard.versions.count >= 5 }
                        group.cancelAll()
                        #expect(heard.versions == [1, 2, 3, 4, 5])
                        #expect(heard.events.allSatisfy { $0.subject == content.id.lowercase })
                        #expect(heard.events.allSatisfy { $0.tenantId == ContentCenterHarness.tenant })
                        #expect(try await service.events().map(\.id) == heard.events.map(\.id))
                    }
                }
            }
        }
    }
}

/// Events in the order in which they were first heard.
private final class Heard: Sendable {
    private let state = Lock<[CloudEvent]>([])

    var events: [CloudEvent] { state.withLock { $0 } }
    var versions: [Int64] { events.map(\.version) }

    func add(_ event: CloudEvent) {
        state.withLock { events in
            if !events.contains(where: { $0.id == event.id }) { events.append(event) }
        }
    }
}
