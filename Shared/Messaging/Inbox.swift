import ConcurrencySupport
public import FoundationEssentials
public import Lifecycle
public import Observability
public import PostgresStore

/// Remembers which events a consumer has had its effect from, so that a repeat has none (design §3, law 2).
public enum Inbox {
    /// SQL for a migration: a tenant's table under row-level security; `system` sweeps it.
    public static func schemaV1(app: String, system: String) -> String {
        """
        CREATE TABLE inbox (
            tenant_id uuid NOT NULL,
            consumer text NOT NULL,
            event_id uuid NOT NULL,
            received_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, consumer, event_id)
        );
        CREATE INDEX inbox_received ON inbox (received_at);

        """
            + TenantTable.secure(
                "inbox", app: app, system: system, appPrivileges: "SELECT, INSERT", systemPrivileges: "SELECT, DELETE")
    }

    /// Claims the event for this consumer, in the transaction that has the effect. The transaction's tenant must be the event's.
    ///
    /// Of two transactions that claim at the same time the second waits for the first: if that one commits it gets `false`.
    ///
    /// - Returns: `false` when the event has been seen: do nothing and return, so that it is acknowledged.
    public static func claim(_ event: CloudEvent, consumer: String, in transaction: Transaction) async throws -> Bool {
        try await claim(eventId: event.id, tenantId: event.tenantId, consumer: consumer, in: transaction)
    }

    /// The same for whoever has no more than the event's id.
    public static func claim(
        eventId: UUID, tenantId: UUID, consumer: String, in transaction: Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            INSERT INTO inbox (tenant_id, consumer, event_id) VALUES (\(tenantId), \(consumer), \(eventId))
            ON CONFLICT DO NOTHING
            """) == 1
    }

    /// The same for several events of the transaction's tenant, in one statement.
    ///
    /// - Returns: the ids of those that have not been seen.
    public static func claim(
        _ events: [CloudEvent], consumer: String, in transaction: Transaction
    ) async throws -> Set<UUID> {
        let rows = try await transaction.query(
            """
            INSERT INTO inbox (tenant_id, consumer, event_id)
            SELECT e.tenant_id, \(consumer), e.id
            FROM unnest(\(events.map(\.tenantId))::uuid[], \(events.map(\.id))::uuid[]) AS e (tenant_id, id)
            -- Two that claim the same events in another order would each wait for the other.
            ORDER BY e.id
            ON CONFLICT DO NOTHING
            RETURNING event_id
            """)
        return Set(try rows.map { try $0.decode("event_id", as: UUID.self) })
    }

    /// Forgets what was received longer ago than `age`, which must exceed the time for which outboxes keep their rows.
    ///
    /// - Returns: how many rows went.
    public static func sweep(using system: Database, olderThan age: Duration = .seconds(7 * 86_400)) async throws -> Int {
        var total = 0
        while true {
            let count = try await system.query(
                """
                DELETE FROM inbox WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM inbox WHERE received_at < app_now() - make_interval(secs => \(age.inSeconds))
                    ORDER BY received_at LIMIT 1000))
                """
            ).affectedRows
            total += count
            if count < 1_000 { return total }
        }
    }
}

/// Sweeps the inbox once an hour.
public struct InboxSweeper: Service {
    private let system: Database
    private let logger: Logger

    public init(system: Database, logger: Logger) {
        self.system = system
        self.logger = logger
    }

    public func run() async throws {
        await repeating(every: .seconds(3_600), logger: logger, failure: "the inbox could not be swept") { [system] in
            _ = try await Inbox.sweep(using: system)
        }
    }
}
