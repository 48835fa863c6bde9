import Foundation
import HTTPCore
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import Messaging

/// Events that wait together go through the broker in one message, and each keeps an outcome of its own.
@Suite(.timeLimit(.minutes(3))) struct EventBatchTests {
    private let queue = QueueDeclaration("together", bindings: ["test.#"], retry: RetryLadder([.milliseconds(200)]))

    // MARK: The form

    @Test func givesBackWhatItWasMadeOf() {
        let events = [#"{"a":[1,2,{"b":"]"}]}"#, #"{"text":"\"],[\\"}"#, "{}", #"{"名":"[,"}"#]
        #expect(EventBatch.split(EventBatch.encode(events))?.map { String(decoding: $0, as: UTF8.self) } == events)
        #expect(
            EventBatch.split(Array(" [ 1 , [2] ]\n".utf8)).map { $0.map { String(decoding: $0, as: UTF8.self) } } == [
                " 1 ", " [2] ",
            ])
    }

    @Test(arguments: ["", "[]", "[ ]", "{}", "[1", "[1]]", "[1] x", "x[1]", #"["]"#, "null"])
    func isNoBatch(_ text: String) {
        #expect(EventBatch.split(Array(text.utf8)) == nil)
    }

    private func pack(_ rows: [(subject: String?, type: String)], size: Int = 2) -> [[Int]] {
        EventBatch.pack(
            rows.enumerated().map { index, row in
                OutboxRow(
                    id: Int64(index), eventId: UUID(), subject: row.subject, type: row.type,
                    event: String(repeating: "x", count: size))
            })
    }

    @Test func putsTogetherWhatIsOfOneType() {
        #expect(pack([("a", "t"), ("b", "u"), ("c", "t"), (nil, "t"), ("d", "u")]) == [[0, 2, 3], [1, 4]])
        #expect(pack([]).isEmpty)
    }

    /// The third event of `a` must not come before its second, which is of another type.
    @Test func keepsTheOrderOfASubject() {
        #expect(pack([("a", "t"), ("a", "u"), ("a", "t"), ("b", "t"), ("b", "u")]) == [[0], [1], [2, 3], [4]])
        #expect(pack([("a", "t"), ("a", "t"), ("a", "u")]) == [[0, 1], [2]])
    }

    @Test func keepsMessagesSmall() {
        let many = [(subject: String?, type: String)](repeating: (nil, "t"), count: EventBatch.mostEvents + 1)
        #expect(pack(many).map(\.count) == [EventBatch.mostEvents, 1])
        #expect(pack([(nil, "t"), (nil, "t"), (nil, "t")], size: EventBatch.mostBytes / 2 - 2).map(\.count) == [2, 1])
        #expect(pack([(nil, "t"), (nil, "t")], size: EventBatch.mostBytes).map(\.count) == [1, 1])
    }

    @Test func sendsEachAloneWhereServersOfBeforeHear() {
        let rows = ["a", "a", nil].map { OutboxRow(id: 1, eventId: UUID(), subject: $0, type: "t", event: "{}") }
        #expect(EventBatch.pack(rows, atMost: 1) == [[0], [1], [2]])
    }

    // MARK: The way

    /// Relays the events, then consumes them.
    private func relay(
        _ events: [CloudEvent], in database: TestDatabase, by broker: Broker, then body: (Publisher) async throws -> Void
    ) async throws {
        let publisher = Publisher(broker: broker, topology: Topology(queues: [queue]))
        let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
        try await withServices([publisher, relay]) {
            try await database.append(events)
            relay.wake()
            try await eventually("all are confirmed") { try await database.confirmedRows() == events.count }
            try await body(publisher)
        }
    }

    /// One effect per event, as every consumer should have.
    private func leaveEffects(of events: [CloudEvent], in database: TestDatabase) async throws {
        guard let tenant = events.first?.tenantId else { return }
        try await database.app.transaction(tenant: tenant) { transaction in
            let new = try await Inbox.claim(events, consumer: "test", in: transaction)
            for id in new {
                try await transaction.execute("INSERT INTO effects (tenant_id, event_id) VALUES (\(tenant), \(id))")
            }
        }
    }

    @Test func goesOutAsOneMessageAndArrivesInOrder() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let metrics = MetricsRegistry()
            try await TestBroker.withBroker(queues: [queue]) { own in
                let broker = Broker(own.configuration, name: "together", logger: .silent, metrics: metrics)
                let events = (0..<30).map { makeEvent(subject: "s\($0 % 3)", version: Int64($0)) }
                let seen = Recorder<CloudEvent>()
                try await relay(events, in: database, by: broker) { _ in
                    // The relay may have come upon a part of them.
                    let sent = metrics.counter("messaging_published_total", help: "", labels: ["outcome"]).value(["confirmed"])
                    #expect(sent <= 2)
                    let consumer = Consumer(broker: broker, queue: queue, concurrency: 4) { seen.record($0.event) }
                    try await withServices([consumer]) { try await eventually("all arrive") { seen.items.count >= 30 } }
                }
                #expect(Set(seen.items.map(\.id)) == Set(events.map(\.id)))
                for subject in ["s0", "s1", "s2"] {
                    #expect(seen.items.filter { $0.subject == subject } == events.filter { $0.subject == subject })
                }
                // What had not been acknowledged would come again, before this one.
                let again = Recorder<CloudEvent>()
                let next = Consumer(broker: broker, queue: queue) { again.record($0.event) }
                let last = makeEvent()
                try await withServices([Publisher(broker: broker), next]) {
                    try await Publisher(broker: broker).publish(OutgoingMessage(last))
                    try await eventually("the last comes") { !again.items.isEmpty }
                }
                #expect(again.items == [last])
            }
        }
    }

    @Test(arguments: [1, 32])
    func parksThePoisonOfABatchAlone(together: Int) async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let tenant = UUID()
                var events = (0..<12).map { makeEvent(subject: "s\($0)", tenantId: tenant, version: Int64($0)) }
                events[7].type = "test.another.v1"
                let (poison, late) = (events[4], events[9])
                let handled = Recorder<Delivery>()
                let handler: Consumer.BatchHandler = { deliveries in
                    for delivery in deliveries {
                        if delivery.event.id == poison.id { throw PermanentFailure(reason: "no such thing") }
                        if delivery.event.id == late.id, delivery.attempt == 1 { throw Refusal() }
                    }
                    try await leaveEffects(of: deliveries.map(\.event), in: database)
                    for delivery in deliveries { handled.record(delivery) }
                }
                try await relay(events, in: database, by: broker) { _ in
                    let consumer =
                        together == 1
                        ? Consumer(broker: broker, queue: queue) { try await handler([$0]) }
                        : Consumer(broker: broker, queue: queue, batch: together, handlingTogether: handler)
                    try await withServices([consumer]) {
                        try await eventually("the others are handled") { handled.items.count >= 11 }
                        try await eventually("the poison is parked") {
                            try await ParkingLot(broker: broker).list(queue: queue.name).count == 1
                        }
                    }
                }
                let parked = try await ParkingLot(broker: broker).list(queue: queue.name)
                #expect(parked.map(\.messageId) == [poison.id.text])
                #expect(parked.first?.reason == "no such thing")
                #expect(parked.first.map { Array($0.body.utf8) } == poison.encoded())
                #expect(
                    handled.items.map(\.event.id.text).sorted() == events.map(\.id.text).filter { $0 != poison.id.text }.sorted())
                #expect(handled.items.filter { $0.attempt == 2 }.map(\.event) == [late])
                #expect(try await database.count("SELECT count(*) AS count FROM effects") == 11)
                #expect(try await database.count("SELECT count(DISTINCT event_id) AS count FROM effects") == 11)
            }
        }
    }

    /// Some members have had their effect when the connection goes: the message comes again whole, and they have no second one.
    @Test func comesAgainWholeAndHasItsEffectsOnce() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
                let events = (0..<12).map { makeEvent(subject: "s\($0)", version: Int64($0)) }
                let seen = Recorder<UUID>()
                let (held, release) = (Recorder<Bool>(), Recorder<Bool>())
                try await relay(events, in: database, by: broker) { _ in
                    // More lanes than one, so that one can be held up while the others go on.
                    let consumer = Consumer(broker: broker, queue: queue, concurrency: 8) { delivery in
                        if delivery.event.id == events[11].id, release.items.isEmpty {
                            held.record(true)
                            try await eventually("let go") { !release.items.isEmpty }
                        }
                        try await leaveEffects(of: [delivery.event], in: database)
                        seen.record(delivery.event.id)
                    }
                    try await withServices([consumer]) {
                        try await eventually("one is held up, others are done") { !held.items.isEmpty && !seen.items.isEmpty }
                        proxy.cut()
                        release.record(true)
                        // Its first handling is acknowledged to a channel that is gone.
                        try await eventually("the last came twice") { seen.items.count { $0 == events[11].id } >= 2 }
                        try await eventually("all have come") { Set(seen.items).isSuperset(of: events.map(\.id)) }
                    }
                }
                #expect(seen.items.count > 12, "something came twice")
                #expect(try await database.count("SELECT count(*) AS count FROM effects") == 12)
                #expect(try await database.count("SELECT count(DISTINCT event_id) AS count FROM effects") == 12)
            }
        }
    }

    /// The pace is there to let something gather: after a full batch there is something already.
    @Test func doesNotWaitAfterAFullBatch() async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker, topology: Topology(queues: [queue]))
            let tenant = UUID()
            let events = (0..<64).map { _ in makeEvent(tenantId: tenant) }
            let calls = Recorder<Int>()
            let consumer = Consumer(broker: broker, queue: queue, batch: 16, pace: .seconds(3_600)) { calls.record($0.count) }
            let body = EventBatch.encode(events.map { String(decoding: $0.encoded(), as: UTF8.self) })
            try await withServices([publisher, consumer]) {
                try await publisher.publish(
                    OutgoingMessage(routingKey: "test.x", messageId: "m", contentType: EventBatch.contentType, body: body))
                try await eventually("all are handled") { calls.items == [16, 16, 16, 16] }
            }
        }
    }

    @Test func parksWhatIsNoBatchWithItsReason() async throws {
        try await TestBroker.withBroker(queues: [queue]) { broker in
            let publisher = Publisher(broker: broker, topology: Topology(queues: [queue]))
            let event = makeEvent()
            let seen = Recorder<UUID>()
            let bodies = [Array("[]".utf8), EventBatch.encode(["7", String(decoding: event.encoded(), as: UTF8.self)])]
            try await withServices([publisher, Consumer(broker: broker, queue: queue) { seen.record($0.event.id) }]) {
                for (index, body) in bodies.enumerated() {
                    try await publisher.publish(
                        OutgoingMessage(
                            routingKey: "test.x", messageId: "batch-\(index)", contentType: EventBatch.contentType, body: body))
                }
                try await eventually("the event among them is handled") { seen.items == [event.id] }
                try await eventually("the others are parked") {
                    try await ParkingLot(broker: broker).list(queue: queue.name).count == 2
                }
            }
            let parked = try await ParkingLot(broker: broker).list(queue: queue.name)
            #expect(Set(parked.map(\.messageId)) == ["batch-0", "batch-1/0"])
            #expect(Set(parked.map(\.body)) == ["[]", "7"])
        }
    }

    private struct Refusal: Error {}
}
