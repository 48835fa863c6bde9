import DTO
import FoundationEssentials
import HTTPCore

/// Uploads that never pass through a service (seed 001 §3.3, §10.2): announced, sent straight to the store under a signed URL, then looked
/// at. Until that has happened nobody sees a byte of them.
struct AssetUpload: Sendable {
    /// How long an upload may begin.
    static let urlLifetime = 3_600
    /// How long an upload in parts may take.
    static let partsLifetime = 7 * 86_400

    let store: AssetUploadStore
    let objects: any ObjectStore
    let inspect: @Sendable (ArrivedObject, FileType) async throws -> Void

    /// Announces an upload. The repeat of an operation answers the asset that it has announced, with a fresh URL.
    func presign(_ upload: NewUpload, by author: Author) async throws -> AssetPresignAnswer {
        try await check(upload.watermark, for: author)
        try await refuseBeyondQuota(upload.size ?? 1, for: author)
        let announced = try await store.announce(upload, lifetime: Self.urlLifetime, by: author)
        let expiresAt = Int(announced.urlExpiresAt.timeIntervalSince1970)
        let url = objects.uploadURL(
            ObjectGrant(
                method: .put, object: announced.id, contentType: upload.type.rawValue, expiresAt: expiresAt,
                size: upload.size.map { .exactly($0) } ?? .atMost(upload.type.largest)))
        return AssetPresignAnswer(
            assetId: announced.id, uploadUrl: url, method: "PUT",
            headers: AssetUploadHeaders(contentType: upload.type.rawValue),
            expiresAt: Date(timeIntervalSince1970: Double(expiresAt)))
    }

    /// Announces an upload in parts, which may be sent in any order, at once and again, for a week.
    func begin(_ upload: NewUpload, partSize: Int, by author: Author) async throws -> AssetMultipart {
        guard let size = upload.size else { throw AssetError.notInParts }
        try await check(upload.watermark, for: author)
        try await refuseBeyondQuota(size, for: author)
        let parts = ObjectParts(size: size, partSize: partSize)
        let announced = try await store.announce(upload, partSize: partSize, lifetime: Self.partsLifetime, by: author)
        // The repeat of an operation whose upload is complete opens nothing that nobody would ever complete.
        if announced.isPending { try await objects.beginParts(of: announced.id, contentType: upload.type.rawValue) }
        return AssetMultipart(
            assetId: announced.id, partSize: partSize, partCount: parts.count, expiresAt: announced.urlExpiresAt)
    }

    /// What is to be put on a copy has to be there by now.
    private func check(_ mark: AssetWatermark?, for author: Author) async throws {
        guard let id = mark?.overlayAssetId else { return }
        let pointer = "/watermark/overlayAssetId"
        guard let asset = try await store.asset(id, for: author.viewer) else { throw MediaJobRefusal.unknownAsset(pointer) }
        guard asset.state == .ready else { throw MediaJobRefusal.assetNotReady(pointer) }
        guard let type = FileType(rawValue: asset.mediaType), MediaJobType.imageVariants.takes(type) else {
            throw MediaJobRefusal.wrongMediaType(pointer, found: asset.mediaType)
        }
    }

    /// Where parts go, from `first` on.
    func partURLs(_ id: UUID, from first: Int, count: Int, of tenantId: UUID) async throws -> AssetPartURLs {
        let (asset, parts) = try await pendingParts(id, of: tenantId)
        try await store.goOn(with: id, of: tenantId)
        let expiresAt = Int(Date().timeIntervalSince1970) + Self.urlLifetime
        let last = min(parts.count, first + count - 1)
        let numbers = first..<max(first, last + 1)
        let grants = numbers.map { number in
            ObjectGrant(
                method: .put, object: id, contentType: asset.mediaType, expiresAt: expiresAt,
                size: .exactly(parts.size(of: number)), part: parts.part(number))
        }
        let urls: [String]
        do { urls = try await objects.partURLs(grants) } catch is ObjectGone { throw AssetError.notInParts }
        let list = zip(numbers, urls).map { number, url in
            AssetPartURL(
                partNumber: number, size: parts.size(of: number), uploadUrl: url, method: "PUT",
                headers: AssetUploadHeaders(contentType: asset.mediaType))
        }
        return AssetPartURLs(parts: list, expiresAt: Date(timeIntervalSince1970: Double(expiresAt)))
    }

