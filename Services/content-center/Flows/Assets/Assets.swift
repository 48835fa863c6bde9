import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// The pictures that flows have made, kept with the contents that show them: by their bytes' hash, once per tenant.
///
/// Small on purpose: uploads by people, storage drivers and signed addresses are the asset library's.
struct Assets: Sendable {
    /// Bytes; the database's check says the same.
    static let maximumSize = 8 << 20

    let store: AssetsStore

    /// Keeps a picture. One that is there already is answered as it was kept first.
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
        return try await store.insertOnce(bytes, sha256: SHA256.hash(bytes), mediaType: type.rawValue, by: author)
    }

    func picture(_ id: UUID, of tenantId: UUID) async throws -> (asset: Asset, bytes: [UInt8]) {
        guard let picture = try await store.picture(id, of: tenantId) else { throw NotFound() }
        return picture
    }

    func asset(_ id: UUID, of tenantId: UUID) async throws -> Asset {
        guard let asset = try await store.asset(id, of: tenantId) else { throw NotFound() }
        return asset
    }
}
