public import FoundationEssentials

// What content-center serves under `/v1/contents` and the gateway under `/api/contents`.

/// What a content is.
public enum ContentKind: String, Codable, Sendable, CaseIterable {
    case titleSet = "title_set"
    case copy
    case imageText = "image_text"
    case videoScript = "video_script"
    case video
    case replyTemplate = "reply_template"
}

/// What a content says. On the wire it is the kind's own object; each kind has a member that no other has, so that it can be read without
/// knowing the kind.
public enum ContentBody: Codable, Sendable, Equatable {
    case titleSet(TitleSetBody)
    case copy(CopyBody)
    case imageText(ImageTextBody)
    case videoScript(VideoScriptBody)
    case video(VideoBody)
    case replyTemplate(ReplyTemplateBody)

    public var kind: ContentKind {
        switch self {
        case .titleSet: .titleSet
        case .copy: .copy
        case .imageText: .imageText
        case .videoScript: .videoScript
        case .video: .video
        case .replyTemplate: .replyTemplate
        }
    }

    /// See ``ContentCompleteness``.
    public var completeness: ContentCompleteness {
        let isFinished =
            switch self {
            case .imageText(let body): body.slots.allSatisfy { $0.assetId != nil }
            case .video(let body): body.video.assetId != nil
            case .titleSet, .copy, .videoScript, .replyTemplate: false
            }
        return isFinished ? .finished : .draft
    }

    private enum Marks: String, CodingKey {
        case candidates, slots, scenes, video, variables
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Marks.self)
        self =
            if members.contains(.candidates) {
                .titleSet(try TitleSetBody(from: decoder))
            } else if members.contains(.slots) {
                .imageText(try ImageTextBody(from: decoder))
            } else if members.contains(.scenes) {
                .videoScript(try VideoScriptBody(from: decoder))
            } else if members.contains(.video) {
                .video(try VideoBody(from: decoder))
            } else if members.contains(.variables) {
                .replyTemplate(try ReplyTemplateBody(from: decoder))
            } else {
                .copy(try CopyBody(from: decoder))
            }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .titleSet(let body): try body.encode(to: encoder)
        case .copy(let body): try body.encode(to: encoder)
        case .imageText(let body): try body.encode(to: encoder)
        case .videoScript(let body): try body.encode(to: encoder)
        case .video(let body): try body.encode(to: encoder)
        case .replyTemplate(let body): try body.encode(to: encoder)
        }
    }
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
        /// Made after a hot content of somebody else (爆款内容复刻).
        case replication
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
    public var brief: ContentBrief?

    public init(
        topic: String, platform: ContentPlatform, candidates: [TitleSetCandidate], selected: Int? = nil,
        brief: ContentBrief? = nil
    ) {
        self.topic = topic
        self.platform = platform
        self.candidates = candidates
        self.selected = selected
        self.brief = brief
    }
}

/// `POST /v1/contents`: saves version 1 of what a flow wrote as a draft. A repeat with the same `X-Operation-Id` and `step` answers what was stored.
public struct NewContent: Codable, Sendable, Equatable {
    /// Which of the operation's drafts this is: one operation may save several (one brief, many platforms). 1–64 of `[a-z0-9_.-]`.
    public var step: String
    /// The body's.
    public var kind: ContentKind
    public var title: String
    public var body: ContentBody
    public var source: VersionSource
    /// What was made from one brief belongs together.
    public var groupId: UUID?

    public init(step: String, title: String, body: ContentBody, source: VersionSource, groupId: UUID? = nil) {
        self.step = step
        self.kind = body.kind
        self.title = title
        self.body = body
        self.source = source
        self.groupId = groupId
    }
}

/// `POST /v1/contents/{id}/versions`: the next version, written by a flow. Needs `If-Match`. A repeat with the same `X-Operation-Id` and
/// `step` answers what was stored.
public struct NewVersion: Codable, Sendable, Equatable {
    /// As in ``NewContent``.
    public var step: String
    /// Must be the content's.
    public var kind: ContentKind
    /// The content's name stays as it is when absent.
    public var title: String?
    public var body: ContentBody
    public var source: VersionSource

