import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct AssetsRoutes: Sendable {
    let assets: Assets

    /// `POST /v1/assets`, the bytes as the body.
    func keep(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let asset = try await assets.keep(request.body, declared: request.mediaType, by: author)
        return try .json(.created, asset, headers: ["Location": "/v1/assets/\(asset.id.text)/content"])
    }

    /// `GET /v1/assets/{id}/content`
    func content(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let id = try request.parameters.uuid("id")
        _ = try await assets.asset(id, for: viewer)
        if let known = request.headers["If-None-Match"] {
            let asset = try await assets.pictureTag(id, of: viewer.tenantId)
            let tag = "\"\(asset.sha256)\""
            if known == "*" || known.contains(tag) { return Response(.notModified, headers: ["ETag": tag]) }
        }
        let (asset, bytes) = try await assets.picture(id, of: viewer.tenantId)
        return Response(
            .ok,
            headers: [
                "Content-Type": asset.mediaType, "ETag": "\"\(asset.sha256)\"",
                // Bytes never change under an id; other people's caches are none of their business.
                "Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
            ], body: .bytes(bytes))
    }

    /// `GET /v1/assets`
    func list(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let filter = try AssetsInput.list(request.query)
        let page = try await Page.ofAtMost(filter.limit) { limit in
            var filter = filter
            filter.limit = limit
            return try await assets.list(filter, for: viewer).map { $0.shown(by: assets.objects) }
        } cursor: {
            try PageCursor.encode($0.id, as: AssetsInput.cursor)
        }
        return try .json(.ok, page)
    }

    /// `GET /v1/assets/{id}`
    func get(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let asset = try await assets.asset(request.parameters.uuid("id"), for: viewer)
        let tag = EntityTag(asset)
        guard !ContentsInput.isKnown(tag, request.headers) else {
            return Response(.notModified, headers: ["ETag": tag.description])
        }
        return try .asset(asset, assets.objects)
    }

    /// `GET /v1/assets/{id}/uses`
    func uses(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let id = try request.parameters.uuid("id")
        let query = try AssetsInput.uses(request.query)
        let page = try await Page.ofAtMost(query.limit) { limit in
            try await assets.uses(of: id, before: query.before, limit: limit, for: viewer)
        } cursor: {
            try PageCursor.encode($0.contentId, as: AssetsInput.usesCursor)
        }
        let holders = try await assets.holders(of: id, for: viewer)
        return try .json(.ok, AssetUses(items: page.items, nextCursor: page.nextCursor, holders: holders))
    }

    /// `GET /v1/assets/{id}/download-url`
    func downloadURL(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let id = try request.parameters.uuid("id")
        let (seconds, saves) = try AssetsInput.download(request.query)
        let answer = try await assets.downloadURL(id, seconds: seconds, saves: saves, for: viewer)
        return try .json(.ok, answer, headers: ["Cache-Control": "no-store"])
    }

    /// `DELETE /v1/assets/{id}`
    func delete(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.write))
        let asset = try await assets.asset(request.parameters.uuid("id"), for: viewer)
        try await assets.delete(asset.id, of: viewer.tenantId)
        return .noContent
    }
}

extension AssetViewer {
    init(_ principal: Principal) { self = Author(principal).viewer }
}
