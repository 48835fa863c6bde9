import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct AssetsRoutes: Sendable {
    let assets: Assets

    /// `POST /v1/assets`, the bytes as the body.
    func keep(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let asset = try await assets.keep(request.body, declared: request.mediaType, by: author)
        return try .json(.created, asset, headers: ["Location": "/v1/assets/\(asset.id.uuidString.lowercased())/content"])
    }

    /// `GET /v1/assets/{id}/content`
    func content(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        if let known = request.headers["If-None-Match"] {
            let asset = try await assets.asset(id, of: principal.tenantId)
            let tag = "\"\(asset.sha256)\""
            if known == "*" || known.contains(tag) { return Response(.notModified, headers: ["ETag": tag]) }
        }
        let (asset, bytes) = try await assets.picture(id, of: principal.tenantId)
        return Response(
            .ok,
            headers: [
                "Content-Type": asset.mediaType, "ETag": "\"\(asset.sha256)\"",
                // Bytes never change under an id; other people's caches are none of their business.
                "Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
            ], body: .bytes(bytes))
    }
}
