import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct PublishStatusRoutes: Sendable {
    static let accountsCursor = PageCursor.Kind("content_publish_status", of: PublishAccountKey.self)
    static let historyCursor = PageCursor.Kind("content_publish_changes", of: PublishChangeKey.self)

    let publishStatus: PublishStatus

    /// `GET /v1/contents/{id}/publish-status`
    func accounts(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        let (limit, after) = try Self.page(request.query, Self.accountsCursor)
        let page = try await Page.ofAtMost(limit) { limit in
            try await publishStatus.accounts(of: id, after: after, limit: limit, tenantId: principal.tenantId)
        } cursor: {
            try PageCursor.encode(
                PublishAccountKey(accountId: $0.accountId, platform: $0.platform), as: Self.accountsCursor)
        }
        return try .json(.ok, page)
    }

    /// `GET /v1/contents/{id}/publish-status/history`
    func history(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        let (limit, before) = try Self.page(request.query, Self.historyCursor)
        let page = try await Page.ofAtMost(limit) { limit in
            try await publishStatus.history(of: id, before: before, limit: limit, tenantId: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.key, as: Self.historyCursor)
        }
        return try .json(.ok, Page(items: page.items.map(\.status), nextCursor: page.nextCursor))
    }

    private static func page<Position: Codable>(
        _ query: [(name: String, value: String)], _ cursor: PageCursor.Kind<Position>
    ) throws -> (limit: Int, position: Position?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let position = query.cursor(cursor)
        try query.finish()
        return (limit, position)
    }
}
