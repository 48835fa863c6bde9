import ConcurrencySupport
import FoundationEssentials
import Observability
public import PostgresStore

/// Events wait in a table until the broker has confirmed them, so that a state and its message change in one transaction (design §3,
/// law 2).
public enum Outbox {
    /// SQL for a migration. The table is global, not a tenant's: `app` may only insert, `system` reads, marks and sweeps.
    public static func schemaV1(app: String, system: String) -> String {
        """
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            event_id uuid NOT NULL,
            tenant_id uuid NOT NULL,
            type text NOT NULL,
            subject text,
            event json NOT NULL,
            appended_at timestamptz NOT NULL DEFAULT app_now(),
            attempts integer NOT NULL DEFAULT 0,
            failure text,
            next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
            confirmed_at timestamptz
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
        CREATE INDEX outbox_pending ON outbox (id) WHERE confirmed_at IS NULL;
        CREATE INDEX outbox_pending_subject ON outbox (subject, id) WHERE confirmed_at IS NULL;
        CREATE INDEX outbox_confirmed ON outbox (confirmed_at) WHERE confirmed_at IS NOT NULL;
        GRANT INSERT ON outbox TO "\(app)";
        GRANT SELECT, UPDATE, DELETE ON outbox TO "\(system)";

        """
    }

    /// SQL for a migration after ``schemaV1(app:system:)``: an index over the rows that wait for another attempt, which are few, in place
    /// of one over all that are pending, which every event had to enter and leave.
    public static func schemaV2() -> String {
        """
        -- First what takes the whole table: a relay that reads it now and writes to it next would wait for this, and this for the relay.
        DROP INDEX outbox_pending_subject;
        CREATE INDEX outbox_postponed ON outbox (subject, id) WHERE confirmed_at IS NULL AND next_attempt_at > '-infinity';

        """
    }

    /// SQL for a migration after ``schemaV2()``: room beside each row for its confirmed version. A row that stays on its page is logged by
    /// what changed of it, one that leaves it as a whole, with its event.
    public static func schemaV3() -> String { "ALTER TABLE outbox SET (fillfactor = 50);\n" }

    /// Adds events to the transaction; they ride with its next statement or its commit.
    ///
    /// Events of one subject are published in the order in which they were appended, if every transaction that appends for a subject
    /// locks the aggregate's row first: then their ids grow in the order of the commits. Call ``OutboxRelay/wake()`` after the commit.
    public static func append(_ events: [CloudEvent], in transaction: Transaction) async throws {
        guard !events.isEmpty else { return }
        try transaction.enqueue(
            """
            INSERT INTO outbox (event_id, tenant_id, type, subject, event)
            SELECT event_id, tenant_id, type, subject, event::json
            FROM unnest(
                \(events.map(\.id))::uuid[], \(events.map(\.tenantId))::uuid[], \(events.map(\.type))::text[],
                \(events.map(\.subject))::text[], \(events.map { String(decoding: $0.encoded(), as: UTF8.self) })::text[]
            ) WITH ORDINALITY AS e (event_id, tenant_id, type, subject, event, position)
            ORDER BY position
            """)
    }
}

/// The rows as the relay sees them.
struct OutboxRow: Sendable {
    let id: Int64
    let eventId: UUID
    let subject: String?
    let type: String
    let event: String

    /// Of one type. Their bytes go out as they are.
    static func message(of rows: some Collection<OutboxRow>) throws -> OutgoingMessage? {
        guard let first = rows.first else { return nil }
        guard rows.count > 1 else { return try first.message() }
        return OutgoingMessage(
            routingKey: first.type, messageId: first.eventId.text, contentType: EventBatch.contentType,
            body: EventBatch.encode(rows.map(\.event)))
    }

    /// The stored bytes go out as they are; only the headers are read from them.
    private func message() throws -> OutgoingMessage {
        let body = Array(event.utf8)
        var message = OutgoingMessage(try CloudEvent(decoding: body))
        message.body = body
        return message
    }
}

extension OutboxRow {
    init(_ row: Row) throws {
        self.init(
            id: try row.decode("id"), eventId: try row.decode("event_id"), subject: try row.decode("subject"),
            type: try row.decode("type"), event: try row.decode("event"))
    }
}

/// The relay's SQL. Every statement runs as the `system` role.
struct OutboxStore: Sendable {
    let database: Database

    /// One cheap look, by index: the relay's poll.
    func hasDueRows() async throws -> Bool {
        let rows = try await database.query(
            "SELECT EXISTS (SELECT FROM outbox WHERE confirmed_at IS NULL AND next_attempt_at <= app_now()) AS due")
        return try rows.first?.decode("due", as: Bool.self) ?? false
    }

