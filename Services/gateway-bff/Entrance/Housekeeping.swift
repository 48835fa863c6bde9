import FoundationEssentials
import Lifecycle
import Observability
import PostgresStore

/// Tells the other replicas that this process lives, so that what it had claimed is free soon after it dies.
struct InstanceHeartbeat: Service {
    let instanceId: UUID
    let database: Database
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(2), logger: logger, failure: "the instance's heartbeat failed", beat)
        // Best effort: a dead row is swept by whoever lives.
        _ = try? await database.query("DELETE FROM gateway_instances WHERE id = \(instanceId)")
    }

    func beat() async throws {
        _ = try await database.query(
            """
            INSERT INTO gateway_instances (id, seen_at) VALUES (\(instanceId), app_now())
            ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
            """)
    }
}

/// Removes what has served its time: idempotency records and stream events after 24 hours, instances after a minute without a beat.
struct Sweeper: Service {
    let system: Database
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(600), logger: logger, failure: "what is over could not be swept", sweep)
    }

    func sweep() async throws {
        _ = try await system.query(
            """
            DELETE FROM idempotency_keys WHERE created_at < app_now() - interval '24 hours'
                AND (state <> 'in_flight' OR lease_until < app_now())
            """)
        _ = try await system.query("DELETE FROM stream_events WHERE created_at < app_now() - interval '24 hours'")
        _ = try await system.query("DELETE FROM gateway_instances WHERE seen_at < app_now() - interval '1 minute'")
    }
}

/// Answers that are kept to be repeated, of tenants whose data is gone.
struct ErasedAnswers: Sendable {
    let system: Database

    /// So many rows go in one transaction.
    static let batch = 500
    /// What answers the order itself holds nothing of the tenant's data.
    static let order = "POST /api/tenant/erasure"

    /// A repeat is a new request then, and the services take none.
    func erase(of tenantId: UUID, before time: Date) async throws {
        while try await eraseBatch(of: tenantId, before: time) {}
    }

    /// - Returns: whether there may be more.
    private func eraseBatch(of tenantId: UUID, before time: Date) async throws -> Bool {
        try await system.query(
            """
            DELETE FROM idempotency_keys WHERE tenant_id = \(tenantId) AND (principal, route, key) IN (
                SELECT principal, route, key FROM idempotency_keys
                WHERE tenant_id = \(tenantId) AND state = 'done' AND created_at < \(time) AND route <> \(Self.order)
                LIMIT \(Self.batch))
            """
        ).affectedRows == Self.batch
    }
}
