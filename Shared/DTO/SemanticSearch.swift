public import FoundationEssentials

/// `GET /api/search/semantic`: contents by what they mean, whatever words they use.
public struct SemanticSearchAnswer: Codable, Sendable, Equatable {
    /// The nearest first.
    public var items: [SemanticSearchHit]
    /// Whose vectors were compared.
    public var model: String
    /// So many contents are not among them yet, because they are still being taken in; 1,000 stands for more.
    public var pending: Int

    public init(items: [SemanticSearchHit], model: String, pending: Int) {
        self.items = items
        self.model = model
        self.pending = pending
    }
}

public struct SemanticSearchHit: Codable, Sendable, Equatable {
    public var content: ContentSummary
    /// The cosine of the two vectors in thousandths, -1,000 to 1,000; only of use beside those of the same model.
    public var score: Int

    public init(content: ContentSummary, score: Int) {
        self.content = content
        self.score = score
    }
}

/// `POST /v1/search/semantic` of content-center.
public struct SemanticQuery: Codable, Sendable, Equatable {
    public var model: String
    /// Little-endian float32 in base64, as model vendors hand it out.
    public var vector: String
    public var kind: ContentKind?
    public var status: ContentStatus?
    public var limit: Int

    public init(model: String, vector: String, kind: ContentKind? = nil, status: ContentStatus? = nil, limit: Int) {
        self.model = model
        self.vector = vector
        self.kind = kind
        self.status = status
        self.limit = limit
    }
}

/// `GET /v1/search/vectors/pending` of content-center: texts of which it has no vector of a model yet.
public struct SemanticPending: Codable, Sendable, Equatable {
    public var items: [SemanticText]

    public init(items: [SemanticText]) { self.items = items }
}

/// The newest version of a content, as a model is to read it.
public struct SemanticText: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var version: Int
    public var text: String

    public init(contentId: UUID, version: Int, text: String) {
        self.contentId = contentId
        self.version = version
        self.text = text
    }
}

/// `PUT /v1/search/vectors` of content-center.
public struct SemanticVectors: Codable, Sendable, Equatable {
    public var model: String
    public var items: [SemanticVector]

    public init(model: String, items: [SemanticVector]) {
        self.model = model
        self.items = items
    }
}

public struct SemanticVector: Codable, Sendable, Equatable {
    public var contentId: UUID
    public var version: Int
    /// As in ``SemanticQuery/vector``; absent where the model does not take the text: it waits no more, and is not found.
    public var vector: String?

    public init(contentId: UUID, version: Int, vector: String? = nil) {
        self.contentId = contentId
        self.version = version
        self.vector = vector
    }
}
