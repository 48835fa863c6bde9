public import FoundationEssentials

// What content-center serves under `/v1/contents` and the gateway under `/api/contents`.

/// What a content is. Later flows add `copy`, `image_text`, `video_script`, `video` and `reply_template`.
public enum ContentKind: String, Codable, Sendable, CaseIterable {
    case titleSet = "title_set"
}

/// The publish states of design §4.
public enum ContentStatus: String, Codable, Sendable, CaseIterable {
    case draft
    case inReview = "in_review"
    case changesRequested = "changes_requested"
    case approved
    case onHold = "on_hold"
    case scheduled
    case queued
    case publishing
    case waitingUserAction = "waiting_user_action"
    case unconfirmed
    case published
    case failed
    case canceled
}

/// Who wrote a version.
public struct VersionSource: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case human
        case model
        case template
    }
    public var kind: Kind
    /// The model's or template's name.
    public var name: String?
    public var promptVersion: String?

    public init(kind: Kind, name: String? = nil, promptVersion: String? = nil) {
        self.kind = kind
        self.name = name
        self.promptVersion = promptVersion
    }
}

/// The body of a `title_set`: the candidates, and which of them the editor chose.
public struct TitleSetBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var candidates: [TitleCandidate]
    /// Index into `candidates`; `null` until somebody chose.
    public var selected: Int?

    public init(topic: String, platform: ContentPlatform, candidates: [TitleCandidate], selected: Int? = nil) {
        self.topic = topic
        self.platform = platform
        self.candidates = candidates
        self.selected = selected
    }
}

/// `POST /v1/contents`: saves version 1 as a draft. Idempotent by `X-Operation-Id`.
public struct NewContent: Codable, Sendable, Equatable {
    public var kind: ContentKind
    public var title: String
    public var body: TitleSetBody
    public var source: VersionSource

    public init(kind: ContentKind, title: String, body: TitleSetBody, source: VersionSource) {
        self.kind = kind
        self.title = title
        self.body = body
        self.source = source
    }
}

/// A content with its newest version, as `GET /api/contents/{id}` shows it. The `ETag` is the version in quotes.
public struct Content: Codable, Sendable, Equatable {
    public var id: UUID
    public var kind: ContentKind
    public var status: ContentStatus
    public var version: Int
    public var title: String
    public var body: TitleSetBody
    public var source: VersionSource
    /// The principal who wrote this version.
    public var author: String
    public var createdAt: Date
    public var updatedAt: Date

    public init(
        id: UUID, kind: ContentKind, status: ContentStatus, version: Int, title: String, body: TitleSetBody, source: VersionSource,
        author: String, createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.version = version
        self.title = title
        self.body = body
        self.source = source
        self.author = author
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// One line of `GET /api/contents`.
public struct ContentSummary: Codable, Sendable, Equatable {
    public var id: UUID
    public var kind: ContentKind
    public var status: ContentStatus
    public var version: Int
    public var title: String
    public var createdAt: Date
    public var updatedAt: Date

    public init(
        id: UUID, kind: ContentKind, status: ContentStatus, version: Int, title: String, createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.version = version
        self.title = title
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// One immutable version, as `GET /api/contents/{id}/versions` lists them, newest first.
public struct ContentVersion: Codable, Sendable, Equatable {
    public var version: Int
    public var title: String
    public var body: TitleSetBody
    public var source: VersionSource
    public var author: String
    public var createdAt: Date

    public init(version: Int, title: String, body: TitleSetBody, source: VersionSource, author: String, createdAt: Date) {
        self.version = version
        self.title = title
        self.body = body
        self.source = source
        self.author = author
        self.createdAt = createdAt
    }
}

/// `data` of `content.draft.created.v1`; subject is the content's id.
public struct ContentDraftCreated: Codable, Sendable, Equatable {
    public static let type = "content.draft.created.v1"

    public var contentId: UUID
    public var kind: ContentKind
    public var status: ContentStatus
    public var version: Int
    public var title: String
    /// The operation that made it; `null` for drafts made without one.
    public var operationId: UUID?

    public init(contentId: UUID, kind: ContentKind, status: ContentStatus, version: Int, title: String, operationId: UUID?) {
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
    public var kind: ContentKind
    public var status: ContentStatus
    public var version: Int
    public var title: String

    public init(contentId: UUID, kind: ContentKind, status: ContentStatus, version: Int, title: String) {
        self.contentId = contentId
        self.kind = kind
        self.status = status
        self.version = version
        self.title = title
    }
}
