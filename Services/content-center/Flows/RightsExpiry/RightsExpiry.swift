import Lifecycle
import Observability

/// Warns of rights that end, and tells when they have ended, each once: what a minute ago was not due may be now.
struct RightsExpiry: Service {
    let store: RightsExpiryStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await self.sweep() } catch {
                    self.logger.warning("rights that end could not be looked for", ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(60))
            }
        }
    }

    func sweep() async throws {
        while true {
            let due = try await store.due()
            for item in due { try await store.tell(item) }
            if due.count < RightsExpiryStore.batch { return }
        }
    }
}
