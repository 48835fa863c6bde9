public import FoundationEssentials

// The review of contents (审批) and what is said about them.

/// `POST /api/contents/{id}/submit`, `…/withdraw`, `…/approve`, `…/hold`, `…/release`, each with `If-Match`.
public struct ReviewNote: Codable, Sendable, Equatable {
    /// 1–2,000 characters.
    public var note: String?

    public init(note: String? = nil) { self.note = note }
}

/// `POST /api/contents/{id}/request-changes`, with `If-Match`.
public struct ChangeRequest: Codable, Sendable, Equatable {
    /// What is to change; 1–2,000 characters.
    public var note: String

    public init(note: String) { self.note = note }
}

/// One line of `GET /api/contents/{id}/reviews`.
public struct ContentReviewEntry: Codable, Sendable, Equatable {
    /// The content's, after this.
    public var revision: Int
    /// The version it was about.
    public var version: Int
    /// `submit`, `withdraw`, `approve`, `request_changes`, `hold`, `release`, or `edit`, where an edit took back an approval.
    public var action: String
    public var from: ContentStatus
    public var to: ContentStatus
    public var note: String?
    /// The principal.
    public var actor: String
    public var createdAt: Date

    public init(
        revision: Int, version: Int, action: String, from: ContentStatus, to: ContentStatus, note: String?, actor: String,
        createdAt: Date
    ) {
        self.revision = revision
        self.version = version
        self.action = action
        self.from = from
        self.to = to
        self.note = note
        self.actor = actor
        self.createdAt = createdAt
    }
}

/// `POST /api/contents/{id}/comments`
public struct NewContentComment: Codable, Sendable, Equatable {
    /// 1–2,000 characters.
    public var text: String
    /// The newest one when absent.
    public var version: Int?
    /// What of that version it is about: a JSON pointer (RFC 6901) into its `title` and `body`, such as `/body/scenes/2/line`.
    public var pointer: String?

    public init(text: String, version: Int? = nil, pointer: String? = nil) {
        self.text = text
        self.version = version
        self.pointer = pointer
    }
}

/// One line of `GET /api/contents/{id}/comments`, oldest first.
public struct ContentComment: Codable, Sendable, Equatable {
    public var id: UUID
    public var contentId: UUID
    public var version: Int
    public var pointer: String?
    public var text: String
    public var author: String
    public var createdAt: Date
    public var resolvedAt: Date?
    public var resolvedBy: String?

    public init(
        id: UUID, contentId: UUID, version: Int, pointer: String?, text: String, author: String, createdAt: Date,
        resolvedAt: Date?, resolvedBy: String?
    ) {
        self.id = id
        self.contentId = contentId
        self.version = version
        self.pointer = pointer
        self.text = text
        self.author = author
        self.createdAt = createdAt
        self.resolvedAt = resolvedAt
        self.resolvedBy = resolvedBy
    }
}

/// `data` of `content.status.changed.v1`; subject is the content's id. That an edit took back an approval is told by
/// `content.version.created.v1`, which has the status too.
public struct ContentStatusChanged: Codable, Sendable, Equatable {
    public static let type = "content.status.changed.v1"

    public var contentId: UUID
    /// As in ``ContentDraftCreated``.
    public var kind: String
    /// As in ``ContentReviewEntry``.
    public var action: String
    public var from: ContentStatus
    public var status: ContentStatus
    public var version: Int
    public var title: String
    public var note: String?

    public init(
        contentId: UUID, kind: String, action: String, from: ContentStatus, status: ContentStatus, version: Int, title: String,
        note: String?
    ) {
        self.contentId = contentId
        self.kind = kind
        self.action = action
        self.from = from
        self.status = status
        self.version = version
        self.title = title
        self.note = note
    }
}
