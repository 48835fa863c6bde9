import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct SubtitleEditingRoutes: Sendable {
    let editing: SubtitleEditing

    /// `GET /v1/assets/{id}/cues`
    func cues(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let file = try await editing.file(request.parameters.uuid("id"), for: viewer)
        let tag = "\"\(file.sha256)\""
        if let known = request.headers["If-None-Match"], known == "*" || known.contains(tag) {
            return Response(.notModified, headers: ["ETag": tag])
        }
        return try .json(.ok, await editing.cues(in: file, of: viewer.tenantId), headers: ["ETag": tag])
    }

    /// `POST /v1/assets/{id}/cues`
    func edit(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        let asset = try await editing.edit(id, SubtitleEditingInput.edit(request.json()), by: author)
        return try .json(
            .created, asset.shown(by: editing.assets.objects), headers: ["Location": "/v1/assets/\(asset.id.text)"])
    }
}
