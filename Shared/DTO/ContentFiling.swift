public import FoundationEssentials

// Where contents are kept: project spaces, topics and tags, the bin; and what changed from one version to another.

/// A project space (项目空间), as `GET /api/spaces/{id}` shows it.
public struct ContentSpace: Codable, Sendable, Equatable {
    public var id: UUID
    /// Unique within the tenant.
    public var name: String
    public var description: String?
    public var createdBy: String
    public var createdAt: Date
    public var updatedAt: Date

    public init(id: UUID, name: String, description: String?, createdBy: String, createdAt: Date, updatedAt: Date) {
        self.id = id
        self.name = name
        self.description = description
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// `POST /api/spaces`
public struct NewContentSpace: Codable, Sendable, Equatable {
    /// 1–100 characters.
    public var name: String
    /// 1–1,000 characters.
    public var description: String?

    public init(name: String, description: String? = nil) {
        self.name = name
        self.description = description
    }
}

/// `PATCH /api/spaces/{id}`, a JSON merge patch.
public struct ContentSpacePatch: Codable, Sendable, Equatable {
    public var name: String?
    public var description: Nullable<String>?

    public init(name: String? = nil, description: Nullable<String>? = nil) {
        self.name = name
        self.description = description
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decodeIfPresent(String.self, forKey: .name)
        description = container.contains(.description) ? try container.decode(Nullable<String>.self, forKey: .description) : nil
    }
}

/// `PATCH /api/contents/{id}/labels`, a JSON merge patch. It makes no version: where a content is kept is no part of its text.
public struct ContentLabels: Codable, Sendable, Equatable {
    /// A space's id.
    public var spaceId: Nullable<String>?
    /// 1–100 characters.
    public var topic: Nullable<String>?
    /// The whole new set, at most 30 of 1–50 characters.
    public var tags: [String]?

    public init(spaceId: Nullable<String>? = nil, topic: Nullable<String>? = nil, tags: [String]? = nil) {
        self.spaceId = spaceId
        self.topic = topic
        self.tags = tags
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        spaceId = container.contains(.spaceId) ? try container.decode(Nullable<String>.self, forKey: .spaceId) : nil
        topic = container.contains(.topic) ? try container.decode(Nullable<String>.self, forKey: .topic) : nil
        tags = try container.decodeIfPresent([String].self, forKey: .tags)
    }
}

/// `data` of `content.deleted.v1` and `content.restored.v1`; subject is the content's id.
public struct ContentBinned: Codable, Sendable, Equatable {
    public static let deletedType = "content.deleted.v1"
    public static let restoredType = "content.restored.v1"

    public var contentId: UUID
    /// As in ``ContentDraftCreated``.
    public var kind: String
    public var title: String

    public init(contentId: UUID, kind: String, title: String) {
        self.contentId = contentId
        self.kind = kind
        self.title = title
    }
}

/// `GET /api/contents/{id}/diff?from=&to=`
public struct ContentDiff: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var from: Int
    public var to: Int
    /// In the order in which they stand in the newer version; what is there no more comes last.
    public var fields: [ContentFieldDiff]

    public init(contentId: UUID, from: Int, to: Int, fields: [ContentFieldDiff]) {
        self.contentId = contentId
        self.from = from
        self.to = to
        self.fields = fields
    }
}

/// What became of one text or number.
public struct ContentFieldDiff: Codable, Sendable, Equatable {
    public enum Change: String, Codable, Sendable, CaseIterable {
        case added, removed, changed
    }
    /// RFC 6901, into the version's `title` and `body`.
    public var pointer: String
    public var change: Change
    /// As text; absent with `added`.
    public var before: String?
    /// As text; absent with `removed`.
    public var after: String?
    /// For a changed text: its runs of characters. Without the `added` ones they are the text before, without the `removed` ones the text
    /// after.
    public var runs: [ContentTextRun]?

    public init(pointer: String, change: Change, before: String?, after: String?, runs: [ContentTextRun]?) {
        self.pointer = pointer
        self.change = change
        self.before = before
        self.after = after
        self.runs = runs
    }
}

public struct ContentTextRun: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case same, removed, added
    }
    public var kind: Kind
    public var text: String

    public init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}
