import DTO
import Messaging
import PostgresStore
import ServiceDefaults

struct ContentActivityStore: Sendable {
    let database: Database

    /// The events' ids are claimed in the transaction of their effect: both happen or neither, and a second delivery finds the claim.
    func insertOnce(_ activities: [ContentActivity]) async throws {
        guard let tenantId = activities.first?.event.tenantId else { return }
        try await database.transaction(tenant: tenantId) { transaction in
            var claimed = try await Inbox.claim(
                activities.map(\.event), consumer: QueueDeclaration.contentActivity.name, in: transaction)
            // The same event may be among them twice.
            let new = activities.filter { claimed.remove($0.event.id) != nil }
            guard !new.isEmpty else { return }
            // Both ride with the commit. An erasure that has begun meanwhile waits for it, or is seen: of an erased tenant nothing is kept.
            try transaction.enqueue("SELECT pg_advisory_xact_lock_shared(tenant_write_lock(\(tenantId)))")
            try transaction.enqueue(
                """
                INSERT INTO content_activity
                    (tenant_id, event_id, content_id, kind, version, title, operation_id, occurred_at)
                SELECT \(tenantId), a.* FROM unnest(
                    \(new.map(\.event.id))::uuid[], \(new.map(\.draft.contentId))::uuid[], \(new.map(\.draft.kind))::text[],
                    \(new.map(\.draft.version))::integer[], \(new.map(\.draft.title))::text[],
                    \(new.map(\.draft.operationId))::uuid[], \(new.map(\.event.time))::timestamptz[]) AS a
                WHERE NOT EXISTS (SELECT FROM erased_tenants WHERE tenant_id = \(tenantId))
                """)
        }
    }
}
