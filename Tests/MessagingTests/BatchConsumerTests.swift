import ConcurrencySupport
import Foundation
import Lifecycle
import Messaging
import Observability
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct BatchConsumerTests {
    private let queue = QueueDeclaration("batched", bindings: ["test.#"], retry: RetryLadder([.milliseconds(200)]))

    /// Publishes the messages, and only then begins to consume them.
    private func consume(
        _ messages: [OutgoingMessage], batch: Int, handlerTimeout: Duration = .seconds(30), tracer: Tracer? = nil,
        until isDone: @escaping @Sendable () -> Bool,
        also body: @escaping @Sendable (Broker) async throws -> Void = { _ in }, handler: @escaping Consumer.BatchHandler
    ) async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker, topology: Topology(queues: [queue]))
            let consumer = Consumer(
                broker: broker, queue: queue, batch: batch, flow: "Batches", handlerTimeout: handlerTimeout, tracer: tracer,
                handlingTogether: handler)
            try await withServices([publisher]) {
                for result in await publisher.publish(messages) { try result.get() }
                try await withServices([consumer]) { try await eventually("all are handled", isDone) }
                // What was not acknowledged would be handed out again.
                let again = Recorder<CloudEvent>()
                let next = Consumer(broker: broker, queue: queue) { again.record($0.event) }
                try await withServices([next]) {
                    let last = makeEvent()
                    try await publisher.publish(OutgoingMessage(last))
                    try await eventually("the last comes") { !again.items.isEmpty }
                    #expect(again.items == [last])
                }
                try await body(broker)
            }
        }
    }

    @Test func givesTheHandlerWhatWaitsOfOneTenantInOrder() async throws {
        let tenants = [UUID(), UUID()]
        let events = (0..<60).map { makeEvent(subject: "s\($0 % 3)", tenantId: tenants[$0 % 2], version: Int64($0)) }
        let calls = Recorder<[CloudEvent]>()
        try await consume(
            events.map { OutgoingMessage($0) }, batch: 16, until: { calls.items.joined().count >= 60 }
        ) {
            calls.record($0.map(\.event))
            #expect(CallContext.current?.tenantId == $0.first?.event.tenantId)
        }
        #expect(calls.items.allSatisfy { Set($0.map(\.tenantId)).count == 1 && $0.count <= 16 })
        #expect(calls.items.count < 40, "they are hardly ever handled together")
        for tenant in tenants {
            #expect(calls.items.joined().filter { $0.tenantId == tenant } == events.filter { $0.tenantId == tenant })
        }
    }

    @Test func findsOutWhichOneOfSeveralFails() async throws {
        let tenant = UUID()
        let events = (0..<12).map { makeEvent(tenantId: tenant, version: Int64($0)) }
        let poison = OutgoingMessage(
            routingKey: "test.poison", messageId: "poison-1", contentType: "text/plain", body: Array("hello".utf8))
        let handled = Recorder<Delivery>()
        try await consume(
            events.map { OutgoingMessage($0) } + [poison], batch: 32, until: { handled.items.count >= 11 },
            also: { broker in
                let parked = try await ParkingLot(broker: broker).list(queue: queue.name)
                #expect(Set(parked.map(\.messageId)) == ["poison-1", events[4].id.uuidString.lowercased()])
                #expect(parked.contains { $0.reason == "the draft does not exist" })
            }
        ) { deliveries in
            for delivery in deliveries {
                if delivery.event.version == 4 { throw PermanentFailure(reason: "the draft does not exist") }
                if delivery.event.version == 7, delivery.attempt == 1 { throw Refusal() }
            }
            for delivery in deliveries { handled.record(delivery) }
        }
        #expect(Set(handled.items.map(\.event.id)) == Set(events.map(\.id)).subtracting([events[4].id]))
        #expect(handled.items.filter { $0.event.version == 7 }.map(\.attempt) == [2])
        #expect(handled.items.filter { $0.event.version != 7 }.allSatisfy { $0.attempt == 1 })
    }

    @Test func triesAllAgainWhenTheInfrastructureFails() async throws {
        let tenant = UUID()
        let events = (0..<8).map { _ in makeEvent(tenantId: tenant) }
        let (tried, handled) = (Recorder<UUID>(), Recorder<Delivery>())
        try await consume(
            events.map { OutgoingMessage($0) }, batch: 32, until: { handled.items.count >= 8 }
        ) { deliveries in
            for delivery in deliveries { tried.record(delivery.event.id) }
            if deliveries.contains(where: { $0.attempt == 1 }) { throw PublishFailure.brokerUnavailable("away") }
            for delivery in deliveries { handled.record(delivery) }
        }
        #expect(Set(handled.items.map(\.event.id)) == Set(events.map(\.id)))
        for delivery in handled.items {
            let times = tried.items.filter { $0 == delivery.event.id }.count
            #expect(times == delivery.attempt && times > 1, "a message was tried alone too")
        }
    }

    /// A database that stands still costs one message its time after the batch, and not each.
    @Test func givesUpTheRestWhenOneAloneTakesAllItsTime() async throws {
        let tenant = UUID()
        let events = (0..<8).map { _ in makeEvent(tenantId: tenant) }
        let (firstCalls, handled) = (Recorder<Int>(), Recorder<CloudEvent>())
        try await consume(
            events.map { OutgoingMessage($0) }, batch: 32, handlerTimeout: .milliseconds(500), until: { handled.items.count >= 8 }
        ) { deliveries in
            guard deliveries.allSatisfy({ $0.attempt > 1 }) else {
                firstCalls.record(deliveries.count)
                return try await Task.sleep(for: .seconds(60))
            }
            for delivery in deliveries { handled.record(delivery.event) }
        }
        #expect(Set(handled.items.map(\.id)) == Set(events.map(\.id)))
        // The first of all may have come by itself, before the others were there.
        let alone = firstCalls.items.filter { $0 == 1 }.count
        #expect((1...2).contains(alone), "\(firstCalls.items)")
    }

    @Test func tracesEachMessageAsAChildOfItsCause() async throws {
        let spans = Recorder<[UInt8]>()
        let exporter = SpanExporter(service: "batches") { spans.record($0) }
        let tenant = UUID()
        let contexts = (0..<5).map { CallContext(requestId: "request-000\($0)") }
        let messages = contexts.map { context in
            CallContext.$current.withValue(context) { OutgoingMessage(makeEvent(tenantId: tenant)) }
        }
        let handled = Recorder<Int>()
        try await withServices([exporter]) {
            try await consume(
                messages, batch: 32, tracer: Tracer(service: "batches", exporter: exporter),
                until: { handled.items.reduce(0, +) >= 5 }
            ) {
                handled.record($0.count)
            }
        }
        let exported = String(decoding: spans.items.joined(), as: UTF8.self)
        for context in contexts {
            #expect(exported.contains(#""traceId":"\#(context.trace.traceId)""#))
            #expect(exported.contains(#""parentSpanId":"\#(context.trace.spanId)""#))
        }
    }

    private struct Refusal: Error {}
}
