import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// The files of a tenant: those that flows have made, kept once by their bytes' hash, and those that people have uploaded.
struct Assets: Sendable {
    /// Of a picture that a flow keeps, in bytes.
    static let maximumSize = 8 << 20

    let store: AssetsStore
    let uses: AssetUsesStore
    let objects: any ObjectStore

    /// Keeps a picture that a flow has made. One that is there already is answered as it was kept first.
    ///
    /// - Parameter declared: the media type that its sender says it has.
    func keep(_ bytes: [UInt8], declared: String?, by author: Author) async throws -> Asset {
        guard let declared, let type = PictureType(rawValue: declared) else {
            throw UnsupportedMediaType(expected: PictureType.allCases.map(\.rawValue))
        }
        guard PictureType(sniffing: bytes) == type else {
            throw ValidationFailure(
                pointer: "Content-Type", code: "wrong_type", zh: "内容不是 \(type.rawValue) 图片", en: "the body is no \(type.rawValue)"
            )
        }
        let sha256 = SHA256.hash(bytes)
        if let known = try await store.picture(sha256, of: author.tenantId) { return known }
        return try await keep(bytes, of: author.tenantId) {
            try await store.insertOnce($0, sha256: sha256, size: bytes.count, mediaType: type.rawValue, by: author)
        }
    }

    /// Keeps bytes that we have made: announced, put into the store, then given to their owner.
    ///
    /// - Parameter own: writes the owner; answers also the object that counts, which is another one where the tenant had the same bytes.
    func keep<Owner>(
        _ bytes: [UInt8], of tenantId: UUID, own: (UUID) async throws -> (owner: Owner, object: UUID?)
    ) async throws -> Owner {
        let object = try await store.newObject(of: tenantId)
        try await objects.put(bytes, as: object)
        let kept: (owner: Owner, object: UUID?)
        do { kept = try await own(object) } catch let error where error is PrivacyError || error is AssetError {
            // No row will ever own it.
            try await collect(object, of: tenantId)
            throw error
        }
        if kept.object != object { try await collect(object, of: tenantId) }
        return kept.owner
    }

    func picture(_ id: UUID, of tenantId: UUID) async throws -> (asset: Asset, bytes: [UInt8]) {
        guard let picture = try await store.picture(id, of: tenantId) else { throw AssetError.notFound }
        switch picture.place {
        case .row(let bytes): return (picture.asset, bytes)
        case .object(let object):
            guard let bytes = try await objects.read(object, atMost: Self.maximumSize) else { throw AssetError.notFound }
            return (picture.asset, bytes)
        }
    }

    func pictureTag(_ id: UUID, of tenantId: UUID) async throws -> Asset {
        guard let asset = try await store.pictureTag(id, of: tenantId) else { throw AssetError.notFound }
        return asset
    }

    // MARK: The library

    /// Newest first.
    func list(_ filter: AssetFilter, for viewer: AssetViewer) async throws -> [LibraryAsset] {
        try await store.list(filter, for: viewer)
    }

    /// All of the tenant's, for our own work.
    func list(_ filter: AssetFilter, of tenantId: UUID) async throws -> [LibraryAsset] {
        try await store.list(filter, for: AssetViewer(tenantId: tenantId, subject: "service:content-center"))
    }

    func asset(_ id: UUID, for viewer: AssetViewer) async throws -> LibraryAsset {
        guard let asset = try await store.asset(id, for: viewer) else { throw AssetError.notFound }
        return asset
    }

    func asset(_ id: UUID, of tenantId: UUID) async throws -> LibraryAsset {
        guard let asset = try await store.asset(id, of: tenantId) else { throw AssetError.notFound }
        return asset
    }

    /// An address that reads the asset's bytes for `seconds`, shown or saved under its own name.
    func downloadURL(_ id: UUID, seconds: Int, saves: Bool, for viewer: AssetViewer) async throws -> AssetDownloadURL {
        let asset = try await asset(id, for: viewer)
        guard asset.state == .ready else { throw AssetError.notReady }
        guard let object = try await object(of: asset, viewer.tenantId) else { throw AssetError.notFound }
        let expiresAt = Int(Date().timeIntervalSince1970) + seconds
        let grant = ObjectGrant(
            method: .get, object: object, contentType: asset.mediaType, expiresAt: expiresAt,
            fileName: saves ? asset.filename : nil)
        return AssetDownloadURL(
            url: objects.downloadURL(grant), method: "GET", contentType: asset.mediaType,
            expiresAt: Date(timeIntervalSince1970: Double(expiresAt)))
    }

    /// The object with the bytes. What was kept in the database before there was a store moves over on first use.
    func object(of asset: LibraryAsset, _ tenantId: UUID) async throws -> UUID? {
        if let object = try await store.object(of: asset.id, tenantId) { return object }
        guard let picture = try await store.picture(asset.id, of: tenantId), case .row(let bytes) = picture.place else {
            return nil
        }
        let object = try await store.newObject(of: tenantId)
        try await objects.put(bytes, as: object)
        let kept = try await store.moveOver(asset.id, to: object, sha256: SHA256.hash(bytes), size: bytes.count, of: tenantId)
        if kept != object { try await collect(object, of: tenantId) }
        return kept
    }

    /// The asset's bytes as a local file, for whoever reads all of them; remove it afterwards.
    ///
    /// - Returns: whether they are there.
    func fetch(_ asset: LibraryAsset, to path: String, of tenantId: UUID) async throws -> Bool {
        guard let object = try await object(of: asset, tenantId) else { return false }
        return try await objects.fetch(object, to: path)
    }

    /// Deletes the asset, and its bytes where no other asset has the same. One that contents show stays.
    func delete(_ id: UUID, of tenantId: UUID) async throws {
        switch try await store.delete(id, of: tenantId) {
        case .missing: throw AssetError.notFound
        case .inUse(let contents): throw AssetError.inUse(contents: contents)
        case .held(let holders): throw AssetError.held(holders)
        case .donePending: try await objects.clear(id)
        case .done(let garbage):
            try await objects.discard(id)
            for object in garbage { try await collect(object, of: tenantId) }
        }
    }

    /// The contents that show it, in whichever version, newest first.
    ///
    /// - Parameter content: only older ones than this.
    func uses(of id: UUID, before content: UUID?, limit: Int, for viewer: AssetViewer) async throws -> [AssetUse] {
        try await uses.uses(of: asset(id, for: viewer), before: content, limit: limit, tenantId: viewer.tenantId)
    }

    /// What else it has to stay for.
    func holders(of id: UUID, for viewer: AssetViewer) async throws -> [AssetHolder] {
        try await uses.holders(of: asset(id, for: viewer).id, for: viewer)
    }

    private func collect(_ object: UUID, of tenantId: UUID) async throws {
        try await objects.remove(object)
        try await store.forgetGarbage(object, of: tenantId)
    }
}

/// What a list shows.
struct AssetFilter: Sendable, Equatable {
    enum Place: Sendable, Equatable {
        case anywhere
        /// In no folder.
        case top
        case folder(UUID, withSubfolders: Bool)
    }

    var kind: AssetKind?
    var state: AssetState?
    var scope: String?
    var tag: String?
    var rights: AssetRightsState?
    /// A part of the name, whatever its case.
    var name: String?
    var place = Place.anywhere
    /// Only assets that are older than this one.
    var olderThan: UUID?
    var limit: Int
}
