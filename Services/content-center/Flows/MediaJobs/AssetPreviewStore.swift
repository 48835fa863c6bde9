import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import PostgresStore

/// The SQL of previews.
extension MediaAttempt {
    private static let previewsStep = "previews"

    /// An earlier attempt has kept them.
    var hasPreviews: Bool { get throws { try context.result(of: Self.previewsStep, as: Int.self) != nil } }

    /// The asset that is to have some.
    func previewed() throws -> UUID { try JSON.decode(AssetPreviewOrder.self, from: context.payload.bytes).assetId }

    func keep(_ previews: [StoredPreview], of asset: UUID) async throws {
        try await context.transactionalStep(Self.previewsStep) { transaction in
            let isThere = try await transaction.query(
                "SELECT FROM content_assets WHERE tenant_id = \(context.tenant) AND id = \(asset) FOR KEY SHARE")
            guard !isThere.isEmpty else { return 0 }
            for preview in previews {
                try transaction.enqueue(
                    """
                    INSERT INTO asset_previews (tenant_id, asset_id, kind, object_id, media_type, width, height)
                    VALUES (\(context.tenant), \(asset), \(preview.kind.rawValue), \(preview.object), \(preview.mediaType),
                        \(preview.width), \(preview.height))
                    """)
            }
            try await ObjectGarbage.claim(previews.map(\.object), of: context.tenant, in: transaction)
            return previews.count
        }
    }
}

struct AssetPreviewOrder: Codable, Sendable, Equatable {
    let assetId: UUID
}

extension MediaWorkStore {
    /// What the worker runs for previews. A file that cannot be shown has none.
    func handler(_ previews: AssetPreviews) -> JobWorker.Handler {
        { context in
            do {
                try await previews.make(MediaAttempt(context: context, store: self))
                return nil
            } catch let failure as MediaFailure {
                throw PermanentJobFailure(failure.rawValue)
            } catch let trouble as MediaTrouble where context.attempt >= MediaTrouble.mostAttempts {
                throw PermanentJobFailure("\(trouble)")
            } catch let refusal as FFmpegRefusal {
                throw PermanentJobFailure("\(refusal)")
            }
        }
    }
}
