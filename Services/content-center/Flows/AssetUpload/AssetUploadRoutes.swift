import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct AssetUploadRoutes: Sendable {
    let upload: AssetUpload

    /// `POST /v1/assets/presign`
    func presign(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let answer = try await upload.presign(AssetUploadInput.newUpload(request.json()), by: author)
        return try .json(.created, answer, headers: ["Location": "/v1/assets/\(answer.assetId.text)"])
    }

    /// `POST /v1/assets/multipart`
    func begin(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let (upload, partSize) = try AssetUploadInput.multipart(request.json())
        let answer = try await self.upload.begin(upload, partSize: partSize, by: author)
        return try .json(.created, answer, headers: ["Location": "/v1/assets/\(answer.assetId.text)"])
    }

    /// `GET /v1/assets/{id}/part-urls`
    func partURLs(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        let id = try request.parameters.uuid("id")
        let (first, count) = try AssetUploadInput.parts(request.query)
        let answer = try await upload.partURLs(id, from: first, count: count, of: principal.tenantId)
        return try .json(.ok, answer, headers: ["Cache-Control": "no-store"])
    }

    /// `GET /v1/assets/{id}/parts`
    func parts(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        return try .json(await upload.parts(request.parameters.uuid("id"), of: principal.tenantId))
    }

    /// `GET /v1/assets/usage`
    func usage(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(await upload.usage(of: principal.tenantId))
    }

    /// `POST /v1/assets/{id}/complete`
    func complete(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        return try .json(await upload.complete(request.parameters.uuid("id"), by: author).shown(by: upload.objects))
    }
}
