import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability

struct APIKeysRoutes: Sendable {
    let keys: APIKeys

    /// `POST /api/api-keys`
    func create(_ request: Request, member: Member) async throws -> Response {
        let created = try await keys.create(APIKeysInput.newKey(request.json(), by: member), by: member)
        return try .json(.created, created, headers: ["Location": "/api/api-keys/\(created.id.text)"])
    }

    /// `GET /api/api-keys`
    func list(_ request: Request, member: Member) async throws -> Response {
        let (limit, olderThan) = try APIKeysInput.page(request.query)
        var found = try await keys.list(olderThan: olderThan, limit: limit + 1, of: member.tenantId)
        var nextCursor: String?
        if found.count > limit {
            found.removeLast()
            nextCursor = try found.last.map { try PageCursor.encode($0.id, as: APIKeysInput.cursor) }
        }
        return try .json(.ok, Page(items: found, nextCursor: nextCursor))
    }

    /// `GET /api/api-keys/{id}`
    func show(_ request: Request, member: Member) async throws -> Response {
        guard let key = try await keys.key(request.parameters.uuid("id"), of: member.tenantId) else { throw NotFound() }
        return try .json(.ok, key)
    }

    /// `DELETE /api/api-keys/{id}`
    func revoke(_ request: Request, member: Member) async throws -> Response {
        guard try await keys.revoke(request.parameters.uuid("id"), of: member.tenantId) else { throw NotFound() }
        return .noContent
    }
}
