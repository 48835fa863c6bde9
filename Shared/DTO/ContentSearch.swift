// What content-center serves under `/v1/search` and the gateway under `/api/search`.

/// `GET /api/search`: a page of what was found, best first.
public struct SearchAnswer: Codable, Sendable, Equatable {
    public var items: [SearchHit]
    /// Absent on the last page.
    public var nextCursor: String?
    /// How many contents and assets match; at most 400 are ranked, counted and shown.
    public var total: Int
    /// False when there are perhaps more than `total`.
    public var isTotalExact: Bool
    /// The matches, counted.
    public var facets: SearchFacets
    /// Words that were read as others, because the tenant uses no such word but one of nearly the same spelling.
    public var corrections: [SearchCorrection]

    public static let nothing = SearchAnswer(
        items: [], total: 0, isTotalExact: true, facets: .none, corrections: [])

    public init(
        items: [SearchHit], nextCursor: String? = nil, total: Int, isTotalExact: Bool, facets: SearchFacets,
        corrections: [SearchCorrection]
    ) {
        self.items = items
        self.nextCursor = nextCursor
        self.total = total
        self.isTotalExact = isTotalExact
        self.facets = facets
        self.corrections = corrections
    }
}

/// What was found: a content, or a file of the library.
public enum SearchHitType: String, Codable, Sendable, CaseIterable {
    case content
    case asset
}

public struct SearchHit: Codable, Sendable, Equatable {
    public var type: SearchHitType
    /// There where the type says so.
    public var content: ContentSummary?
    /// There where the type says so.
    public var asset: LibraryAsset?
    /// Only of use beside the scores of the same query.
    public var score: Int
    /// The content's name, or the file's.
    public var title: [SearchTextPart]
    /// The passage that says most of what was looked for; about 100 characters.
    public var snippet: [SearchTextPart]
    /// What the snippet is part of; absent where there is none.
    public var snippetField: SearchField?
    /// Where something of what was looked for stands, the weightiest first; `subtitle` where something stands nowhere else.
    public var matchedFields: [SearchField]

    public init(
        content: ContentSummary? = nil, asset: LibraryAsset? = nil, score: Int, title: [SearchTextPart],
        snippet: [SearchTextPart], snippetField: SearchField?, matchedFields: [SearchField]
    ) {
        type = asset == nil ? .content : .asset
        self.content = content
        self.asset = asset
        self.score = score
        self.title = title
        self.snippet = snippet
        self.snippetField = snippetField
        self.matchedFields = matchedFields
    }
}

/// What of a content or an asset a text is.
public enum SearchField: String, Codable, Sendable, CaseIterable {
    /// A content's name, and the titles that readers see; an asset's name.
    case title
    case body
    /// Topic and tags.
    case label
    /// The name of a file that it shows.
    case file
    /// The name of a folder that an asset lies in, or of one above it.
    case folder
    /// What is said in a content's video, or in the asset.
    case subtitle
}

/// A stretch of plain text: the parts one after the other are the text.
public struct SearchTextPart: Codable, Sendable, Equatable {
    public var text: String
    /// It is what was looked for.
    public var isMatch: Bool

    public init(text: String, isMatch: Bool) {
        self.text = text
        self.isMatch = isMatch
    }
}

/// How many of the matches have which value; the commonest first.
public struct SearchFacets: Codable, Sendable, Equatable {
    public var type: [SearchFacetValue]
    /// Of contents, as the two after it.
    public var kind: [SearchFacetValue]
    public var status: [SearchFacetValue]
    public var completeness: [SearchFacetValue]
    /// Of assets.
    public var assetKind: [SearchFacetValue]
    /// The commonest 20; these three only for who asks for `labelFacets`.
    public var tag: [SearchFacetValue]?
    /// Of contents, the commonest 20.
    public var topic: [SearchFacetValue]?
    /// Ids of project spaces; of contents, the commonest 20.
    public var spaceId: [SearchFacetValue]?

    public static let none = SearchFacets(type: [], kind: [], status: [], completeness: [], assetKind: [])

    public init(
        type: [SearchFacetValue], kind: [SearchFacetValue], status: [SearchFacetValue], completeness: [SearchFacetValue],
        assetKind: [SearchFacetValue], tag: [SearchFacetValue]? = nil, topic: [SearchFacetValue]? = nil,
        spaceId: [SearchFacetValue]? = nil
    ) {
        self.type = type
        self.kind = kind
        self.status = status
        self.completeness = completeness
        self.assetKind = assetKind
        self.tag = tag
        self.topic = topic
        self.spaceId = spaceId
    }
}

public struct SearchFacetValue: Codable, Sendable, Equatable {
    public var value: String
    public var count: Int

    public init(value: String, count: Int) {
        self.value = value
        self.count = count
    }
}

public struct SearchCorrection: Codable, Sendable, Equatable {
    /// As it was typed, folded.
    public var from: String
    public var to: String

    public init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}
