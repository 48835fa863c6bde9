import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct AssetFilingRoutes: Sendable {
    let filing: AssetFiling

    /// `PATCH /v1/assets/{id}`
    func edit(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        let change = try AssetFilingInput.change(request.json())
        let tags = try ContentsInput.tagsToEdit(request.headers)
        let asset = try await filing.edit(id, with: change, ifMatch: tags, by: author)
        return try .asset(asset, filing.assets.objects)
    }

    /// `POST /v1/assets/organize`
    func organize(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let order = try AssetFilingInput.organizing(request.json())
        let changed = try await filing.organize(order.ids, folder: order.folder, labels: order.labels, by: author)
        return try .json(.ok, AssetsOrganized(changed: changed))
    }

    /// `GET /v1/assets/tags`
    func tags(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let query = try AssetFilingInput.tags(request.query)
        let items = try await filing.tags(startingWith: query.prefix, limit: query.limit, for: viewer)
        return try .json(.ok, AssetTags(items: items))
    }

    /// `POST /v1/assets/tags/rename`
    func renameTags(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        return try .json(.ok, await filing.rename(AssetFilingInput.renaming(request.json()), by: author))
    }

    /// `POST /v1/asset-folders`
    func createFolder(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let folder = try await filing.create(AssetFilingInput.newFolder(request.json()), by: author)
        return try .json(.created, folder, headers: ["Location": "/v1/asset-folders/\(folder.id.text)"])
    }

    /// `GET /v1/asset-folders`
    func folders(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let query = try AssetFilingInput.folders(request.query)
        let page = try await Page.ofAtMost(query.limit) { limit in
            try await filing.list(in: query.parent, after: query.after, limit: limit, of: principal.tenantId)
        } cursor: {
            try PageCursor.encode($0.id, as: AssetFilingInput.foldersCursor)
        }
        return try .json(.ok, page)
    }

    /// `GET /v1/asset-folders/{id}`
    func folder(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(.ok, await filing.folder(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `PATCH /v1/asset-folders/{id}`
    func changeFolder(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        let patch = try AssetFilingInput.folderPatch(request.json())
        return try .json(.ok, await filing.change(id, name: patch.name, parent: patch.parent, by: author))
    }

    /// `DELETE /v1/asset-folders/{id}`
    func deleteFolder(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        try await filing.delete(request.parameters.uuid("id"), by: author)
        return .noContent
    }
}

extension Response {
    /// An asset, with its `ETag`.
    static func asset(_ asset: LibraryAsset, _ objects: any ObjectStore) throws -> Response {
        try .json(.ok, asset.shown(by: objects), headers: ["ETag": EntityTag(asset).description])
    }
}
