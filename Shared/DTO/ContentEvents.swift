public import FoundationEssentials

// What content-center tells of contents.

/// `data` of `content.draft.created.v1`; subject is the content's id.
public struct ContentDraftCreated: Codable, Sendable, Equatable {
    public static let type = "content.draft.created.v1"

    public var contentId: UUID
    /// A ``ContentKind``'s raw value; consumers pass over kinds that they do not know yet.
    public var kind: String
    public var status: ContentStatus
    public var version: Int
    public var title: String
    /// The operation that made it; absent for drafts made without one.
    public var operationId: UUID?

    public init(contentId: UUID, kind: String, status: ContentStatus, version: Int, title: String, operationId: UUID?) {
        self.contentId = contentId
        self.kind = kind
        self.status = status
        self.version = version
        self.title = title
        self.operationId = operationId
    }
}

/// `data` of `content.version.created.v1`, written by a second edit (二次编辑); subject is the content's id.
public struct ContentVersionCreated: Codable, Sendable, Equatable {
    public static let type = "content.version.created.v1"

    public var contentId: UUID
    /// As in ``ContentDraftCreated``.
    public var kind: String
    public var status: ContentStatus
    public var version: Int
    public var title: String

    public init(contentId: UUID, kind: String, status: ContentStatus, version: Int, title: String) {
        self.contentId = contentId
        self.kind = kind
        self.status = status
        self.version = version
        self.title = title
    }
}
