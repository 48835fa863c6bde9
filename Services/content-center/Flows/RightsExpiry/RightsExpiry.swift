import FoundationEssentials
import Lifecycle
import Observability

/// Warns of rights that end, and tells when they have ended, each once: what a minute ago was not due may be now.
struct RightsExpiry: Service {
    let store: RightsExpiryStore
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(60), logger: logger, failure: "rights that end could not be looked for", sweep)
    }

    func sweep() async throws {
        while true {
            let due = try await store.due()
            var told = 0
            for item in due {
                do {
                    try await store.tell(item)
                    told += 1
                } catch {
                    try Task.checkCancellation()
                    // It must not keep the others' warnings.
                    logger.warning(
                        "of rights that end nothing could be told",
                        ["asset": item.id.text, "error": "\(error)"])
                }
            }
            if told == 0 || due.count < RightsExpiryStore.batch { return }
        }
    }
}