    public init(step: String, title: String? = nil, body: ContentBody, source: VersionSource) {
        self.step = step
        self.kind = body.kind
        self.title = title
        self.body = body
        self.source = source
    }
}

/// A content with its newest version, as `GET /api/contents/{id}` shows it. The `ETag` is the version in quotes, with the revision behind it
/// where that is another number: `"3"`, `"3.5"`.
public struct Content: Codable, Sendable, Equatable {
    public var id: UUID
    /// The body's.
    public var kind: ContentKind
    public var status: ContentStatus
    /// Where it stood before it was put on hold; there only with ``ContentStatus/onHold``.
    public var heldFrom: ContentStatus?
    /// Follows from the body.
    public var completeness: ContentCompleteness
    /// What was made from one brief has the same.
    public var groupId: UUID?
    /// The project space that it is kept in.
    public var spaceId: UUID?
    public var topic: String?
    public var tags: [String]
    public var version: Int
    /// Grows with every change, of the text or of what stands beside it; the `version` of the content's events.
    public var revision: Int
    public var title: String
    public var body: ContentBody
    public var source: VersionSource
    /// The principal who wrote this version.
    public var author: String
    public var createdAt: Date
    public var updatedAt: Date
    /// Of kind `video`, where a content is asked for by itself: what media jobs have made for it.
    public var media: ContentMedia?

    /// - Parameter revision: the version when nothing but the text has ever changed.
    public init(
        id: UUID, status: ContentStatus, heldFrom: ContentStatus? = nil, groupId: UUID? = nil, version: Int,
        revision: Int? = nil, title: String, body: ContentBody, source: VersionSource, author: String, createdAt: Date,
        updatedAt: Date, spaceId: UUID? = nil, topic: String? = nil, tags: [String] = []
    ) {
        self.id = id
        self.kind = body.kind
        self.status = status
        self.heldFrom = heldFrom
        self.revision = revision ?? version
        self.spaceId = spaceId
        self.topic = topic
        self.tags = tags
        self.completeness = body.completeness
        self.groupId = groupId
        self.version = version
        self.title = title
        self.body = body
        self.source = source
        self.author = author
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension Content {
    /// The `ETag`.
    public var entityTag: String { revision == version ? "\"\(version)\"" : "\"\(version).\(revision)\"" }
}

/// One line of `GET /api/contents`.
public struct ContentSummary: Codable, Sendable, Equatable {
    public var id: UUID
    public var kind: ContentKind
    public var status: ContentStatus
    public var completeness: ContentCompleteness
    public var groupId: UUID?
    public var spaceId: UUID?
    public var topic: String?
    public var tags: [String]
    public var version: Int
    public var title: String
    public var createdAt: Date
    public var updatedAt: Date
    /// There only in the bin.
    public var deletedAt: Date?

    public init(
        id: UUID, kind: ContentKind, status: ContentStatus, completeness: ContentCompleteness, groupId: UUID?, version: Int,
        title: String, createdAt: Date, updatedAt: Date, spaceId: UUID?, topic: String?, tags: [String], deletedAt: Date?
    ) {
        self.spaceId = spaceId
        self.topic = topic
        self.tags = tags
        self.deletedAt = deletedAt
        self.id = id
        self.kind = kind
        self.status = status
        self.completeness = completeness
        self.groupId = groupId
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
    public var body: ContentBody
    public var source: VersionSource
    public var author: String
    public var createdAt: Date
    /// The version that this one is again; its source is that one's.
    public var restoredFrom: Int?

    public init(
        version: Int, title: String, body: ContentBody, source: VersionSource, author: String, createdAt: Date,
        restoredFrom: Int? = nil
    ) {
        self.restoredFrom = restoredFrom
        self.version = version
        self.title = title
        self.body = body
        self.source = source
        self.author = author
        self.createdAt = createdAt
    }
}
