public import FoundationEssentials

// Work on many contents at once, and what resembles what.

/// `POST /api/contents/bulk`
public struct ContentBulkRequest: Codable, Sendable, Equatable {
    public enum Action: String, Codable, Sendable, CaseIterable {
        case tag, untag, move, delete, restore, submit, approve
    }
    public var action: Action
    /// 1–500, each once.
    public var ids: [UUID]
    /// Of `tag` and `untag`: 1–30 of 1–50 characters.
    public var tags: [String]?
    /// Of `move`: the space that they go to; out of any space when absent.
    public var spaceId: UUID?

    public init(action: Action, ids: [UUID], tags: [String]? = nil, spaceId: UUID? = nil) {
        self.action = action
        self.ids = ids
        self.tags = tags
        self.spaceId = spaceId
    }
}

/// `202` of `POST /api/contents/bulk`, and `GET /api/contents/bulk/{id}`.
public struct ContentBulkJob: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable, CaseIterable {
        case queued, running, succeeded, failed, canceled
    }
    public var id: UUID
    public var action: ContentBulkRequest.Action
    /// `succeeded` once every content has been tried; which of them were done stands beside it.
    public var state: State
    /// Percent.
    public var progress: Int
    public var total: Int
    /// So far.
    public var done: Int
    public var refused: Int
    /// In the order of the request, as far as it has come.
    public var items: [ContentBulkItem]
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?

    public init(
        id: UUID, action: ContentBulkRequest.Action, state: State, progress: Int, total: Int, items: [ContentBulkItem],
        createdAt: Date, startedAt: Date?, finishedAt: Date?
    ) {
        self.id = id
        self.action = action
        self.state = state
        self.progress = progress
        self.total = total
        self.done = items.count(where: \.isDone)
        self.refused = items.count - done
        self.items = items
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

public struct ContentBulkItem: Codable, Sendable, Equatable {
    public var id: UUID
    public var isDone: Bool
    /// Why not: the code of the problem that the single action would have answered.
    public var code: String?
    /// The same problem in words.
    public var title: String?
    public var detail: String?

    public init(id: UUID, isDone: Bool, code: String? = nil, title: String? = nil, detail: String? = nil) {
        self.id = id
        self.isDone = isDone
        self.code = code
        self.title = title
        self.detail = detail
    }
}

/// `data` of `content.job.progressed.v1`, `content.job.succeeded.v1`, `content.job.failed.v1` and `content.job.canceled.v1`; subject is the
/// job.
public struct ContentJobMoved: Codable, Sendable, Equatable {
    public static let progressedType = "content.job.progressed.v1"
    public static let succeededType = "content.job.succeeded.v1"
    public static let failedType = "content.job.failed.v1"
    public static let canceledType = "content.job.canceled.v1"

    public var jobId: UUID
    public var action: ContentBulkRequest.Action
    public var state: ContentBulkJob.State
    /// Percent.
    public var progress: Int
    public var total: Int
    /// So far.
    public var done: Int
    public var refused: Int

    public init(
        jobId: UUID, action: ContentBulkRequest.Action, state: ContentBulkJob.State, progress: Int, total: Int, done: Int,
        refused: Int
    ) {
        self.jobId = jobId
        self.action = action
        self.state = state
        self.progress = progress
        self.total = total
        self.done = done
        self.refused = refused
    }
}

/// `GET /api/contents/{id}/similar`: the tenant's own contents that read alike, the most alike first.
public struct ContentSimilarity: Codable, Sendable, Equatable {
    public var contentId: UUID
    /// The version that was compared.
    public var version: Int
    public var items: [SimilarContent]
    /// Whether all of the tenant's contents have been looked at; else the same request goes on with the rest.
    public var isComplete: Bool

    public init(contentId: UUID, version: Int, items: [SimilarContent], isComplete: Bool = true) {
        self.contentId = contentId
        self.version = version
        self.items = items
        self.isComplete = isComplete
    }
}

public struct SimilarContent: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var version: Int
    public var title: String
    /// The share of this content's shingles that the other has too, in percent.
    public var score: Int
    /// The longest first, at most ten.
    public var passages: [SimilarPassage]

    public init(contentId: UUID, version: Int, title: String, score: Int, passages: [SimilarPassage]) {
        self.contentId = contentId
        self.version = version
        self.title = title
        self.score = score
        self.passages = passages
    }
}

/// A passage that both have: the words as each writes them.
public struct SimilarPassage: Codable, Sendable, Equatable {
    public var text: String
    public var otherText: String

    public init(text: String, otherText: String) {
        self.text = text
        self.otherText = otherText
    }
}
