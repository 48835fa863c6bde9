import DTO
import Lifecycle
import Observability

/// Tells of the banned words that tenants set before changes of them were told.
struct BannedWordsAnnouncement: Service {
    let store: VocabularyStore
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(3_600), logger: logger, failure: "banned words could not be told of", announce)
    }

    func announce() async throws {
        for tenant in try await store.untold() {
            // Whose data goes meanwhile has none to be told of.
            do { try await store.announce(tenant) } catch is TenantErased {}
        }
    }
}
