import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct CommentsRoutes: Sendable {
    let comments: ContentComments

    /// `POST /v1/contents/{id}/comments`
    func add(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        return try .json(.created, await comments.add(CommentsInput.newComment(request.json()), to: id, by: author))
    }

    /// `GET /v1/contents/{id}/comments`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        let filter = try CommentsInput.list(request.query)
        let page = try await Page.ofAtMost(filter.limit) { limit in
            var filter = filter
            filter.limit = limit
            return try await comments.list(filter, of: id, tenantId: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.id, as: CommentsInput.cursor)
        }
        return try .json(.ok, page)
    }

    /// `POST /v1/contents/{id}/comments/{commentId}/resolve`
    func resolve(_ request: Request) async throws -> Response { try await settle(request, isResolved: true) }

    /// `POST /v1/contents/{id}/comments/{commentId}/reopen`
    func reopen(_ request: Request) async throws -> Response { try await settle(request, isResolved: false) }

    private func settle(_ request: Request, isResolved: Bool) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let (id, comment) = (try request.parameters.uuid("id"), try request.parameters.uuid("commentId"))
        return try .json(.ok, await comments.settle(comment, of: id, isResolved: isResolved, by: author))
    }

    /// `DELETE /v1/contents/{id}/comments/{commentId}`
    func delete(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        let (id, comment) = (try request.parameters.uuid("id"), try request.parameters.uuid("commentId"))
        try await comments.delete(
            comment, of: id, by: Author(principal), mayDeleteOthers: principal.scopes.contains(ReviewRoutes.approve))
        return .noContent
    }
}

/// The input rules of comments.
enum CommentsInput {
    static let textLength = 1...2_000
    static let pointerLength = 1...200
    static let cursor = PageCursor.Kind("content_comments", of: UUID.self)

    static func newComment(_ json: JSONValue) throws -> NewContentComment {
        var fields = FieldReader(json)
        let text = fields.text("text", length: textLength)
        let version = fields.optionalInteger("version", in: 1...Int(Int32.max))
        let pointer = fields.optionalText("pointer", length: pointerLength)
        try fields.finish()
        return NewContentComment(text: text, version: version, pointer: pointer)
    }

    static func list(_ query: [(name: String, value: String)]) throws -> CommentFilter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let newerThan = query.cursor(cursor)
        let isResolved = query.optionalChoice("resolved", of: YesOrNo.self).map { $0 == .yes }
        try query.finish()
        return CommentFilter(isResolved: isResolved, newerThan: newerThan, limit: limit)
    }

    /// A filter that may be left out.
    enum YesOrNo: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }
}
