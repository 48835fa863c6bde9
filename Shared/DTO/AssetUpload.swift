public import FoundationEssentials

// What content-center serves under `/v1/assets` and the gateway under `/api/assets`: the files of a tenant.

/// `POST /api/assets/presign` (seed 001 §10.2), with what makes an upload checkable.
public struct AssetPresignRequest: Codable, Sendable, Equatable {
    /// 1–200 characters, without path.
    public var filename: String
    public var contentType: String
    /// What the file belongs to, e.g. a project.
    public var scope: String?
    /// Bytes; the upload must have exactly as many.
    public var size: Int?
    /// 64 hexadecimal digits; the upload must hash to it.
    public var sha256: String?
    /// The folder that it shall lie in.
    public var folderId: UUID?
    public var tags: [String]?
    /// Of a picture or a video: put on a copy, which becomes an asset of its own.
    public var watermark: AssetWatermark?

    public init(
        filename: String, contentType: String, scope: String? = nil, size: Int? = nil, sha256: String? = nil,
        folderId: UUID? = nil, tags: [String]? = nil, watermark: AssetWatermark? = nil
    ) {
        self.filename = filename
        self.contentType = contentType
        self.scope = scope
        self.size = size
        self.sha256 = sha256
        self.folderId = folderId
        self.tags = tags
        self.watermark = watermark
    }
}

/// Where the bytes go, and how.
public struct AssetPresignAnswer: Codable, Sendable, Equatable {
    public var assetId: UUID
    public var uploadUrl: String
    /// `PUT`.
    public var method: String
    /// To be sent as they stand.
    public var headers: AssetUploadHeaders
    public var expiresAt: Date

    public init(assetId: UUID, uploadUrl: String, method: String, headers: AssetUploadHeaders, expiresAt: Date) {
        self.assetId = assetId
        self.uploadUrl = uploadUrl
        self.method = method
        self.headers = headers
        self.expiresAt = expiresAt
    }
}

public struct AssetUploadHeaders: Codable, Sendable, Equatable {
    public var contentType: String

    private enum CodingKeys: String, CodingKey {
        case contentType = "Content-Type"
    }

    public init(contentType: String) { self.contentType = contentType }
}

/// Where an asset stands.
public enum AssetState: String, Codable, Sendable, CaseIterable {
    /// Announced; its bytes are not here, or nobody has said that they are.
    case pending
    case ready
}

/// Kinds of assets, for lists.
public enum AssetKind: String, Codable, Sendable, CaseIterable {
    case image, video, audio, document
}

/// A file of the tenant's library.
public struct LibraryAsset: Codable, Sendable, Equatable {
    public var id: UUID
    public var state: AssetState
    public var filename: String
    public var mediaType: String
    public var scope: String?
    /// Bytes; while it is pending what was announced.
    public var size: Int?
    /// Lower-case hexadecimal; while it is pending what was announced.
    public var sha256: String?
    /// Counts everything that changes; its `ETag`.
    public var revision: Int
    /// The folder that it lies in; absent at the top.
    public var folderId: UUID?
    /// In their order, each once.
    public var tags: [String]
    public var rights: AssetRights?
    public var rightsState: AssetRightsState
    public var createdBy: String
    public var createdAt: Date
    public var updatedAt: Date
    /// Small; it comes a little after the upload is complete. Of pictures and videos.
    public var thumbnail: AssetPreview?
    /// The best frame of a video.
    public var cover: AssetPreview?
    /// The job that puts the mark on a copy, where one was wished for.
    public var watermarkJobId: UUID?

