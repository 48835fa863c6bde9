import DTO
import FoundationEssentials

/// Finds what a tenant has made by what it says (seed 001 §3.3: "用于素材/文案/项目快速检索").
struct ContentSearch: Sendable {
    /// So many of the best matches are ranked, counted and shown; who wants others looks for more exactly those.
    static let mostMatches = 400

    let store: ContentSearchStore

    func search(_ request: SearchRequest, of tenantId: UUID) async throws -> SearchAnswer {
        let query = request.query
        guard !query.isEmpty else { return .nothing }
        let words = query.words
        let vocabulary = words.isEmpty ? [:] : try await store.vocabulary(words, of: tenantId)
        let (tokens, corrections) = query.tokens(knowing: vocabulary)
        let found = try await store.matches(
            of: tokens, phrases: query.phrases, request, limit: request.limit + 1, tenantId: tenantId)
        let highlighter = Highlighter(tokens: Set(tokens))
        let items = found.hits.prefix(request.limit).map { $0.shown(by: highlighter) }
        var next: SearchPosition?
        if found.hits.count > request.limit, let last = items.last, let asOf = found.asOf {
            next = SearchPosition(asOf: asOf, weights: found.weights, score: last.score, id: last.content.id)
        }
        return SearchAnswer(
            items: items, nextCursor: try next.map(ContentSearchInput.cursor), total: found.total,
            isTotalExact: found.total < Self.mostMatches, facets: found.facets,
            corrections: corrections.map { SearchCorrection(from: $0.from, to: $0.to) })
    }
}

/// What is looked for, and which part of it is to be shown.
struct SearchRequest: Sendable {
    enum Order: String, Sendable, CaseIterable {
        case relevance
        case newest
    }

    var query: SearchQuery
    var kind: ContentKind?
    var status: ContentStatus?
    var completeness: ContentCompleteness?
    var groupId: UUID?
    var spaceId: UUID?
    var topic: String?
    var tag: String?
    /// Made at this instant or later.
    var from: Date?
    /// Made before this instant.
    var to: Date?
    var order: Order
    var limit: Int
    var after: SearchPosition?
}

/// Where a page of matches ended. It brings along what the first page's scores were made from.
struct SearchPosition: Codable, Sendable, Equatable {
    var asOf: Date
    var weights: [Int]
    var score: Int
    var id: UUID
}

/// A page of matches as the index has them.
struct SearchMatches: Sendable {
    struct Hit: Sendable {
        var content: ContentSummary
        var body: ContentBody
        var files: [String]
        /// Only where something of what was looked for is nowhere but there.
        var spoken: [String]
        var score: Int
    }

    var hits: [Hit] = []
    /// `nil` where nothing was found.
    var asOf: Date?
    var weights: [Int] = []
    var total = 0
    var facets = SearchFacets.none
}

extension SearchMatches.Hit {
    /// With the passage that says most; of two that say as much, the weightier one.
    fileprivate func shown(by highlighter: Highlighter) -> SearchHit {
        let labels = (content.topic.map { [$0] } ?? []) + content.tags
        let text = SearchText(title: content.title, body: body, labels: labels, files: files, spoken: spoken)
        var matched: [SearchField] = []
        if highlighter.best(of: text.titles).map({ $0.count > 0 }) ?? false { matched.append(.title) }
        var best: (field: SearchField, line: Highlighter.Line)?
        for (field, lines) in [(.title, Array(text.titles.dropFirst()))] + text.fields {
            guard let line = highlighter.best(of: lines) else { continue }
            if line.count > 0, !matched.contains(field) { matched.append(field) }
            if best.map({ line.count > $0.line.count }) ?? true { best = (field, line) }
        }
        return SearchHit(
            content: content, score: score, title: highlighter.parts(of: content.title),
            snippet: best.map { highlighter.snippet(of: $0.line) } ?? [], snippetField: best?.field, matchedFields: matched)
    }
}
