import FoundationEssentials
import Lifecycle
import Observability

/// Removes what nobody will ask for again: uploads that were announced and never completed, and objects that no asset has any more.
struct AssetSweeper: Service {
    /// After an upload's URL has ended; whoever is slow may still complete.
    static let patience = Duration.seconds(24 * 3_600)

    let store: AssetSweeperStore
    let objects: any ObjectStore
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(600), logger: logger, failure: "assets could not be swept", sweep)
    }

    func sweep() async throws {
        for upload in try await store.abandoned(after: Self.patience) {
            try await objects.discard(upload.id)
            // Where its completion died half-way.
            if try await store.forget(upload) { try await objects.remove(upload.id) }
        }
        for object in try await store.garbage() {
            do {
                try await objects.remove(object.id)
                try await store.forgetGarbage(object)
            } catch {
                // It keeps no other.
                try Task.checkCancellation()
                logger.warning(
                    "an object could not be removed", ["object": object.id.text, "error": "\(error)"])
            }
        }
        // Older than any upload that may still be completed.
        try await objects.sweep(olderThan: .seconds(AssetUpload.partsLifetime) + Self.patience)
    }
}
