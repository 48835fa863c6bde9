import ConcurrencySupport
import Foundation
import Messaging
import Observability
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct PublisherTests {
    private let queue = QueueDeclaration("published", bindings: ["test.#"], retry: RetryLadder([]))

    @Test func returnsAfterTheConfirmOfEveryMessage() async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<UUID>()
            let events = (0..<2_000).map { _ in makeEvent() }
            try await withServices([publisher]) {
                let results = await publisher.publish(events.map { OutgoingMessage($0) })
                #expect(results.count == 2_000)
                for result in results { try result.get() }
            }
            // The publisher is gone: what it was told is stored.
            let consumer = Consumer(broker: broker, queue: queue, prefetch: 200) { seen.record($0.event.id) }
            try await withServices([consumer]) {
                try await eventually("all arrive") { seen.items.count >= 2_000 }
            }
            #expect(Set(seen.items) == Set(events.map(\.id)))
        }
    }

    @Test func failsForAMessageThatNoQueueTakes() async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                let unheard = OutgoingMessage(makeEvent("unheard.of.v1"))
                let results = await publisher.publish([OutgoingMessage(makeEvent()), unheard, OutgoingMessage(makeEvent())])
                #expect(throws: Never.self) { try results[0].get() }
                #expect(throws: PublishFailure.unroutable("NO_ROUTE unheard.of.v1")) { try results[1].get() }
                #expect(throws: Never.self) { try results[2].get() }
            }
        }
    }

    @Test func refusesAfterShutdown() async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                try await eventually("connected") { publisher.isConnected }
                try await publisher.publish(OutgoingMessage(makeEvent()))
            }
            await #expect(throws: PublishFailure.stopped) { try await publisher.publish(OutgoingMessage(makeEvent())) }
        }
    }

    @Test func waitsForABrokerThatComesBack() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                try await publisher.publish(OutgoingMessage(makeEvent()))
                proxy.stop()
                async let waiting: Void = publisher.publish(OutgoingMessage(makeEvent()))
                try await eventually("the loss is noticed") { !broker.isConnected }
                proxy.start()
                try await waiting
                #expect(broker.isConnected)
            }
        }
    }

    @Test func failsAtTheDeadlineOfTheCallWhileTheBrokerIsAway() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                proxy.stop()
                try await eventually("the loss is noticed") { !publisher.isConnected }
                let context = CallContext(requestId: "deadline-test", deadline: .now + .milliseconds(300))
                let start = ContinuousClock.now
                await #expect {
                    try await CallContext.$current.withValue(context) {
                        try await publisher.publish(OutgoingMessage(makeEvent()))
                    }
                } throws: { error in
                    if case .brokerUnavailable = error as? PublishFailure { true } else { false }
                }
                #expect(start.duration(to: .now) < .seconds(3))
            }
        }
    }

    /// A broker that hangs: nothing is closed, nothing is confirmed (design §9: no confirm within the time-out ends the connection).
    @Test func givesUpAConnectionWithoutConfirms() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        let configure: (inout BrokerConfiguration) -> Void = { configuration in
            configuration.url = url
            configuration.answerTimeout = .seconds(1)
        }
        try await TestBroker.withBroker(queues: [queue], configure: configure) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                try await publisher.publish(OutgoingMessage(makeEvent()))
                proxy.stall(true)
                await #expect {
                    try await publisher.publish(OutgoingMessage(makeEvent()))
                } throws: { error in
                    if case .unconfirmed = error as? PublishFailure { true } else { false }
                }
                proxy.stall(false)
                try await publisher.publish(OutgoingMessage(makeEvent()))
                #expect(proxy.connections >= 2)
            }
        }
    }

    @Test func sendsAgainWhatAConnectionLostUnconfirmed() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
            // The consumer reads past the proxy, which will hold back confirms.
            var direct = broker.configuration
            direct.url = try TestBroker.url()
            let publisher = Publisher(broker: broker)
            let seen = Recorder<UUID>()
            let consumer = Consumer(broker: Broker(direct, name: "direct", logger: .silent), queue: queue, prefetch: 100) {
                seen.record($0.event.id)
            }
            try await withServices([publisher, consumer]) {
                try await publisher.publish(OutgoingMessage(makeEvent()))
                let events = (0..<200).map { _ in makeEvent() }
                proxy.stall(true)
                async let results = publisher.publish(events.map { OutgoingMessage($0) })
                try await eventually("all are sent, none is confirmed") { Set(seen.items).isSuperset(of: events.map(\.id)) }
                proxy.cut()
                proxy.stall(false)
                for result in await results { try result.get() }
                try await eventually("all were sent twice") { seen.items.count >= 401 }
            }
        }
    }

    @Test func heartbeatsKeepAnIdleConnectionAndNoticeADeadOne() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        let configure: (inout BrokerConfiguration) -> Void = { configuration in
            configuration.url = url
            configuration.heartbeat = .seconds(2)
        }
        try await TestBroker.withBroker(queues: [queue], configure: configure) { broker in
            let publisher = Publisher(broker: broker)
            try await withServices([publisher]) {
                try await publisher.publish(OutgoingMessage(makeEvent()))
                // One every 2 s: the fourth leaves when the broker would long have given up a silent client.
                let heartbeat: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0xCE]
                let (sent, received) = (proxy.count(heartbeat, from: .client), proxy.count(heartbeat, from: .server))
                try await eventually("heartbeats pass both ways", within: .seconds(60)) { sent.value >= 4 && received.value >= 4 }
                #expect(broker.isConnected)
                #expect(proxy.connections == 1)
                proxy.stall(true)
                try await eventually("silence is noticed", within: .seconds(60)) { !broker.isConnected }
                proxy.stall(false)
                try await publisher.publish(OutgoingMessage(makeEvent()))
            }
        }
    }
}
