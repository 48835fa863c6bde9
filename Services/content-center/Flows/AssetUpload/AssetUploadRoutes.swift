import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct AssetUploadRoutes: Sendable {
    let upload: AssetUpload

    /// `POST /v1/assets/presign`
    func presign(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let answer = try await upload.presign(AssetUploadInput.newUpload(request.json()), by: author)
        return try .json(.created, answer, headers: ["Location": "/v1/assets/\(answer.assetId.uuidString.lowercased())"])
    }

    /// `POST /v1/assets/{id}/complete`
    func complete(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        return try .json(await upload.complete(request.parameters.uuid("id"), by: author))
    }
}
