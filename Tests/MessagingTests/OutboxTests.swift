import ConcurrencySupport
import Foundation
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct OutboxTests {
    private struct Rollback: Error {}

    private let queue = QueueDeclaration("relayed", bindings: ["test.#"], retry: RetryLadder([]))

    @Test func keepsEventsOnlyOfTransactionsThatCommit() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            await #expect(throws: Rollback.self) {
                try await database.app.transaction { transaction in
                    try await Outbox.append([makeEvent()], in: transaction)
                    try await transaction.query("SELECT 1")
                    throw Rollback()
                }
            }
            #expect(try await database.pendingRows() == 0)
            let events = (1...3).map { makeEvent(subject: "s", version: Int64($0)) }
            try await database.append(events)
            let rows = try await database.superuser.query(
                "SELECT event_id, tenant_id, event::text AS event FROM outbox ORDER BY id")
            #expect(try rows.map { try $0.decode("event_id", as: UUID.self) } == events.map(\.id))
            #expect(try rows.map { try $0.decode("tenant_id", as: UUID.self) } == events.map(\.tenantId))
            #expect(try rows.map { Array(try $0.decode("event", as: String.self).utf8) } == events.map { $0.encoded() })
        }
    }

    @Test func marksEventsWhereTheyStand() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let text = String(repeating: "x", count: 600)
                try await database.append((0..<30).map { _ in makeEvent(data: "\"\(text)\"") })
                let places: SQL = "SELECT id || ' on ' || (ctid::text::point)[0] AS place FROM outbox ORDER BY id"
                let before = try await database.superuser.query(places).map { try $0.decode("place", as: String.self) }
                let publisher = Publisher(broker: broker)
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                try await withServices([publisher, relay]) {
                    try await eventually("all are confirmed") { try await database.confirmedRows() == 30 }
                }
                let after = try await database.superuser.query(places).map { try $0.decode("place", as: String.self) }
                #expect(after == before)
            }
        }
    }

    @Test func isWriteOnlyForTheAppRole() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await database.append([makeEvent()])
            for sql: SQL in ["SELECT * FROM outbox", "UPDATE outbox SET attempts = 1", "DELETE FROM outbox"] {
                await #expect {
                    try await database.app.query(sql)
                } throws: { error in
                    (error as? PostgresError)?.isInsufficientPrivilege == true
                }
            }
        }
    }

    @Test func publishesInTheOrderOfTheSubjectWithTwoRelaysAtWork() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let publisher = Publisher(broker: broker)
                let seen = Recorder<CloudEvent>()
                let consumer = Consumer(broker: broker, queue: queue, prefetch: 200) { seen.record($0.event) }
                let relays = (0..<2).map { _ in OutboxRelay(system: database.system, publisher: publisher, logger: .silent) }
                let subjects = ["a", "b", "c", "d", "e"]
                try await withServices([publisher, consumer] + relays) {
                    // Appended while both relays run; 1,000 rows are several batches.
                    for first in stride(from: 1, through: 200, by: 20) {
                        let events = (first..<first + 20).flatMap { version in
                            subjects.map { makeEvent(subject: $0, version: Int64(version)) }
                        }
                        try await database.append(events)
                        for relay in relays { relay.wake() }
                    }
                    try await eventually("all rows are confirmed") { try await database.confirmedRows() == 1_000 }
                    try await eventually("all events arrive") { Set(seen.items.map(\.id)).count == 1_000 }
                }
                for subject in subjects {
                    // The first sight of each event counts: a relay that takes over publishes the latest ones again.
                    var known: Set<UUID> = []
                    let versions = seen.items.filter { $0.subject == subject && known.insert($0.id).inserted }.map(\.version)
                    #expect(versions == Array(1...200))
                }
            }
        }
    }

    @Test func leavesTheWorkToWhoeverHoldsTheLock() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { own in
                let metrics = MetricsRegistry()
                let broker = Broker(own.configuration, name: "yielding", logger: .silent, metrics: metrics)
                let publisher = Publisher(broker: broker)
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                try await withServices([publisher, relay]) {
                    try await database.superuser.transaction { transaction in
                        // As another process's relay would hold it while it publishes.
                        try await transaction.query("SELECT pg_advisory_xact_lock(x'6f7574626f78'::bigint)")
                        try await database.append([makeEvent()])
                        relay.wake()
                        let yielded = metrics.counter("messaging_outbox_yielded_total", help: "")
                        let before = yielded.value()
                        try await eventually("three rounds have left it alone") { yielded.value() >= before + 3 }
                        #expect(try await database.pendingRows() == 1)
                    }
                    try await eventually("it is relayed once the lock is free") { try await database.confirmedRows() == 1 }
                }
            }
        }
    }

    /// The mark of a published event may get lost; what takes marks back may not.
    @Test func waitsForTheDiskOnlyWhereItReplays() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                for sql: SQL in [
                    "CREATE TABLE commits (synchronous text NOT NULL)",
                    """
                    CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                        INSERT INTO commits VALUES (current_setting('synchronous_commit')); RETURN NULL;
                    END $$
                    """,
                    """
                    CREATE TRIGGER noted AFTER UPDATE ON outbox FOR EACH ROW
                    WHEN (NEW.confirmed_at IS NOT NULL) EXECUTE FUNCTION note_commit()
                    """,
                ] { try await database.superuser.query(sql) }
                let publisher = Publisher(broker: broker)
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                // It is there when the relay sees its first connection, after which it replays.
                try await database.append([makeEvent()])
                try await withServices([publisher, relay]) {
                    try await eventually("the first is confirmed") { try await database.confirmedRows() == 1 }
                    try await database.append([makeEvent()])
                    relay.wake()
                    try await eventually("the second is confirmed") { try await database.confirmedRows() == 2 }
                }
                let noted = try await database.superuser.query("SELECT synchronous FROM commits")
                #expect(try noted.map { try $0.decode("synchronous", as: String.self) } == ["on", "off"])
            }
        }
    }

    /// Ids come from a sequence before the commit, so a lower one can appear after a higher one has been relayed.
    @Test func doesNotPassOverARowThatCommitsLate() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let publisher = Publisher(broker: broker)
                let seen = Recorder<UUID>()
                let consumer = Consumer(broker: broker, queue: queue) { seen.record($0.event.id) }
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let (late, early) = (makeEvent(subject: "late"), makeEvent(subject: "early"))
                try await withServices([publisher, consumer, relay]) {
                    try await database.app.transaction { transaction in
                        try await Outbox.append([late], in: transaction)
                        try await transaction.query("SELECT 1")  // the row has its id now
                        try await database.append([early])
                        try await eventually("the higher id is relayed") { seen.items.contains(early.id) }
                        #expect(!seen.items.contains(late.id))
                    }
                    try await eventually("the lower id is relayed too") { seen.items.contains(late.id) }
                }
                let ids = try await database.superuser.query("SELECT event_id FROM outbox ORDER BY id")
                #expect(try ids.map { try $0.decode("event_id", as: UUID.self) } == [late.id, early.id])
            }
        }
    }

    @Test func doesNotLetAnEventThatNobodyHearsHoldUpOthers() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let publisher = Publisher(broker: broker)
                let seen = Recorder<UUID>()
                let handler: Consumer.Handler = { seen.record($0.event.id) }
                let consumer = Consumer(broker: broker, queue: queue, handler: handler)
                let relay = OutboxRelay(system: database.system, publisher: publisher, logger: .silent)
                let unheard = makeEvent("unheard.of.v1", subject: "s")
                let heard = makeEvent(subject: "s")
                try await withServices([publisher, consumer, relay]) {
                    try await database.append([unheard, heard])
                    try await eventually("the other is relayed") { seen.items == [heard.id] }
                    try await eventually("one is waiting") {
                        try await database.count("SELECT count(*) AS count FROM outbox WHERE failure = 'unroutable'") == 1
                    }
                    // Somebody begins to listen: it arrives with its next attempt.
                    let listener = QueueDeclaration("listener", bindings: ["unheard.#"], retry: RetryLadder([]))
                    try await withServices([Consumer(broker: broker, queue: listener, handler: handler)]) {
                        try await eventually("it arrives in the end") { seen.items.contains(unheard.id) }
                        try await eventually("it is confirmed") { try await database.pendingRows() == 0 }
                    }
                    try await broker.delete(Topology(exchanges: [], queues: [listener]), keepingExchanges: true)
                }
            }
        }
    }

    @Test func keepsConfirmedRowsForTheirRetentionAndThenSweepsThem() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            try await TestBroker.withBroker(queues: [queue]) { broker in
                let publisher = Publisher(broker: broker)
                let makeRelay = { OutboxRelay(system: database.system, publisher: publisher, logger: .silent) }
                try await withServices([publisher, makeRelay()]) {
                    try await database.append([makeEvent(), makeEvent()])
                    try await eventually("both are confirmed") { try await database.confirmedRows() == 2 }
                }
                try await database.setClock(offset: .seconds(23 * 3_600))
                // Nobody is connected, so these relays only sweep. One row is old enough: when it is gone, a sweep has been.
                try await database.append([makeEvent()])
                try await database.superuser.query(
                    "UPDATE outbox SET confirmed_at = app_now() - interval '25 hours' WHERE confirmed_at IS NULL")
                try await withServices([makeRelay()]) {
                    try await eventually("the old row is swept") { try await database.confirmedRows() < 3 }
                }
                #expect(try await database.confirmedRows() == 2)
                try await database.append([makeEvent()])
                try await database.setClock(offset: .seconds(25 * 3_600))
                try await withServices([makeRelay()]) {
                    try await eventually("confirmed rows are swept") { try await database.confirmedRows() == 0 }
                }
                #expect(try await database.pendingRows() == 1)
            }
        }
    }
}
