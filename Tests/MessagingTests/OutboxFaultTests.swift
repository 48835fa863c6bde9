import ConcurrencySupport
import Foundation
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

/// The broker or the database dies at an awkward moment: events may come twice, none is lost.
@Suite(.timeLimit(.minutes(3))) struct OutboxFaultTests {
    private let queue = QueueDeclaration("faulty", bindings: ["test.#"], retry: RetryLadder([.milliseconds(100)]))

    /// Leaves one effect per event, as every consumer should.
    private func effectHandler(_ database: TestDatabase, _ seen: Recorder<UUID>) -> Consumer.Handler {
        { delivery in
            let event = delivery.event
            try await database.app.transaction(tenant: event.tenantId) { transaction in
                guard try await Inbox.claim(event, consumer: "test", in: transaction) else { return }
                try await transaction.execute(
                    "INSERT INTO effects (tenant_id, event_id) VALUES (\(event.tenantId), \(event.id))")
            }
            seen.record(event.id)
        }
    }

    @Test func relaysWhatWaitedWhileTheBrokerWasAway() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
                let publisher = Publisher(broker: broker)
                let seen = Recorder<UUID>()
                let consumer = Consumer(broker: broker, queue: queue, handler: effectHandler(database, seen))
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let events = (0..<50).map { _ in makeEvent() }
                try await withServices([publisher, consumer, relay]) {
                    proxy.stop()
                    try await eventually("the loss is noticed") { !broker.isConnected }
                    try await database.append(events)
                    relay.wake()
                    proxy.start()
                    try await eventually("all arrive") { Set(seen.items).isSuperset(of: events.map(\.id)) }
                    try await eventually("all are confirmed") { try await database.pendingRows() == 0 }
                }
                #expect(try await database.count("SELECT count(*) AS count FROM effects") == 50)
            }
        }
    }

    /// A crash between publishing and marking: the events go out again, and the inbox lets each have its effect once.
    @Test func publishesAgainWhatWasNotMarked() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
                // The consumer reads past the proxy, which will hold back confirms.
                var direct = broker.configuration
                direct.url = try TestBroker.url()
                let publisher = Publisher(broker: broker)
                let seen = Recorder<UUID>()
                let consumer = Consumer(
                    broker: Broker(direct, name: "direct", logger: .silent), queue: queue, handler: effectHandler(database, seen))
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let events = (0..<20).map { _ in makeEvent() }
                try await withServices([publisher, consumer, relay]) {
                    // Once this is confirmed nothing of the connection's beginning waits for an answer any more.
                    try await publisher.publish(OutgoingMessage(makeEvent()))
                    proxy.stall(true)
                    try await database.append(events)
                    relay.wake()
                    try await eventually("published, not confirmed") { Set(seen.items).isSuperset(of: events.map(\.id)) }
                    #expect(try await database.pendingRows() == 20)
                    // The relay's transaction dies with its connection.
                    try await database.superuser.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND state = 'idle in transaction'
                        """)
                    proxy.stall(false)
                    try await eventually("all are marked") { try await database.pendingRows() == 0 }
                    try await eventually("they came twice") { seen.items.count >= 41 }
                }
                #expect(try await database.count("SELECT count(*) AS count FROM effects") == 21)
                #expect(try await database.count("SELECT count(DISTINCT event_id) AS count FROM effects") == 21)
            }
        }
    }

    /// A quorum queue that is younger than about a second when its broker dies forgets what it confirmed (design §9).
    @Test func publishesTheLatestAgainAfterAReconnect() async throws {
        let (proxy, url) = try makeProxy()
        defer { proxy.end() }
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue], configure: { $0.url = url }) { broker in
                var direct = broker.configuration
                direct.url = try TestBroker.url()
                let administrator = Broker(direct, name: "administrator", logger: .silent)
                let publisher = Publisher(broker: broker)
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let seen = Recorder<UUID>()
                let consumer = Consumer(broker: administrator, queue: queue, handler: effectHandler(database, seen))
                let event = makeEvent()
                try await withServices([publisher, relay]) {
                    try await database.append([event])
                    try await eventually("it is confirmed") { try await database.confirmedRows() == 1 }
                    // Nobody has consumed it, and the queue is made anew without it.
                    let topology = Topology(exchanges: [], queues: [queue])
                    try await administrator.delete(topology, keepingExchanges: true)
                    try await administrator.declare(topology)
                    proxy.cut()
                    try await withServices([consumer]) {
                        try await eventually("it comes again") { seen.items.contains(event.id) }
                    }
                }
            }
        }
    }

    @Test func survivesTheDatabaseLosingEveryConnection() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let publisher = Publisher(broker: broker)
                let seen = Recorder<UUID>()
                let consumer = Consumer(broker: broker, queue: queue, handler: effectHandler(database, seen))
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let appended = Recorder<UUID>()
                try await withServices([publisher, consumer, relay]) {
                    for _ in 0..<10 {
                        let batch = (0..<20).map { _ in makeEvent() }
                        try await eventually("appended") {
                            do {
                                try await database.append(batch)
                                return true
                            } catch let error as PostgresError where error.isConnectionLoss {
                                return false
                            }
                        }
                        for event in batch { appended.record(event.id) }
                        relay.wake()
                        try await database.superuser.query(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = current_database() AND pid <> pg_backend_pid()
                            """)
                    }
                    try await eventually("all have their effect", within: .seconds(40)) {
                        Set(seen.items).isSuperset(of: appended.items)
                    }
                    try await eventually("all are confirmed") { try await database.pendingRows() == 0 }
                }
                let effects = try await database.count("SELECT count(*) AS count FROM effects")
                let events = try await database.count("SELECT count(DISTINCT event_id) AS count FROM effects")
                #expect(effects == events)
                #expect(effects >= 200)
            }
        }
    }
}