    /// Which parts are here: whoever was interrupted sends the others.
    func parts(_ id: UUID, of tenantId: UUID) async throws -> AssetParts {
        let (_, parts) = try await pendingParts(id, of: tenantId)
        let arrived = try await objects.arrivedParts(of: id)
        return AssetParts(
            partSize: parts.partSize, partCount: parts.count,
            parts: arrived.filter { $0 <= parts.count }.map { AssetPart(partNumber: $0, size: parts.size(of: $0)) })
    }

    private func pendingParts(_ id: UUID, of tenantId: UUID) async throws -> (asset: LibraryAsset, parts: ObjectParts) {
        guard let asset = try await store.asset(id, of: tenantId) else { throw AssetError.notFound }
        guard asset.state == .pending, let parts = try await store.parts(of: asset, tenantId) else { throw AssetError.notInParts }
        return (asset, parts)
    }

    func usage(of tenantId: UUID) async throws -> AssetUsage { try await store.usage(of: tenantId) }

    /// What others have announced will come as well.
    private func refuseBeyondQuota(_ size: Int, for author: Author) async throws {
        let usage = try await store.usage(of: author.tenantId, besides: author.operationId)
        let used = usage.bytes + usage.pendingBytes
        if used + size > usage.limitBytes { throw AssetError.beyondQuota(used: used, limit: usage.limitBytes) }
    }

    /// The client says that the bytes are there: they are compared with what was announced and looked at. What is refused is gone, with its
    /// row; what is kept is kept once per tenant.
    func complete(_ id: UUID, by author: Author) async throws -> LibraryAsset {
        guard let asset = try await store.asset(id, of: author.tenantId) else { throw AssetError.notFound }
        if asset.state == .ready { return asset }
        let parts = try await store.parts(of: asset, author.tenantId)
        guard let arrived = try await objects.arrived(id, in: parts) else { throw AssetError.notUploaded }
        defer { objects.forget(arrived) }
        guard let type = FileType(rawValue: asset.mediaType) else { throw AssetError.notFound }
        do {
            try refuse(arrived, unlike: asset, type)
            try await inspect(arrived, type)
            return try await keep(arrived, asset, by: author)
        } catch is ObjectGone {
            // A second request for the same upload was faster.
            if let asset = try await store.asset(id, of: author.tenantId), asset.state == .ready { return asset }
            throw AssetError.completing
        } catch let error as AssetError where error.isAboutTheTenant {
            // The file is fine: it stays until there is room.
            throw error
        } catch {
            guard let refusal = AssetError(refusing: error, declared: type) else { throw error }
            try await forget(id, of: author.tenantId)
            throw refusal
        }
    }

    private func refuse(_ arrived: ArrivedObject, unlike asset: LibraryAsset, _ type: FileType) throws {
        if arrived.size == 0 || arrived.size > type.largest { throw AssetError.sizeRefused(most: type.largest) }
        if let size = asset.size, size != arrived.size { throw AssetError.otherSize(announced: size, found: arrived.size) }
        let found = arrived.sha256.hexadecimal
        if let sha256 = asset.sha256, sha256 != found { throw AssetError.otherHash(found: found) }
    }

    /// First the bytes, then the row that says so: a crash between the two leaves an upload that can be completed again.
    private func keep(_ arrived: ArrivedObject, _ asset: LibraryAsset, by author: Author) async throws -> LibraryAsset {
        try await objects.keep(arrived)
        let kept = try await store.keep(asset, arrived, by: author) { [.assetUploaded($0)] }
        if kept.object != arrived.object {
            // The same bytes are there already.
            try await objects.remove(arrived.object)
            try await store.forgetGarbage(arrived.object, of: author.tenantId)
        }
        return kept.asset
    }

    /// Nothing is left of an upload that was refused, nor of what a completion before this one had moved over.
    private func forget(_ id: UUID, of tenantId: UUID) async throws {
        if try await store.forget(id, of: tenantId) { try await objects.clear(id) } else { try await objects.discard(id) }
    }
}

/// An upload that somebody announces.
struct NewUpload: Sendable, Equatable {
    var filename: String
    var type: FileType
    var scope: String?
    var size: Int?
    /// 32 bytes.
    var sha256: [UInt8]?
    var folderId: UUID?
    var tags: [String] = []
    /// On a copy.
    var watermark: AssetWatermark?
}
