import DTO
import FoundationEssentials

/// Finds what a tenant has made and kept, contents and files, by what it says (seed 001 §3.3: "用于素材/文案/项目快速检索").
struct ContentSearch: Sendable {
    /// So many of the best matches are ranked, counted and shown; who wants others looks for more exactly those.
    static let mostMatches = 400

    let store: ContentSearchStore
    /// Signs the addresses of previews.
    let objects: any ObjectStore

    func search(_ request: SearchRequest, for viewer: AssetViewer) async throws -> SearchAnswer {
        let query = request.query
        guard !query.isEmpty else { return .nothing }
        let words = query.words
        let vocabulary = words.isEmpty ? [:] : try await store.vocabulary(words, of: viewer.tenantId)
        let reading = query.tokens(knowing: vocabulary)
        let found = try await store.matches(of: reading, request, limit: request.limit + 1, for: viewer)
        let highlighter = Highlighter(tokens: Set(reading.tokens))
        let page = found.hits.prefix(request.limit)
        var next: SearchPosition?
        if found.hits.count > request.limit, let last = page.last, let asOf = found.asOf {
            next = SearchPosition(
                asked: request.asked, asOf: asOf, weights: found.weights, assetWeights: found.assetWeights, score: last.score,
                id: last.id)
        }
        return SearchAnswer(
            items: page.map { $0.shown(by: highlighter, objects) }, nextCursor: try next.map(ContentSearchInput.cursor),
            total: found.total, isTotalExact: found.isTotalExact, facets: found.facets,
            corrections: reading.corrections.map { SearchCorrection(from: $0.from, to: $0.to) })
    }
}

/// What is looked for, and which part of it is to be shown.
struct SearchRequest: Sendable {
    enum Order: String, Sendable, CaseIterable {
        case relevance
        case newest
    }

    var query: SearchQuery
    /// Tells it from other queries, other filters and other orders.
    var asked: String
    /// `nil` = both.
    var type: SearchHitType?
    var assetKind: AssetKind?
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
    /// Counts tags, topics and spaces too.
    var countsLabels = false
    var after: SearchPosition?

    /// An asset has no kind of content, no status, no completeness, no group, no space and no topic.
    var asksOnlyContents: Bool {
        type == .content || kind != nil || status != nil || completeness != nil || groupId != nil || spaceId != nil
            || topic != nil
    }
    var asksOnlyAssets: Bool { type == .asset || assetKind != nil }
}

/// Where a page of matches ended. It brings along what the first page's scores were made from.
struct SearchPosition: Codable, Sendable, Equatable {
    /// Of what it is a page, see ``SearchRequest/asked``.
    var asked: String
    var asOf: Date
    /// Of tokens, among contents; `nil` where none was found.
    var weights: [Int]?
    /// Of tokens, among assets.
    var assetWeights: [Int]?
    var score: Int
    var id: UUID
}

/// A page of matches as the index has them.
struct SearchMatches: Sendable {
    struct Hit: Sendable {
        enum Found: Sendable {
            case content(ContentSummary, ContentBody, files: [String])
            case asset(LibraryAsset, folders: [String])
        }

        var found: Found
        /// Only where something of what was looked for is nowhere but there.
        var spoken: [String]
        var score: Int

        var id: UUID {
            switch found {
            case .content(let content, _, _): content.id
            case .asset(let asset, _): asset.id
            }
        }
    }

    var hits: [Hit] = []
    /// `nil` where nothing was found.
    var asOf: Date?
    var weights: [Int]?
    var assetWeights: [Int]?
    var total = 0
    var isTotalExact = true
    var facets = SearchFacets.none
}

extension SearchMatches.Hit {
    fileprivate func shown(by highlighter: Highlighter, _ objects: any ObjectStore) -> SearchHit {
        switch found {
        case .content(let content, let body, let files):
            let labels = (content.topic.map { [$0] } ?? []) + content.tags
            let text = SearchText(title: content.title, body: body, labels: labels, files: files, spoken: spoken)
            var hit = marked(in: text, by: highlighter)
            hit.content = content
            hit.title = highlighter.parts(of: content.title)
            return hit
        case .asset(let asset, let folders):
            let text = SearchText(file: asset.filename, tags: asset.tags, folders: folders, spoken: spoken)
            var hit = marked(in: text, by: highlighter)
            hit.type = .asset
            hit.asset = asset.shown(by: objects)
            hit.title = highlighter.parts(of: asset.filename)
            return hit
        }
    }

    /// With the passage that says most; of two that say as much, the weightier one.
    private func marked(in text: SearchText, by highlighter: Highlighter) -> SearchHit {
        var matched: [SearchField] = []
        if highlighter.best(of: text.titles).map({ $0.count > 0 }) ?? false { matched.append(.title) }
        var best: (field: SearchField, line: Highlighter.Line)?
        for (field, lines) in [(.title, Array(text.titles.dropFirst()))] + text.fields {
            guard let line = highlighter.best(of: lines) else { continue }
            if line.count > 0, !matched.contains(field) { matched.append(field) }
            if best.map({ line.count > $0.line.count }) ?? true { best = (field, line) }
        }
        return SearchHit(
            score: score, title: [], snippet: best.map { highlighter.snippet(of: $0.line) } ?? [], snippetField: best?.field,
            matchedFields: matched)
    }
}
