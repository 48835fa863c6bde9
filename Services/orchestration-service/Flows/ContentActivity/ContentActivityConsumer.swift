import DTO
import Messaging

/// The trace of what happened to a tenant's contents, from which the dashboards are made (seed 000 §18): one row per event, however often
/// the event comes.
struct ContentActivityConsumer: Sendable {
    let store: ContentActivityStore

    func record(_ event: CloudEvent) async throws {
        let draft: ContentDraftCreated
        do {
            draft = try event.decode(ContentDraftCreated.self)
        } catch {
            throw PermanentFailure(reason: "data is not that of \(event.type): \(error)")
        }
        try await store.insertOnce(draft, from: event)
    }
}
