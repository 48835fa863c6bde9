import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// What content-center tells of assets.
enum AssetEvent: Sendable, Equatable {
    case assetUploaded(LibraryAsset)
    /// Its rights end within so many days; with 0 they have ended.
    case rightsEnd(LibraryAsset, holder: String, expiresAt: Date, days: Int, contents: Int)
}

extension AssetEvent {
    /// The event as it goes into the outbox: the asset's id is the subject and its revision the aggregate's version.
    func cloudEvent(by author: Author, at time: Date) throws -> CloudEvent {
        switch self {
        case .assetUploaded(let asset):
            let data = AssetUploaded(
                assetId: asset.id, filename: asset.filename, mediaType: asset.mediaType, size: asset.size ?? 0,
                sha256: asset.sha256 ?? "", scope: asset.scope)
            return try event(AssetUploaded.type, of: asset, at: time, data, by: author)
        case .rightsEnd(let asset, let holder, let expiresAt, 0, let contents):
            let data = AssetRightsExpired(
                assetId: asset.id, filename: asset.filename, holder: holder, expiresAt: expiresAt, contents: contents)
            return try event(AssetRightsExpired.type, of: asset, at: time, data, by: author)
        case .rightsEnd(let asset, let holder, let expiresAt, let days, let contents):
            let data = AssetRightsExpiring(
                assetId: asset.id, filename: asset.filename, holder: holder, expiresAt: expiresAt, days: days, contents: contents)
            return try event(AssetRightsExpiring.type, of: asset, at: time, data, by: author)
        }
    }

    private func event(
        _ type: String, of asset: LibraryAsset, at time: Date, _ data: some Encodable, by author: Author
    ) throws -> CloudEvent {
        CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: asset.id.uuidString.lowercased(), time: time,
            tenantId: author.tenantId, operationId: author.operationId, version: Int64(asset.revision),
            data: try JSON.encode(data))
    }
}
