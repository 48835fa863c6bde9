import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

struct PrivacyRoutes: Sendable {
    static let manage = "tenant:manage"
    static let confirmationLength = 1...200
    static let exportsCursor = PageCursor.Kind("tenant_exports", of: UUID.self)

    let privacy: Privacy

    /// `POST /v1/tenant/exports`
    func orderExport(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.manage))
        let export = try await privacy.orderExport(by: author)
        return try .json(
            .accepted, export, headers: ["Location": "/v1/tenant/exports/\(export.id.text)"])
    }

    /// `GET /v1/tenant/exports`
    func exports(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.manage)
        var query = request.queryReader()
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let before = query.cursor(Self.exportsCursor)
        try query.finish()
        let page = try await Page.ofAtMost(limit) { limit in
            try await privacy.listExports(before: before, limit: limit, of: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.id, as: Self.exportsCursor)
        }
        return try .json(.ok, page, headers: ["Cache-Control": "no-store"])
    }

    /// `GET /v1/tenant/exports/{id}`
    func export(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.manage)
        return try .json(
            .ok, await privacy.export(request.parameters.uuid("id"), of: principal.tenantId),
            headers: ["Cache-Control": "no-store"])
    }

    /// `POST /v1/tenant/exports/{id}/cancel`
    func cancelExport(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.manage)
        return try .json(.ok, await privacy.cancelExport(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `POST /v1/tenant/erasure`
    func orderErasure(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: Self.manage))
        var fields = FieldReader(try request.json())
        let confirmation = fields.text("confirmation", length: Self.confirmationLength)
        try fields.finish()
        let erasure = try await privacy.orderErasure(TenantErasureOrder(confirmation: confirmation), by: author)
        return try .json(.accepted, erasure, headers: ["Location": "/v1/tenant/erasure"])
    }

    /// `GET /v1/tenant/erasure`
    func erasure(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.manage)
        return try .json(.ok, await privacy.erasure(of: principal.tenantId))
    }

    /// `GET /v1/tenant/storage`
    func storage(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.manage)
        return try .json(.ok, await privacy.storage(of: principal.tenantId))
    }
}

/// Refuses what the database refuses of a tenant that was erased.
struct ErasedTenants: Middleware {
    func respond(to request: Request, next: @escaping Handler) async throws -> Response {
        do {
            return try await next(request)
        } catch let error as PostgresError where error.isOfErasedTenant {
            throw PrivacyError.erased
        }
    }
}
