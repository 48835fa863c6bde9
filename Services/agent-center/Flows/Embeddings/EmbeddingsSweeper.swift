import Lifecycle
import Observability

/// Keeps the embedding cache within bounds: by age of the last use, and by number for each tenant.
struct EmbeddingsSweeper: Service {
    /// Days after which a vector that nobody asked for goes.
    static let days = 30
    /// Of one tenant: some 600 MB at 1,536 dimensions.
    static let most = 100_000

    let store: EmbeddingsStore
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(3_600), logger: logger, failure: "the embedding cache could not be swept") {
            try await store.sweep(days: Self.days, most: Self.most)
        }
    }
}
