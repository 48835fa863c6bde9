import Foundation
import Observability
import TestSupport
import Testing

@testable import Messaging

@Suite(.timeLimit(.minutes(2))) struct QueueRepairTests {
    private let queue = QueueDeclaration("precious", bindings: ["test.#"], retry: RetryLadder([]))

    @Test func aBrokerThatIsSilentForAWhileKeepsItsQueues() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let event = makeEvent()
            try await withServices([publisher]) { try await publisher.publish(OutgoingMessage(event)) }

            var configuration = broker.configuration
            (configuration.url, configuration.connectTimeout) = (url, .milliseconds(500))
            let repair = QueueRepair(configuration: configuration, logger: .silent)
            let name = configuration.prefix + queue.name
            proxy.stall(true)
            repair.suspect(name, in: Topology(queues: [queue]), prefix: configuration.prefix)
            // The first look goes unanswered; whatever is done about the queue would be done on the next connection.
            try await eventually("it has looked") { proxy.connections > 1 || !repair.isBusy(name) }
            proxy.stall(false)
            try await eventually("it is done") { !repair.isBusy(name) }

            let seen = Recorder<UUID>()
            let consumer = Consumer(broker: broker, queue: queue) { seen.record($0.event.id) }
            try await withServices([consumer]) { try await eventually("a message is there") { !seen.items.isEmpty } }
            #expect(seen.items == [event.id])
        }
    }
}
