public import FoundationEssentials

// How a tenant's files are kept in order: folders, tags, rights and where they are used.

/// A folder of the library, as `GET /api/asset-folders/{id}` shows it.
public struct AssetFolder: Codable, Sendable, Equatable {
    public var id: UUID
    /// The folder that it lies in; absent at the top.
    public var parentId: UUID?
    /// Unique within its parent.
    public var name: String
    /// Assets that lie in it itself, not further down.
    public var assets: Int
    public var createdBy: String
    public var createdAt: Date
    public var updatedAt: Date

    public init(
        id: UUID, parentId: UUID?, name: String, assets: Int, createdBy: String, createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.parentId = parentId
        self.name = name
        self.assets = assets
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// `POST /api/asset-folders`
public struct NewAssetFolder: Codable, Sendable, Equatable {
    /// 1–100 characters, without `/`.
    public var name: String
    public var parentId: UUID?

    public init(name: String, parentId: UUID? = nil) {
        self.name = name
        self.parentId = parentId
    }
}

/// `PATCH /api/asset-folders/{id}`, a JSON merge patch.
public struct AssetFolderPatch: Codable, Sendable, Equatable {
    public var name: String?
    /// A folder's id; `null` moves it to the top.
    public var parentId: Nullable<String>?

    public init(name: String? = nil, parentId: Nullable<String>? = nil) {
        self.name = name
        self.parentId = parentId
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decodeIfPresent(String.self, forKey: .name)
        parentId = container.contains(.parentId) ? try container.decode(Nullable<String>.self, forKey: .parentId) : nil
    }
}

/// Whose work an asset is, and what may be done with it (版权).
public struct AssetRights: Codable, Sendable, Equatable {
    /// 1–200 characters.
    public var holder: String
    /// The contract, or the licence's name.
    public var license: String?
    /// Where it was got.
    public var source: String?
    public var validFrom: Date?
    /// From this instant on it may not be used any more.
    public var expiresAt: Date?
    /// Where it may be used, ISO 3166-1 alpha-2; absent = everywhere.
    public var territories: [String]?
    public var note: String?

    public init(
        holder: String, license: String? = nil, source: String? = nil, validFrom: Date? = nil, expiresAt: Date? = nil,
        territories: [String]? = nil, note: String? = nil
    ) {
        self.holder = holder
        self.license = license
        self.source = source
        self.validFrom = validFrom
        self.expiresAt = expiresAt
        self.territories = territories
        self.note = note
    }
}

/// Where an asset's rights stand at the moment of asking.
public enum AssetRightsState: String, Codable, Sendable, CaseIterable {
    /// Nobody has said whose it is.
    case unstated
    /// They begin later.
    case upcoming
    case valid
    /// They end within 30 days.
    case expiring
    case expired
}

/// What changes in an asset's rights. Lists are replaced whole.
public struct AssetRightsPatch: Codable, Sendable, Equatable {
    /// Must be there where no rights were stated before.
    public var holder: String?
    public var license: Nullable<String>?
    public var source: Nullable<String>?
    /// RFC 3339.
    public var validFrom: Nullable<String>?
    /// RFC 3339, later than `validFrom`.
    public var expiresAt: Nullable<String>?
    /// An empty list = everywhere.
    public var territories: [String]?
    public var note: Nullable<String>?

    public init(
        holder: String? = nil, license: Nullable<String>? = nil, source: Nullable<String>? = nil,
        validFrom: Nullable<String>? = nil, expiresAt: Nullable<String>? = nil, territories: [String]? = nil,
        note: Nullable<String>? = nil
    ) {
        self.holder = holder
        self.license = license
        self.source = source
        self.validFrom = validFrom
        self.expiresAt = expiresAt
        self.territories = territories
        self.note = note
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func nullable(_ key: CodingKeys) throws -> Nullable<String>? {
            container.contains(key) ? try container.decode(Nullable<String>.self, forKey: key) : nil
        }
        holder = try container.decodeIfPresent(String.self, forKey: .holder)
        license = try nullable(.license)
        source = try nullable(.source)
        validFrom = try nullable(.validFrom)
        expiresAt = try nullable(.expiresAt)
        territories = try container.decodeIfPresent([String].self, forKey: .territories)
        note = try nullable(.note)
    }
}

/// `PATCH /api/assets/{id}`, a JSON merge patch. The bytes never change.
public struct AssetPatch: Codable, Sendable, Equatable {
    /// As in ``AssetPresignRequest``.
    public var filename: String?
    /// A folder's id; `null` takes it out.
    public var folderId: Nullable<String>?
    /// The whole new set, at most 30 of 1–50 characters.
    public var tags: [String]?
    /// `null` takes all that was stated away.
    public var rights: Nullable<AssetRightsPatch>?

    public init(
        filename: String? = nil, folderId: Nullable<String>? = nil, tags: [String]? = nil,
        rights: Nullable<AssetRightsPatch>? = nil
    ) {
        self.filename = filename
        self.folderId = folderId
        self.tags = tags
        self.rights = rights
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        filename = try container.decodeIfPresent(String.self, forKey: .filename)
        folderId = container.contains(.folderId) ? try container.decode(Nullable<String>.self, forKey: .folderId) : nil
        tags = try container.decodeIfPresent([String].self, forKey: .tags)
        rights = container.contains(.rights) ? try container.decode(Nullable<AssetRightsPatch>.self, forKey: .rights) : nil
    }
}

/// `POST /api/assets/organize`: the same for many assets, for all of them or for none.
public struct AssetOrganizing: Codable, Sendable, Equatable {
    /// 1–200, each once.
    public var assetIds: [UUID]
    /// A folder's id; `null` takes them out.
    public var folderId: Nullable<String>?
    public var addTags: [String]?
    public var removeTags: [String]?

    public init(
        assetIds: [UUID], folderId: Nullable<String>? = nil, addTags: [String]? = nil, removeTags: [String]? = nil
    ) {
        self.assetIds = assetIds
        self.folderId = folderId
        self.addTags = addTags
        self.removeTags = removeTags
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        assetIds = try container.decode([UUID].self, forKey: .assetIds)
        folderId = container.contains(.folderId) ? try container.decode(Nullable<String>.self, forKey: .folderId) : nil
        addTags = try container.decodeIfPresent([String].self, forKey: .addTags)
        removeTags = try container.decodeIfPresent([String].self, forKey: .removeTags)
    }
}

/// How many of them are otherwise than before.
public struct AssetsOrganized: Codable, Sendable, Equatable {
    public var changed: Int

    public init(changed: Int) { self.changed = changed }
}

/// `POST /api/assets/tags/rename`: every asset that has one of these tags has the new one instead.
public struct AssetTagRenaming: Codable, Sendable, Equatable {
    /// At most 20.
    public var from: [String]
    public var to: String

    public init(from: [String], to: String) {
        self.from = from
        self.to = to
    }
}

public struct AssetTagRenamingResult: Codable, Sendable, Equatable {
    /// How many assets have the new tag now instead.
    public var changed: Int
    /// False where there were more than one request takes: said again, it goes on.
    public var isComplete: Bool

    public init(changed: Int, isComplete: Bool) {
        self.changed = changed
        self.isComplete = isComplete
    }
}

/// `data` of `asset.tags.renamed.v1`: one step of a renaming; subject is the step's id.
public struct AssetTagsRenamed: Codable, Sendable, Equatable {
    public static let type = "asset.tags.renamed.v1"

    public var from: [String]
    public var to: String
    /// At most 200.
    public var assetIds: [UUID]

    public init(from: [String], to: String, assetIds: [UUID]) {
        self.from = from
        self.to = to
        self.assetIds = assetIds
    }
}

/// The tags that are used most, as `GET /api/assets/tags` lists them.
public struct AssetTags: Codable, Sendable, Equatable {
    public var items: [AssetTag]

    public init(items: [AssetTag]) { self.items = items }
}

/// A tag and how many assets have it.
public struct AssetTag: Codable, Sendable, Equatable {
    public var tag: String
    /// Of those that are there for the caller.
    public var assets: Int

    public init(tag: String, assets: Int) {
        self.tag = tag
        self.assets = assets
    }
}

/// Something that shows an asset, as `GET /api/assets/{id}/uses` lists it.
public struct AssetUse: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var kind: ContentKind
    public var title: String
    public var status: ContentStatus
    /// The newest one.
    public var version: Int
    /// Whether the newest version shows it; only then does the asset have to stay.
    public var current: Bool
    /// JSON pointers into the newest version.
    public var places: [String]
    /// All versions that show it, the newest first.
    public var versions: [Int]
    /// Whether it lies in the bin.
    public var inBin: Bool
    /// The newest version shows something that may not be used any more.
    public var rightsExpired: Bool

    public init(
        contentId: UUID, kind: ContentKind, title: String, status: ContentStatus, version: Int, current: Bool,
        places: [String], versions: [Int], inBin: Bool, rightsExpired: Bool
    ) {
        self.contentId = contentId
        self.kind = kind
        self.title = title
        self.status = status
        self.version = version
        self.current = current
        self.places = places
        self.versions = versions
        self.inBin = inBin
        self.rightsExpired = rightsExpired
    }
}

/// `GET /api/assets/{id}/uses`: a page of the contents that show it, and what else it has to stay for.
public struct AssetUses: Codable, Sendable, Equatable {
    public var items: [AssetUse]
    public var nextCursor: String?
    /// Those that are there for whoever asks, at most 100; the same beside each page.
    public var holders: [AssetHolder]