    public init(
        id: UUID, state: AssetState, filename: String, mediaType: String, scope: String?, size: Int?, sha256: String?,
        revision: Int, folderId: UUID?, tags: [String], rights: AssetRights?, rightsState: AssetRightsState,
        createdBy: String, createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.state = state
        self.filename = filename
        self.mediaType = mediaType
        self.scope = scope
        self.size = size
        self.sha256 = sha256
        self.revision = revision
        self.folderId = folderId
        self.tags = tags
        self.rights = rights
        self.rightsState = rightsState
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// A picture of an asset. It is none itself: it comes and goes with its asset, and no plan counts it.
public struct AssetPreview: Codable, Sendable, Equatable {
    /// Signed; holds for six hours at least.
    public var url: String
    public var mediaType: String
    public var width: Int
    public var height: Int

    public init(url: String, mediaType: String, width: Int, height: Int) {
        self.url = url
        self.mediaType = mediaType
        self.width = width
        self.height = height
    }
}

/// A mark on a picture or a video, as the job `watermark` puts it there.
public struct AssetWatermark: Codable, Sendable, Equatable {
    /// This or ``overlayAssetId``.
    public var text: String?
    /// A picture of the tenant.
    public var overlayAssetId: UUID?
    /// Bottom right where it is left out.
    public var corner: MediaCorner?
    /// In percent: 60 where it is left out.
    public var opacity: Int?
    /// The mark's width in percent of the picture's, 20 where it is left out; of a text its height in percent of the shorter side, 5.
    public var size: Int?
    /// Of a marked picture.
    public var format: MediaPictureFormat?

    public init(
        text: String? = nil, overlayAssetId: UUID? = nil, corner: MediaCorner? = nil, opacity: Int? = nil, size: Int? = nil,
        format: MediaPictureFormat? = nil
    ) {
        self.text = text
        self.overlayAssetId = overlayAssetId
        self.corner = corner
        self.opacity = opacity
        self.size = size
        self.format = format
    }
}

/// An address under which whoever has it reads the bytes, for a while.
public struct AssetDownloadURL: Codable, Sendable, Equatable {
    public var url: String
    /// `GET`; it answers `HEAD` too, and ranges.
    public var method: String
    public var contentType: String
    public var expiresAt: Date

    public init(url: String, method: String, contentType: String, expiresAt: Date) {
        self.url = url
        self.method = method
        self.contentType = contentType
        self.expiresAt = expiresAt
    }
}

/// An uploaded file was looked at and kept.
public struct AssetUploaded: Codable, Sendable, Equatable {
    public static let type = "asset.uploaded.v1"

    public var assetId: UUID
    public var filename: String
    public var mediaType: String
    public var size: Int
    public var sha256: String
    public var scope: String?

    public init(assetId: UUID, filename: String, mediaType: String, size: Int, sha256: String, scope: String?) {
        self.assetId = assetId
        self.filename = filename
        self.mediaType = mediaType
        self.size = size
        self.sha256 = sha256
        self.scope = scope
    }
}

/// `POST /api/assets/multipart`: an upload that may be interrupted.
public struct AssetMultipartRequest: Codable, Sendable, Equatable {
    /// As in ``AssetPresignRequest``.
    public var filename: String
    public var contentType: String
    public var scope: String?
    /// Bytes of the whole.
    public var size: Int
    public var sha256: String?
    /// Bytes of every part but the last: 5 MB to 1 GB, 16 MB where it is left out.
    public var partSize: Int?
    public var folderId: UUID?
    public var tags: [String]?
    public var watermark: AssetWatermark?

    public init(
        filename: String, contentType: String, scope: String? = nil, size: Int, sha256: String? = nil, partSize: Int? = nil,
        folderId: UUID? = nil, tags: [String]? = nil, watermark: AssetWatermark? = nil
    ) {
        self.filename = filename
        self.contentType = contentType
        self.scope = scope
        self.size = size
        self.sha256 = sha256
        self.partSize = partSize
        self.folderId = folderId
        self.tags = tags
        self.watermark = watermark
    }
}

/// How the upload is divided.
public struct AssetMultipart: Codable, Sendable, Equatable {
    public var assetId: UUID
    public var partSize: Int
    public var partCount: Int
    /// All parts must have come before.
    public var expiresAt: Date

    public init(assetId: UUID, partSize: Int, partCount: Int, expiresAt: Date) {
        self.assetId = assetId
        self.partSize = partSize
        self.partCount = partCount
        self.expiresAt = expiresAt
    }
}

/// Where one part goes.
public struct AssetPartURL: Codable, Sendable, Equatable {
    /// From 1 on.
    public var partNumber: Int
    /// Bytes of this part.
    public var size: Int
    public var uploadUrl: String
    public var method: String
    public var headers: AssetUploadHeaders

    public init(partNumber: Int, size: Int, uploadUrl: String, method: String, headers: AssetUploadHeaders) {
        self.partNumber = partNumber
        self.size = size
        self.uploadUrl = uploadUrl
        self.method = method
        self.headers = headers
    }
}

public struct AssetPartURLs: Codable, Sendable, Equatable {
    public var parts: [AssetPartURL]
    public var expiresAt: Date

    public init(parts: [AssetPartURL], expiresAt: Date) {
        self.parts = parts
        self.expiresAt = expiresAt
    }
}

/// A part that has arrived.
public struct AssetPart: Codable, Sendable, Equatable {
    public var partNumber: Int
    public var size: Int

    public init(partNumber: Int, size: Int) {
        self.partNumber = partNumber
        self.size = size
    }
}

public struct AssetParts: Codable, Sendable, Equatable {
    public var partSize: Int
    public var partCount: Int
    /// Those that have arrived, in their order.
    public var parts: [AssetPart]

    public init(partSize: Int, partCount: Int, parts: [AssetPart]) {
        self.partSize = partSize
        self.partCount = partCount
        self.parts = parts
    }
}

/// What the tenant keeps. The same bytes count once.
public struct AssetUsage: Codable, Sendable, Equatable {
    public var bytes: Int
    public var objects: Int
    /// Announced for uploads that are on their way and that somebody goes on with.
    public var pendingBytes: Int
    /// What its plan allows.
    public var limitBytes: Int

    public init(bytes: Int, objects: Int, pendingBytes: Int = 0, limitBytes: Int) {
        self.bytes = bytes
        self.objects = objects
        self.pendingBytes = pendingBytes
        self.limitBytes = limitBytes
    }
}
