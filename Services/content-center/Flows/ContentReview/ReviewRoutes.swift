import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct ReviewRoutes: Sendable {
    static let approve = "contents:approve"
    static let approveOwn = "contents:approve_own"

    let review: ContentReview

    /// `POST /v1/contents/{id}/submit` and its sisters.
    func move(by action: ReviewAction) -> Handler {
        { request in
            let principal = try request.principal(with: action.isAuthors ? ContentsRoutes.write : Self.approve)
            let id = try request.parameters.uuid("id")
            let note = try ReviewInput.note(request.optionalJSON(), for: action)
            let tags = try ContentsInput.tagsToEdit(request.headers)
            let content = try await review.move(
                id, by: action, note: note, ifMatch: tags, by: Author(principal),
                mayApproveOwn: principal.scopes.contains(Self.approveOwn))
            return try .content(content)
        }
    }

    /// `GET /v1/contents/{id}/reviews`
    func history(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        let query = try ReviewInput.history(request.query)
        let page = try await Page.ofAtMost(query.limit) { limit in
            try await review.history(of: id, before: query.before, limit: limit, tenantId: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.revision, as: ReviewInput.cursor)
        }
        return try .json(.ok, page)
    }
}

extension Request {
    /// The body as JSON; none is an empty object.
    func optionalJSON() throws -> JSONValue { body.isEmpty ? .object(JSONObject()) : try json() }
}

/// The input rules of reviews.
enum ReviewInput {
    static let noteLength = 1...2_000
    static let cursor = PageCursor.Kind("content_reviews", of: Int.self)

    /// Whoever wants changes says which.
    static func note(_ json: JSONValue, for action: ReviewAction) throws -> String? {
        var fields = FieldReader(json)
        let note =
            action == .requestChanges
            ? fields.text("note", length: noteLength) : fields.optionalText("note", length: noteLength)
        try fields.finish()
        return note
    }

    static func history(_ query: [(name: String, value: String)]) throws -> (limit: Int, before: Int?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let before = query.cursor(cursor)
        try query.finish()
        return (limit, before)
    }
}
