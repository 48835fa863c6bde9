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

/// One title of a saved set. It has a score only as long as it reads as it did when it was scored: a title that a person changed or added
/// has none, `formula` `manual` and a reason that says so.
public struct TitleSetCandidate: Codable, Sendable, Equatable {
    public var title: String
    /// 0–100 by the rules that `reasons` names; absent for a title written by a person.
    public var score: Int?
    public var reasons: [String]
    /// As in ``TitleCandidate``, or ``manualFormula``.
    public var formula: String

    public static let manualFormula = "manual"

    public init(title: String, score: Int?, reasons: [String], formula: String) {
        self.title = title
        self.score = score
        self.reasons = reasons
        self.formula = formula
    }

    public init(_ candidate: TitleCandidate) {
        self.init(title: candidate.title, score: candidate.score, reasons: candidate.reasons, formula: candidate.formula)
    }
}

/// The body of a `title_set`: the candidates, and which of them the editor chose.
public struct TitleSetBody: Codable, Sendable, Equatable {
    public var topic: String
    public var platform: ContentPlatform
    public var candidates: [TitleSetCandidate]
    /// Index into `candidates`; absent until somebody chose.
    public var selected: Int?

    public init(topic: String, platform: ContentPlatform, candidates: [TitleSetCandidate], selected: Int? = nil) {
        self.topic = topic
        self.platform = platform
        self.candidates = candidates
        self.selected = selected
    }
}

/// `POST /v1/contents`: saves version 1 as a draft. A repeat with the same `X-Operation-Id` and `step` answers what was stored.
public struct NewContent: Codable, Sendable, Equatable {
    /// Which of the operation's drafts this is: one operation may save several (one brief, many platforms). 1–64 of `[a-z0-9_.-]`.
    public var step: String
    public var kind: ContentKind
    public var title: String
    public var body: TitleSetBody
    public var source: VersionSource

    public init(step: String, kind: ContentKind, title: String, body: TitleSetBody, source: VersionSource) {
        self.step = step
        self.kind = kind
        self.title = title
        self.body = body
        self.source = source
    }
}

/// `PATCH /api/contents/{id}`, a JSON merge patch (RFC 7396): an absent member stays as it is. Needs `If-Match`.
public struct ContentPatch: Codable, Sendable, Equatable {
    /// The content's own name in lists.
    public var title: String?
    /// The whole new list, in its order. A title that stands in the version before keeps its score and reasons.
    public var candidates: [Candidate]?
    public var selected: Selection?

    public struct Candidate: Codable, Sendable, Equatable {
        public var title: String

        public init(title: String) { self.title = title }
    }

    /// On the wire an index into the new `candidates`, or `null` for none.
    public enum Selection: Codable, Sendable, Equatable {
        case none
        case candidate(Int)

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            self = container.decodeNil() ? .none : .candidate(try container.decode(Int.self))
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .none: try container.encodeNil()
            case .candidate(let index): try container.encode(index)
            }
        }
    }

    public init(title: String? = nil, candidates: [Candidate]? = nil, selected: Selection? = nil) {
        self.title = title
        self.candidates = candidates
        self.selected = selected
    }

    /// Written out because a synthesized one reads `"selected": null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        title = try container.decodeIfPresent(String.self, forKey: .title)
        candidates = try container.decodeIfPresent([Candidate].self, forKey: .candidates)
        selected = container.contains(.selected) ? try container.decode(Selection.self, forKey: .selected) : nil
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
        id: UUID, kind: ContentKind, status: ContentStatus, version: Int, title: String, body: TitleSetBody,
        source: VersionSource,
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
