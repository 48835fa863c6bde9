import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct MaterialRoutes: Sendable {
    static let read = "materials:read"
    static let write = "materials:write"
    static let approve = "materials:approve"

    let library: MaterialLibrary

    /// `POST /v1/materials`
    func create(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.write))
        let material = try await library.create(MaterialInput.newMaterial(request.json()), by: author)
        return try .material(material, .created, location: true)
    }

    /// `GET /v1/materials`
    func list(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.read)
        let filter = try MaterialInput.list(request.query)
        let page = try await Page.ofAtMost(filter.limit) { limit in
            var filter = filter
            filter.limit = limit
            return try await library.list(filter, for: viewer)
        } cursor: {
            let rank = filter.order == .ranking ? $0.rank : nil
            return try PageCursor.encode(MaterialPosition(rank: rank, id: $0.entry.material.id), as: MaterialInput.cursor)
        }
        return try .json(.ok, Page(items: page.items.map(\.entry), nextCursor: page.nextCursor))
    }

    /// `GET /v1/materials/recommended`
    func recommend(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.read)
        return try .json(.ok, await library.recommend(MaterialInput.wish(request.query), for: viewer))
    }

    /// `GET /v1/materials/{id}`
    func get(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.read)
        return try .material(await library.material(request.parameters.uuid("id"), for: viewer))
    }

    /// `PATCH /v1/materials/{id}`
    func edit(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.write)
        let id = try request.parameters.uuid("id")
        let edit = try MaterialInput.edit(request.json())
        let tags = try ContentsInput.tagsToEdit(request.headers)
        let author = Author(try request.principal(with: Self.write))
        return try .material(await library.edit(id, with: edit, ifMatch: tags, for: viewer, by: author))
    }

    /// `POST /v1/materials/{id}/approve` and `…/reject`; whoever rejects says why.
    func review(_ event: MaterialApproval.Event) -> Handler {
        { request in
            let viewer = try viewer(request, with: Self.approve)
            let id = try request.parameters.uuid("id")
            let note = try ReviewInput.note(request.optionalJSON(), for: event == .reject ? .requestChanges : .approve)
            let tags = try ContentsInput.tagsToEdit(request.headers)
            let author = Author(try request.principal(with: Self.approve))
            return try .material(await library.review(id, event, note: note, ifMatch: tags, for: viewer, by: author))
        }
    }

    /// `DELETE /v1/materials/{id}`
    func delete(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.write)
        try await library.delete(
            request.parameters.uuid("id"), for: viewer, by: Author(try request.principal(with: Self.write)))
        return .noContent
    }

    /// `POST /v1/materials/{id}/restore`
    func restore(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.write)
        return try .material(
            await library.restore(
                request.parameters.uuid("id"), for: viewer, by: Author(try request.principal(with: Self.write))))
    }

    /// `POST /v1/materials/{id}/outcomes`
    func record(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.write)
        let id = try request.parameters.uuid("id")
        let outcome = try MaterialInput.outcome(request.json())
        let author = Author(try request.principal(with: Self.write))
        return try .json(.ok, await library.record(outcome, of: id, for: viewer, by: author))
    }

    /// `GET /v1/materials/{id}/outcomes`
    func outcomes(_ request: Request) async throws -> Response {
        let viewer = try viewer(request, with: Self.read)
        return try .json(.ok, await library.outcomes(of: request.parameters.uuid("id"), for: viewer))
    }

    /// Orchestration speaks with customers: whatever it asks for, and for whomever, it gets only what they may be shown.
    private func viewer(_ request: Request, with permission: String) throws -> MaterialViewer {
        let principal = try request.principal(with: permission)
        return MaterialViewer(
            tenantId: principal.tenantId, subject: principal.subject, roles: principal.roles,
            seesAllAudiences: principal.scopes.contains(Self.approve),
            seesCustomerFacingOnly: request.callingService == .orchestrationService)
    }
}

extension Response {
    /// A material, with its `ETag`.
    fileprivate static func material(_ material: Material, _ status: HTTPStatus = .ok, location: Bool = false) throws -> Response
    {
        var headers: HTTPHeaders = ["ETag": EntityTag(material).description]
        if location { headers["Location"] = "/v1/materials/\(material.id.text)" }
        return try .json(status, material, headers: headers)
    }
}
