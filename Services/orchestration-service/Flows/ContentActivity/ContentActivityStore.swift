import DTO
import Messaging
import PostgresStore

struct ContentActivityStore: Sendable {
    let database: Database

    /// The effect is the record of the event: a second delivery finds its row. So one statement claims and writes, and the inbox has nothing
    /// of it.
    func insertOnce(_ activities: [ContentActivity]) async throws {
        guard let tenantId = activities.first?.event.tenantId else { return }
        _ = try await database.pipeline(
            [
                // An erasure that has begun meanwhile waits for this, or is seen: of an erased tenant nothing is kept.
                "SELECT pg_advisory_xact_lock_shared(tenant_write_lock(\(tenantId)))",
                """
                INSERT INTO content_activity
                    (tenant_id, event_id, content_id, kind, version, title, operation_id, occurred_at)
                SELECT \(tenantId), a.* FROM unnest(
                    \(activities.map(\.event.id))::uuid[], \(activities.map(\.draft.contentId))::uuid[],
                    \(activities.map(\.draft.kind))::text[], \(activities.map(\.draft.version))::integer[],
                    \(activities.map(\.draft.title))::text[], \(activities.map(\.draft.operationId))::uuid[],
                    \(activities.map(\.event.time))::timestamptz[]) AS a (event_id)
                WHERE NOT EXISTS (SELECT FROM erased_tenants WHERE tenant_id = \(tenantId))
                -- Two that write the same events in another order would each wait for the other.
                ORDER BY a.event_id
                ON CONFLICT (tenant_id, event_id) DO NOTHING
                """,
            ], tenant: tenantId)
    }
}
