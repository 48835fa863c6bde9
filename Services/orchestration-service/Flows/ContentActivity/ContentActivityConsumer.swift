import DTO
import Messaging

/// The trace of what happened to a tenant's contents, from which the dashboards are made (seed 000 §18): one row per event, however often
/// the event comes.
struct ContentActivityConsumer: Sendable {
    let store: ContentActivityStore

    /// - Parameter events: of one tenant.
    func record(_ events: [CloudEvent]) async throws {
        try await store.insertOnce(
            events.map { event in
                do {
                    return ContentActivity(event: event, draft: try event.decode(ContentDraftCreated.self))
                } catch {
                    throw PermanentFailure(reason: "data is not that of \(event.type): \(error)")
                }
            })
    }
}

/// A draft was made.
struct ContentActivity: Sendable {
    let event: CloudEvent
    let draft: ContentDraftCreated
}
