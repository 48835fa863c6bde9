public import FoundationEssentials

// The life of a tenant's data: taken out as one archive, erased, counted.

public enum TenantJobState: String, Codable, Sendable, CaseIterable {
    case queued, running, succeeded, failed, canceled
}

/// How many of something.
public struct TenantCount: Codable, Sendable, Equatable {
    /// As its file in the archive is named, e.g. `content_versions`.
    public var name: String
    public var count: Int

    public init(name: String, count: Int) {
        self.name = name
        self.count = count
    }
}

/// An export, as `GET /api/tenant/exports` and `GET /api/tenant/exports/{id}` show it.
public struct TenantExport: Codable, Sendable, Equatable {
    public var id: UUID
    public var state: TenantJobState
    /// Percent.
    public var progress: Int
    public var requestedBy: String
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?
    /// Of the archive, in bytes; this and the following only once it is there.
    public var size: Int?
    /// Hexadecimal.
    public var sha256: String?
    /// What is in it.
    public var counts: [TenantCount]?
    /// Reads the archive for an hour.
    public var downloadUrl: String?
    /// When the archive goes.
    public var expiresAt: Date?

    public init(
        id: UUID, state: TenantJobState, progress: Int, requestedBy: String, createdAt: Date, startedAt: Date?,
        finishedAt: Date?, size: Int?, sha256: String?, counts: [TenantCount]?, downloadUrl: String?, expiresAt: Date?
    ) {
        self.id = id
        self.state = state
        self.progress = progress
        self.requestedBy = requestedBy
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.size = size
        self.sha256 = sha256
        self.counts = counts
        self.downloadUrl = downloadUrl
        self.expiresAt = expiresAt
    }
}

/// `data` of `tenant.export.completed.v1`; subject is the export's id.
public struct TenantExportCompleted: Codable, Sendable, Equatable {
    public static let type = "tenant.export.completed.v1"

    public var exportId: UUID
    /// Of the archive, in bytes.
    public var size: Int
    /// When it goes.
    public var expiresAt: Date

    public init(exportId: UUID, size: Int, expiresAt: Date) {
        self.exportId = exportId
        self.size = size
        self.expiresAt = expiresAt
    }
}

/// `data` of `tenant.export.failed.v1`; subject is the export's id. Nothing of it is left; another may be ordered.
public struct TenantExportFailed: Codable, Sendable, Equatable {
    public static let type = "tenant.export.failed.v1"

    public var exportId: UUID

    public init(exportId: UUID) {
        self.exportId = exportId
    }
}

/// `POST /api/tenant/erasure`
public struct TenantErasureOrder: Codable, Sendable, Equatable {
    /// `erase ` and the tenant's id, so that nobody erases by mistake.
    public var confirmation: String

    public init(confirmation: String) { self.confirmation = confirmation }
}

/// The one erasure of a tenant, as `GET /api/tenant/erasure` shows it. It is all that is left.
public struct TenantErasure: Codable, Sendable, Equatable {
    public var id: UUID
    public var state: TenantJobState
    /// Percent.
    public var progress: Int
    public var requestedBy: String
    public var createdAt: Date
    public var finishedAt: Date?
    /// What has gone so far.
    public var counts: [TenantCount]

    public init(
        id: UUID, state: TenantJobState, progress: Int, requestedBy: String, createdAt: Date, finishedAt: Date?,
        counts: [TenantCount]
    ) {
        self.id = id
        self.state = state
        self.progress = progress
        self.requestedBy = requestedBy
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.counts = counts
    }
}

/// `GET /api/tenant/storage`: what a tenant keeps. Bytes of texts are as the database stores them, those of files as they are.
public struct TenantStorage: Codable, Sendable, Equatable {
    public var contents: [ContentStorage]
    public var materials: TenantCount
    public var assets: [AssetStorage]
    /// Announced, but not complete; their bytes as announced.
    public var pendingUploads: StorageSum
    /// Contents that lie in the bin, with all their versions.
    public var bin: StorageSum
    /// Archives that wait to be fetched; they do not count towards the plan.
    public var exports: StorageSum
    /// What is stored once for all assets with the same bytes, and what the plan allows.
    public var usage: AssetUsage

    public init(
        contents: [ContentStorage], materials: TenantCount, assets: [AssetStorage], pendingUploads: StorageSum, bin: StorageSum,
        exports: StorageSum, usage: AssetUsage
    ) {
        self.contents = contents
        self.materials = materials
        self.assets = assets
        self.pendingUploads = pendingUploads
        self.bin = bin
        self.exports = exports
        self.usage = usage
    }
}

public struct StorageSum: Codable, Sendable, Equatable {
    public var count: Int
    public var bytes: Int

    public init(count: Int, bytes: Int) {
        self.count = count
        self.bytes = bytes
    }
}

/// Contents of one kind that do not lie in the bin.
public struct ContentStorage: Codable, Sendable, Equatable {
    public var kind: ContentKind
    public var contents: Int
    public var versions: Int
    /// Of all versions.
    public var bytes: Int

    public init(kind: ContentKind, contents: Int, versions: Int, bytes: Int) {
        self.kind = kind
        self.contents = contents
        self.versions = versions
        self.bytes = bytes
    }
}

/// Assets of one media type that came one way.
public struct AssetStorage: Codable, Sendable, Equatable {
    public var mediaType: String
    /// `upload`: people's; `flow`: made by a flow.
    public var origin: String
    public var count: Int
    public var bytes: Int

    public init(mediaType: String, origin: String, count: Int, bytes: Int) {
        self.mediaType = mediaType
        self.origin = origin
        self.count = count
        self.bytes = bytes
    }
}

/// `data` of `tenant.erasure.ordered.v1`; subject is the tenant's id. From here on nothing of the tenant's is written, and no model asked.
public struct TenantErasureOrdered: Codable, Sendable, Equatable {
    public static let type = "tenant.erasure.ordered.v1"

    public var erasureId: UUID

    public init(erasureId: UUID) { self.erasureId = erasureId }
}

/// `data` of `tenant.content.erased.v1`; subject is the tenant's id.
public struct TenantContentErased: Codable, Sendable, Equatable {
    public static let type = "tenant.content.erased.v1"

    public var erasureId: UUID
    public var counts: [TenantCount]

    public init(erasureId: UUID, counts: [TenantCount]) {
        self.erasureId = erasureId
        self.counts = counts
    }
}
