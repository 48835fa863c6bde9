import FoundationEssentials
import PostgresStore

/// The keeper's SQL. The system role finds which tenant has work; the work runs as `app`, for that tenant.
struct LedgerKeeperStore: Sendable {
    /// What only one replica does at a time.
    enum Task: Int64, Sendable {
        case sweep = 0x6169_7377
        case erasure = 0x6169_6572
    }

    let app: Database
    let system: Database

    func ping() async throws { try await system.ping() }

    /// Does nothing where another replica is at it.
    func alone(_ task: Task, _ body: @Sendable () async throws -> Void) async throws {
        try await system.transaction { transaction in
            let isMine: Bool = try await transaction.query("SELECT pg_try_advisory_xact_lock(\(task.rawValue)) AS mine").only
                .decode("mine")
            if isMine { try await body() }
        }
    }

    func lostReservations(limit: Int) async throws -> [LostReservations] {
        try await system.query(
            """
            SELECT tenant_id, array_agg(operation_id) AS operations, array_agg(step) AS steps FROM (
                SELECT r.tenant_id, r.operation_id, r.step FROM ai_reservations r LEFT JOIN ai_desks d ON d.desk_id = r.desk_id
                WHERE r.lease_until < app_now() OR coalesce(d.alive_until < app_now(), true) LIMIT \(limit)
            ) lost GROUP BY tenant_id
            """
        ).map {
            LostReservations(
                tenantId: try $0.decode("tenant_id"), operations: try $0.decode("operations"), steps: try $0.decode("steps"))
        }
    }

    /// Looks again: whoever was settled meanwhile is not swept.
    func sweep(_ lost: LostReservations) async throws -> Int {
        try await app.query("SELECT ai_sweep(\(lost.operations), \(lost.steps)) AS count", tenant: lost.tenantId).only
            .decode("count")
    }

    /// Those that were silent for long and hold nothing.
    func forgetDesks() async throws {
        try await system.query(
            """
            DELETE FROM ai_desks d WHERE d.alive_until < app_now() - interval '10 minutes'
                AND NOT EXISTS (SELECT FROM ai_reservations r WHERE r.desk_id = d.desk_id)
            """)
    }

    /// Those with rows in the ledger: from one to the next by the key, however many rows each has.
    func tenants() async throws -> [UUID] {
        try await system.query(
            """
            WITH RECURSIVE tenant AS (
                (SELECT tenant_id FROM ai_completions ORDER BY tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT c.tenant_id FROM ai_completions c WHERE c.tenant_id > t.tenant_id ORDER BY c.tenant_id LIMIT 1)
                FROM tenant t WHERE t.tenant_id IS NOT NULL
            )
            SELECT tenant_id FROM tenant WHERE tenant_id IS NOT NULL
            """
        ).map { try $0.decode("tenant_id") }
    }

    /// - Returns: how many rows lost text.
    func eraseDue(of tenantId: UUID, limit: Int) async throws -> Int {
        try await app.query("SELECT ai_erase_due(\(limit)) AS count", tenant: tenantId).only.decode("count")
    }

    /// Takes a lock of its own.
    func makePartitions(monthsAhead: Int) async throws {
        try await system.query("SELECT ai_ledger_partitions(app_now(), \(monthsAhead)::int)")
    }
}