    public init(items: [AssetUse], nextCursor: String?, holders: [AssetHolder]) {
        self.items = items
        self.nextCursor = nextCursor
        self.holders = holders
    }
}

/// What has an asset and is no content: while it does, the asset cannot be deleted.
public struct AssetHolder: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case material
        /// The asset is the account's avatar.
        case accountProfile = "account_profile"
    }
    public var kind: Kind
    /// The material's, or the account's.
    public var id: UUID
    /// Of an account its nickname.
    public var title: String
    /// Whether it lies in the bin; its assets stay all the same.
    public var inBin: Bool

    public init(kind: Kind, id: UUID, title: String, inBin: Bool) {
        self.kind = kind
        self.id = id
        self.title = title
        self.inBin = inBin
    }
}

/// `data` of `asset.rights.expiring.v1`; subject is the asset's id.
public struct AssetRightsExpiring: Codable, Sendable, Equatable {
    public static let type = "asset.rights.expiring.v1"

    public var assetId: UUID
    /// None where the asset is for some people only: everybody is told.
    public var filename: String?
    /// As ``filename``.
    public var holder: String?
    public var expiresAt: Date
    /// The rights end within so many days: 30, 7 or 1.
    public var days: Int
    /// Contents whose newest version shows it.
    public var contents: Int

    public init(assetId: UUID, filename: String?, holder: String?, expiresAt: Date, days: Int, contents: Int) {
        self.assetId = assetId
        self.filename = filename
        self.holder = holder
        self.expiresAt = expiresAt
        self.days = days
        self.contents = contents
    }
}

/// `data` of `asset.rights.expired.v1`; subject is the asset's id.
public struct AssetRightsExpired: Codable, Sendable, Equatable {
    public static let type = "asset.rights.expired.v1"

    public var assetId: UUID
    /// None where the asset is for some people only: everybody is told.
    public var filename: String?
    /// As ``filename``.
    public var holder: String?
    public var expiresAt: Date
    /// Contents whose newest version shows it.
    public var contents: Int

    public init(assetId: UUID, filename: String?, holder: String?, expiresAt: Date, contents: Int) {
        self.assetId = assetId
        self.filename = filename
        self.holder = holder
        self.expiresAt = expiresAt
        self.contents = contents
    }
}
