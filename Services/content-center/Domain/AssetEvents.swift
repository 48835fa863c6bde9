import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import Observability
import PostgresStore

/// What content-center tells of assets.
enum AssetEvent: Sendable, Equatable {
    case assetUploaded(LibraryAsset)
    /// Its rights end within so many days; with 0 they have ended. Every member gets to see the event: of an asset that is for some of them
    /// it says neither its name nor whose it is.
    case rightsEnd(LibraryAsset, forEverybody: Bool, expiresAt: Date, days: Int, contents: Int, notices: Int)
    /// One step of a renaming.
    case tagsRenamed(AssetTagsRenamed)
}

extension AssetEvent {
    /// The event as it goes into the outbox: the asset's id is the subject, and its revision, with what was told of it besides, the
    /// aggregate's version. A step of a renaming is a subject of its own.
    func cloudEvent(by author: Author, at time: Date) throws -> CloudEvent {
        switch self {
        case .assetUploaded(let asset):
            let data = AssetUploaded(
                assetId: asset.id, filename: asset.filename, mediaType: asset.mediaType, size: asset.size ?? 0,
                sha256: asset.sha256 ?? "", scope: asset.scope)
            return try event(AssetUploaded.type, of: asset.id, asset.revision, at: time, data, by: author)
        case .rightsEnd(let asset, let forEverybody, let expiresAt, 0, let contents, let notices):
            let data = AssetRightsExpired(
                assetId: asset.id, filename: forEverybody ? asset.filename : nil,
                holder: forEverybody ? asset.rights?.holder : nil, expiresAt: expiresAt, contents: contents)
            return try event(AssetRightsExpired.type, of: asset.id, asset.revision + notices, at: time, data, by: author)
        case .rightsEnd(let asset, let forEverybody, let expiresAt, let days, let contents, let notices):
            let data = AssetRightsExpiring(
                assetId: asset.id, filename: forEverybody ? asset.filename : nil,
                holder: forEverybody ? asset.rights?.holder : nil, expiresAt: expiresAt, days: days, contents: contents)
            return try event(AssetRightsExpiring.type, of: asset.id, asset.revision + notices, at: time, data, by: author)
        case .tagsRenamed(let data): return try event(AssetTagsRenamed.type, of: .version7(), 1, at: time, data, by: author)
        }
    }

    private func event(
        _ type: String, of subject: UUID, _ version: Int, at time: Date, _ data: some Encodable, by author: Author
    ) throws -> CloudEvent {
        CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: subject.text, time: time,
            tenantId: author.tenantId, operationId: author.operationId, version: Int64(version),
            data: try JSON.encode(data))
    }
}
