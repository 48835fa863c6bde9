import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct FilingRoutes: Sendable {
    let filing: ContentFiling

    /// `PATCH /v1/contents/{id}/labels`
    func label(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        let change = try FilingInput.labels(request.json())
        let tags = try FilingInput.tagsSeen(request.headers)
        return try .content(await filing.label(id, with: change, ifMatch: tags, by: author))
    }

    /// `DELETE /v1/contents/{id}`
    func delete(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        try await filing.delete(request.parameters.uuid("id"), by: author)
        return .noContent
    }

    /// `POST /v1/contents/{id}/restore`
    func restore(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        return try .content(await filing.restore(request.parameters.uuid("id"), by: author))
    }

    /// `POST /v1/spaces`
    func createSpace(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let space = try await filing.create(FilingInput.newSpace(request.json()), by: author)
        return try .json(.created, space, headers: ["Location": "/v1/spaces/\(space.id.text)"])
    }

    /// `GET /v1/spaces`
    func spaces(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let query = try FilingInput.spaces(request.query)
        let page = try await Page.ofAtMost(query.limit) { limit in
            try await filing.spaces(named: query.name, after: query.after, limit: limit, of: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.id, as: FilingInput.cursor)
        }
        return try .json(.ok, page)
    }

    /// `GET /v1/spaces/{id}`
    func space(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(.ok, await filing.space(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `PATCH /v1/spaces/{id}`
    func changeSpace(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        let patch = try FilingInput.spacePatch(request.json())
        return try .json(.ok, await filing.change(id, name: patch.name, description: patch.description, by: author))
    }

    /// `DELETE /v1/spaces/{id}`
    func deleteSpace(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        try await filing.deleteSpace(request.parameters.uuid("id"), by: author)
        return .noContent
    }
}
