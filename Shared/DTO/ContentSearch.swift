// What content-center serves under `/v1/search` and the gateway under `/api/search`.

/// `GET /api/search`: a page of what was found, best first.
public struct SearchAnswer: Codable, Sendable, Equatable {
    public var items: [SearchHit]
    /// Absent on the last page.
    public var nextCursor: String?
    /// How many contents match; at most 400 are ranked, counted and shown.
    public var total: Int
    /// False when there are perhaps more than `total`.
    public var isTotalExact: Bool
    /// The matches, counted.
    public var facets: SearchFacets
    /// Words that were read as others, because the tenant's contents have no such word but one of nearly the same spelling.
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

public struct SearchHit: Codable, Sendable, Equatable {
    public var content: ContentSummary
    /// Only of use beside the scores of the same query.
    public var score: Int
    /// The content's name.
    public var title: [SearchTextPart]
    /// The passage that says most of what was looked for; about 100 characters.
    public var snippet: [SearchTextPart]
    /// What the snippet is part of; absent where there is none.
    public var snippetField: SearchField?
    /// Where something of what was looked for stands, the weightiest first; `subtitle` where something stands nowhere else.
    public var matchedFields: [SearchField]

    public init(
        content: ContentSummary, score: Int, title: [SearchTextPart], snippet: [SearchTextPart], snippetField: SearchField?,
        matchedFields: [SearchField]
    ) {
        self.content = content
        self.score = score
        self.title = title
        self.snippet = snippet
        self.snippetField = snippetField
        self.matchedFields = matchedFields
    }
}

/// What of a content a text is.
public enum SearchField: String, Codable, Sendable, CaseIterable {
    /// Its name, and the titles that readers see.
    case title
    case body
    /// Topic and tags.
    case label
    /// The name of a file that it shows.
    case file
    /// What is said in its video.
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
    public var kind: [SearchFacetValue]
    public var status: [SearchFacetValue]
    public var completeness: [SearchFacetValue]

    public static let none = SearchFacets(kind: [], status: [], completeness: [])

    public init(kind: [SearchFacetValue], status: [SearchFacetValue], completeness: [SearchFacetValue]) {
        self.kind = kind
        self.status = status
        self.completeness = completeness
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
