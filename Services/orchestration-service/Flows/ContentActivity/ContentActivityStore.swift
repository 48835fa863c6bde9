import DTO
import Messaging
import PostgresStore
import ServiceDefaults

struct ContentActivityStore: Sendable {
    let database: Database

    /// The event's id is claimed in the transaction of its effect: both happen or neither, and a second delivery finds the claim.
    func insertOnce(_ draft: ContentDraftCreated, from event: CloudEvent) async throws {
        try await database.transaction(tenant: event.tenantId) { transaction in
            guard try await Inbox.claim(event, consumer: QueueDeclaration.contentActivity.name, in: transaction) else { return }
            // Rides with the commit.
            try transaction.enqueue(
                """
                INSERT INTO content_activity
                    (tenant_id, event_id, content_id, kind, version, title, operation_id, occurred_at)
                VALUES
                    (\(event.tenantId), \(event.id), \(draft.contentId), \(draft.kind), \(draft.version), \(draft.title),
                     \(draft.operationId), \(event.time))
                """)
        }
    }
}
