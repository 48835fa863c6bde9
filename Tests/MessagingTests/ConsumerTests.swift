import ConcurrencySupport
import Foundation
import Lifecycle
import Messaging
import Observability
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ConsumerTests {
    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private func queue(_ delays: [Duration] = []) -> QueueDeclaration {
        QueueDeclaration("consumed", bindings: ["test.#"], retry: RetryLadder(delays))
    }

    @Test func givesTheHandlerTheContextOfTheWorkThatEmittedTheEvent() async throws {
        let queue = queue()
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<(Delivery, CallContext?)>()
            let consumer = Consumer(broker: broker, queue: queue, flow: "TitleGeneration") {
                seen.record(($0, CallContext.current))
            }
            let emitting = CallContext(requestId: "request-0001", operationId: UUID())
            let tenant = UUID()
            let event = CallContext.$current.withValue(emitting) {
                makeEvent(subject: "s", tenantId: tenant, data: #"{"a":1}"#)
            }
            try await withServices([publisher, consumer]) {
                try await publisher.publish(OutgoingMessage(event))
                try await eventually("it arrives") { !seen.items.isEmpty }
            }
            let (delivery, context) = try #require(seen.items.first)
            #expect(delivery.event == event)
            #expect(delivery.routingKey == "test.thing.happened.v1")
            #expect(delivery.attempt == 1)
            #expect(!delivery.isRedelivered)
            #expect(delivery.headers["traceparent"] == emitting.trace.traceparent)
            #expect(context?.trace.traceId == emitting.trace.traceId)
            #expect(context?.trace.spanId != emitting.trace.spanId)
            #expect(context?.requestId == "request-0001")
            #expect(context?.operationId == emitting.operationId)
            #expect(context?.tenantId == tenant)
            #expect(context?.flow == "TitleGeneration")
            #expect(seen.items.count == 1)
        }
    }

    @Test func handlesEventsOfOneSubjectInOrderAndOthersMeanwhile() async throws {
        let queue = queue()
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<(String, Int64)>()
            let consumer = Consumer(broker: broker, queue: queue, prefetch: 50, concurrency: 8) { delivery in
                await Task.yield()
                seen.record((delivery.event.subject ?? "", delivery.event.version))
            }
            let messages = (1...50).flatMap { version in
                ["a", "b", "c", "d"].map { OutgoingMessage(makeEvent(subject: $0, version: Int64(version))) }
            }
            try await withServices([publisher, consumer]) {
                for result in await publisher.publish(messages) { try result.get() }
                try await eventually("all arrive") { seen.items.count >= 200 }
            }
            for subject in ["a", "b", "c", "d"] {
                #expect(seen.items.filter { $0.0 == subject }.map(\.1) == Array(1...50))
            }
        }
    }

    @Test func triesAgainAfterGrowingDelaysAndThenParksWithTheReason() async throws {
        let queue = queue([.milliseconds(300), .milliseconds(900)])
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<(Delivery, ContinuousClock.Instant)>()
            let consumer = Consumer(broker: broker, queue: queue) { delivery in
                seen.record((delivery, .now))
                throw Refusal(description: "not at attempt \(delivery.attempt)")
            }
            let lot = ParkingLot(broker: broker)
            let event = makeEvent()
            try await withServices([publisher, consumer]) {
                try await publisher.publish(OutgoingMessage(event))
                try await eventually("it is parked") { try await !lot.list(queue: queue.name).isEmpty }
            }
            let attempts = seen.items
            #expect(attempts.map(\.0.attempt) == [1, 2, 3])
            #expect(attempts.map { $0.0.headers["x-reason"] } == [nil, "not at attempt 1", "not at attempt 2"])
            #expect(attempts.map(\.0.routingKey) == Array(repeating: "test.thing.happened.v1", count: 3))
            #expect(attempts.allSatisfy { $0.0.event == event })
            try #require(attempts.count == 3)
            #expect(attempts[0].1.duration(to: attempts[1].1) >= .milliseconds(290))
            #expect(attempts[1].1.duration(to: attempts[2].1) >= .milliseconds(890))
            let parked = try await lot.list(queue: queue.name)
            #expect(parked.map(\.reason) == ["not at attempt 3"])
            #expect(parked.map(\.attempts) == [3])
            #expect(parked.map(\.messageId) == [event.id.uuidString.lowercased()])
        }
    }

    @Test func parksPoisonAtOnceAndHandlesItAfterReplay() async throws {
        let queue = queue([.seconds(60)])
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let lot = ParkingLot(broker: broker)
            let isCured = Lock(false)
            let handled = Recorder<Delivery>()
            let consumer = Consumer(broker: broker, queue: queue) { delivery in
                guard isCured.withLock({ $0 }) else { throw PermanentFailure(reason: "the draft does not exist") }
                handled.record(delivery)
            }
            let event = makeEvent()
            let poison = OutgoingMessage(
                routingKey: "test.poison", messageId: "poison-1", contentType: "text/plain", body: Array("hello".utf8))
            try await withServices([publisher, consumer]) {
                try await publisher.publish(OutgoingMessage(event))
                try await publisher.publish(poison)
                try await eventually("both are parked") { try await lot.list(queue: queue.name).count == 2 }
                let parked = try await lot.list(queue: queue.name).sorted { $0.messageId < $1.messageId }
                let refused = try #require(parked.first { $0.messageId == event.id.uuidString.lowercased() })
                #expect(refused.reason == "the draft does not exist")
                #expect(refused.routingKey == "test.thing.happened.v1")
                let malformed = try #require(parked.first { $0.messageId == "poison-1" })
                #expect(malformed.reason.hasPrefix("not a CloudEvent"))
                #expect(malformed.body == "hello")

                isCured.withLock { $0 = true }
                #expect(try await lot.replay(queue: queue.name, messageIds: [event.id.uuidString.lowercased()]) == 1)
                try await eventually("it is handled") { handled.items.count == 1 }
                #expect(handled.items.first?.event == event)
                #expect(handled.items.first?.attempt == 1)
                #expect(try await lot.list(queue: queue.name).map(\.messageId) == ["poison-1"])
                #expect(try await lot.replay(queue: queue.name) == 1)
                try await eventually("poison is parked again") { try await lot.list(queue: queue.name).count == 1 }
            }
        }
    }

    /// Tags begin anew with every channel: an acknowledgement meant for the first delivery must not settle the second, which has the
    /// same tag and is still being handled.
    @Test func dropsTheAcknowledgementOfADeadConnection() async throws {
        let queue = queue()
        let bystander = QueueDeclaration("bystander", bindings: ["sentinel.#"])
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestBroker.withBroker(queues: [queue, bystander], configure: { $0.url = url }) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<Bool>()
            let finished = Recorder<Int>()
            let mayFinish = Lock<Set<Int>>([])
            let consumer = Consumer(broker: broker, queue: queue, concurrency: 1) { delivery in
                seen.record(delivery.isRedelivered)
                let call = seen.items.count
                while !mayFinish.withLock({ $0.contains(call) }) { try await Task.sleep(for: .milliseconds(5)) }
                finished.record(call)
            }
            try await withServices([publisher, consumer]) {
                let deliveries = proxy.count("delivered", from: .server)
                try await publisher.publish(OutgoingMessage(makeEvent(data: #"{"mark":"delivered"}"#)))
                try await eventually("it is being handled") { seen.items.count == 1 }
                proxy.cut()
                // It waits behind the first call, handed out under tag 1 of the new channel.
                try await eventually("it has come over the new connection") { deliveries.value >= 2 }
                mayFinish.withLock { $0 = [1] }
                try await eventually("it is handed out again") { seen.items.count == 2 }
                // A stale acknowledgement, had one been sent, is in front of what this consumer sends over the same connection.
                let passed = Recorder<UUID>()
                try await withServices([Consumer(broker: broker, queue: bystander) { passed.record($0.event.id) }]) {
                    try await publisher.publish(OutgoingMessage(makeEvent("sentinel.sent.v1")))
                    try await eventually("the broker has read that far") { passed.items.count == 1 }
                }
                // The second call's connection dies before it is done.
                proxy.cut()
                mayFinish.withLock { $0 = [1, 2, 3] }
                try await eventually("it comes a third time, for nobody has acknowledged it") { finished.items.count >= 3 }
                #expect(seen.items.dropFirst().allSatisfy { $0 })
            }
        }
    }

    @Test func cancelsAHandlerThatTakesTooLong() async throws {
        let queue = queue([.milliseconds(50)])
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let seen = Recorder<Delivery>()
            let consumer = Consumer(broker: broker, queue: queue, handlerTimeout: .milliseconds(200)) { delivery in
                seen.record(delivery)
                if delivery.attempt == 1 { try await Task.sleep(for: .seconds(60)) }
            }
            try await withServices([publisher, consumer]) {
                try await publisher.publish(OutgoingMessage(makeEvent()))
                try await eventually("the second attempt runs") { seen.items.count == 2 }
            }
            #expect(seen.items.last?.headers["x-reason"] == "no result within 0.2 seconds")
        }
    }

    @Test func fansOutToEveryReplicaThroughExclusiveQueues() async throws {
        try await TestBroker.withBroker { broker in
            let publisher = Publisher(broker: broker)
            let seen = [Recorder<UUID>(), Recorder<UUID>()]
            let replicas = seen.enumerated().map { index, seen in
                Consumer(broker: broker, queue: QueueDeclaration("replica-\(index)", kind: .exclusive, bindings: ["#"])) {
                    seen.record($0.event.id)
                }
            }
            try await withServices([publisher] + replicas) {
                let first = makeEvent()
                // Unroutable until a replica is bound; the event that went to one only is not counted.
                try await eventually("both are bound") {
                    try? await publisher.publish(OutgoingMessage(makeEvent()))
                    return seen.allSatisfy { !$0.items.isEmpty }
                }
                try await publisher.publish(OutgoingMessage(first))
                try await eventually("both see it") { seen.allSatisfy { $0.items.contains(first.id) } }
            }
        }
    }

    @Test func finishesRunningHandlersAtShutdownAndLeavesTheRest() async throws {
        let queue = queue()
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker)
            let started = Recorder<UUID>()
            let finished = Recorder<UUID>()
            let slow = Consumer(broker: broker, queue: queue, prefetch: 10, concurrency: 2) { delivery in
                started.record(delivery.event.id)
                try await gracefulShutdown()
                finished.record(delivery.event.id)
            }
            let events = (0..<10).map { _ in makeEvent() }
            try await withServices([publisher]) {
                for result in await publisher.publish(events.map { OutgoingMessage($0) }) { try result.get() }
                try await withServices([slow]) {
                    try await eventually("work is under way") { !started.items.isEmpty }
                }
                #expect(started.items.count < 10)
                #expect(Set(finished.items) == Set(started.items))
                let rest = Recorder<UUID>()
                let next = Consumer(broker: broker, queue: queue) { rest.record($0.event.id) }
                try await withServices([next]) {
                    try await eventually("the rest is there") { rest.items.count + finished.items.count >= 10 }
                }
                #expect(Set(rest.items).isDisjoint(with: finished.items))
            }
        }
    }
}
