import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

/// `/v1/vocabulary/brand-words` and `/v1/vocabulary/banned-words`.
struct VocabularyRoutes: Sendable {
    static let read = "vocabulary:read"
    static let write = "vocabulary:write"
    /// 10,000 words of 50 characters.
    static let largestList = 2 << 20

    let vocabulary: Vocabulary
    let list: WordList

    func register(on group: inout RouteGroup) {
        let path = "/v1/vocabulary/\(list.rawValue)"
        let reading = RouteOptions(flow: "Vocabulary", takesQuery: true)
        let writing = RouteOptions(flow: "Vocabulary", hangUp: .runsToEnd)
        group.on(.get, path, options: reading, show)
        group.on(
            .put, path, options: RouteOptions(maxBodyBytes: Self.largestList, flow: "Vocabulary", hangUp: .runsToEnd), replace)
        group.on(.put, path + "/{word}", options: writing, add)
        group.on(.delete, path + "/{word}", options: writing, remove)
    }

    private func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (limit, after) = try VocabularyInput.page(request.query)
        let found = try await vocabulary.words(list, after: after, limit: limit + 1, of: principal.tenantId)
        let items = found.prefix(limit)
        let next =
            found.count > limit ? try items.last.map { try PageCursor.encode($0.position, as: VocabularyInput.cursor) } : nil
        return try .json(.ok, Page(items: items.map(\.word), nextCursor: next))
    }

    private func replace(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let words = try VocabularyInput.words(request.json(), for: list)
        return try .json(
            .ok, VocabularyCount(count: try await vocabulary.replace(list, with: words, of: principal.tenantId)))
    }

    private func add(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        try await vocabulary.add(word(request), to: list, of: principal.tenantId)
        return .noContent
    }

    private func remove(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        try await vocabulary.remove(word(request), from: list, of: principal.tenantId)
        return .noContent
    }

    private func word(_ request: Request) throws -> String { try VocabularyInput.word(request.parameters.string("word")) }
}