    /// One relay per database at a time; held to the end of the transaction.
    func lock(in transaction: Transaction) async throws -> Bool { try Self.isHeld(try await transaction.query(Self.lockRelay)) }

    /// Both in one round trip.
    ///
    /// - Parameter needsDisk: whether what the transaction writes must be on disk when it is over.
    /// - Returns: `nil` when another relay holds the lock.
    func lockedDueRows(limit: Int, needsDisk: Bool, in transaction: Transaction) async throws -> [OutboxRow]? {
        let results = try await transaction.pipeline([
            Self.lockRelay, needsDisk ? Self.useIndexes : Self.useIndexesAndNoDisk, Self.dueRows(limit: limit),
        ])
        guard results.count == 3, try Self.isHeld(results[0]) else { return nil }
        return try results[2].map { try OutboxRow($0) }
    }

    private static func isHeld(_ rows: RowSet) throws -> Bool { try rows.first?.decode("is_mine", as: Bool.self) ?? false }

    private static let lockRelay: SQL = "SELECT pg_try_advisory_xact_lock(\(lockKey)) AS is_mine"
    private static let lockKey: Int64 = 0x6F75_7462_6F78  // "outbox"

    /// The plan of a prepared statement is kept from when the table was small, and would read all of it once for each row; or read the index
    /// as a bitmap, which marks no entry as dead and so meets every row that was confirmed since the last vacuum.
    private static let useIndexes: SQL = """
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
        """
    /// Where a crash of the database loses the last marks, their events are published again: a mark is not worth waiting for the disk.
    private static let useIndexesAndNoDisk = useIndexes + ", set_config('synchronous_commit', 'off', true)"

    /// Due rows in the order of their ids. It asks what is pending, not what comes after the last id: transactions commit in another
    /// order than they drew their ids, and a lower one that appears later must not be passed over.
    ///
    /// A row waits behind an earlier one of its subject that waits for its next attempt, unless nobody listens to that one.
    private static func dueRows(limit: Int) -> SQL {
        """
        -- Looked for once, not once for each row; in the order of the index that has few others.
        WITH behind AS MATERIALIZED (
            SELECT DISTINCT ON (subject) subject, id FROM outbox
            WHERE confirmed_at IS NULL AND next_attempt_at > '-infinity' AND next_attempt_at > app_now()
                AND subject IS NOT NULL AND failure IS DISTINCT FROM 'unroutable'
            ORDER BY subject, id
        )
        SELECT id, event_id, subject, type, event::text AS event FROM outbox AS o
        WHERE confirmed_at IS NULL AND next_attempt_at <= app_now()
            AND NOT EXISTS (SELECT FROM behind WHERE behind.subject = o.subject AND behind.id < o.id)
        ORDER BY id LIMIT \(limit)
        """
    }

    func markConfirmed(_ ids: [Int64], in transaction: Transaction) throws {
        guard !ids.isEmpty else { return }
        try transaction.enqueue("UPDATE outbox SET confirmed_at = app_now(), failure = NULL WHERE id = ANY(\(ids))")
    }

    /// The next attempt after 0.5 s, doubling to 32 s.
    func postpone(_ ids: [Int64], because failure: String, in transaction: Transaction) throws {
        guard !ids.isEmpty else { return }
        try transaction.enqueue(
            """
            UPDATE outbox SET attempts = attempts + 1, failure = \(failure),
                next_attempt_at = app_now() + 0.5 * 2 ^ least(attempts, 6) * interval '1 second'
            WHERE id = ANY(\(ids))
            """)
    }

    /// Takes back the confirmation of what was confirmed within the window before the last confirmation of all.
    func replayLatest(_ window: Duration, in transaction: Transaction) async throws -> Int {
        try await transaction.execute(
            """
            UPDATE outbox SET confirmed_at = NULL
            WHERE confirmed_at > (SELECT max(confirmed_at) FROM outbox WHERE confirmed_at IS NOT NULL)
                - make_interval(secs => \(window.inSeconds))
            """)
    }

    func sweep(olderThan age: Duration, limit: Int) async throws -> Int {
        try await database.query(
            """
            DELETE FROM outbox WHERE id = ANY(ARRAY(
                SELECT id FROM outbox WHERE confirmed_at < app_now() - make_interval(secs => \(age.inSeconds))
                ORDER BY confirmed_at LIMIT \(limit) FOR UPDATE SKIP LOCKED))
            """
        ).affectedRows
    }
}
