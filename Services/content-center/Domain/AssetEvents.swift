import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// What content-center tells of assets.
enum AssetEvent: Sendable, Equatable {
    case assetUploaded(LibraryAsset)
}

extension AssetEvent {
    /// The event as it goes into the outbox: the asset's id is the subject.
    func cloudEvent(by author: Author, at time: Date) throws -> CloudEvent {
        switch self {
        case .assetUploaded(let asset):
            let data = AssetUploaded(
                assetId: asset.id, filename: asset.filename, mediaType: asset.mediaType, size: asset.size ?? 0,
                sha256: asset.sha256 ?? "", scope: asset.scope)
            return CloudEvent(
                id: UUID.version7(), source: "content-center", type: AssetUploaded.type,
                subject: asset.id.uuidString.lowercased(),
                time: time, tenantId: author.tenantId, operationId: author.operationId, version: 1, data: try JSON.encode(data))
        }
    }
}
