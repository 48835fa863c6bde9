import DTO
import Messaging

/// The trace of what happened to a tenant's contents, from which the dashboards are made (seed 000 §18): one row per event, however often
/// the event comes.
struct ContentActivityConsumer: Sendable {
    let store: ContentActivityStore

    /// - Parameter events: of one tenant.
    func record(_ events: [CloudEvent]) async throws {
        try await store.insertOnce(
            events.map { ContentActivity(event: $0, draft: try $0.decode(ContentDraftCreated.self)) })
    }
}

/// A draft was made.
struct ContentActivity: Sendable {
    let event: CloudEvent
    let draft: ContentDraftCreated
}
