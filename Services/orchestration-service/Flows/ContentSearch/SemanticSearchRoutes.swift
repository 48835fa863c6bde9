import DTO
import HTTPCore
import HTTPServing
import ServiceDefaults

struct SemanticSearchRoutes: Sendable {
    static let permission = "contents:read"
    /// Asking a model costs money.
    static let modelPermission = "ai:generate"

    let search: SemanticSearch

    /// `GET /v1/search/semantic`
    func find(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        _ = try request.principal(with: Self.modelPermission)
        return try .json(.ok, await search.search(SemanticSearchInput.request(request.query), as: principal))
    }
}

/// The input rules of `GET /v1/search/semantic`.
enum SemanticSearchInput {
    static let textLength = 1...100

    static func request(_ query: [(name: String, value: String)]) throws -> SemanticSearchRequest {
        let isGiven = query.contains { $0.name == "q" }
        var query = QueryReader(query)
        let text = query.optionalText("q", length: textLength)
        let kind = query.optionalChoice("kind", of: ContentKind.self)
        let status = query.optionalChoice("status", of: ContentStatus.self)
        let limit = query.integer("limit", in: 1...100, default: 20)
        let required = FieldIssue(pointer: "?q", code: "required", message: LocalizedText(zh: "必填", en: "is required"))
        do {
            try query.finish()
        } catch let failure as ValidationFailure where !isGiven {
            throw ValidationFailure([required] + failure.issues)
        }
        guard let text else { throw ValidationFailure([required]) }
        return SemanticSearchRequest(text: text, kind: kind, status: status, limit: limit)
    }
}
