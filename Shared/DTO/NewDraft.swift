public import FoundationEssentials

/// `POST /api/contents`, `POST /v1/drafts`: version 1 of a content that a person writes. Who wrote it is not the client's to say: the
/// source is always `human`.
public struct NewDraft: Codable, Sendable, Equatable {
    /// The body's.
    public var kind: ContentKind
    public var title: String
    public var body: NewDraftBody
    /// What belongs together has the same.
    public var groupId: UUID?

    public init(title: String, body: NewDraftBody, groupId: UUID? = nil) {
        self.kind = body.kind
        self.title = title
        self.body = body
        self.groupId = groupId
    }
}

/// As ``ContentBody``, but titles come without scores and reasons: those are the flows' findings.
public enum NewDraftBody: Codable, Sendable, Equatable {
    case titleSet(NewTitleSet)
    case other(ContentBody)

    public var kind: ContentKind {
        switch self {
        case .titleSet: .titleSet
        case .other(let body): body.kind
        }
    }

    private enum Marks: String, CodingKey { case candidates }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Marks.self)
        self = members.contains(.candidates) ? .titleSet(try NewTitleSet(from: decoder)) : .other(try ContentBody(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .titleSet(let body): try body.encode(to: encoder)
        case .other(let body): try body.encode(to: encoder)
        }
    }
}

/// Titles that a person wrote.
public struct NewTitleSet: Codable, Sendable, Equatable {
    public struct Candidate: Codable, Sendable, Equatable {
        public var title: String

        public init(title: String) { self.title = title }
    }

    public var topic: String
    public var platform: ContentPlatform
    public var candidates: [Candidate]
    /// Index into `candidates`.
    public var selected: Int?

    public init(topic: String, platform: ContentPlatform, candidates: [Candidate], selected: Int? = nil) {
        self.topic = topic
        self.platform = platform
        self.candidates = candidates
        self.selected = selected
    }
}
