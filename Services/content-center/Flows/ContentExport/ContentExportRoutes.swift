import DTO
import HTTPCore
import HTTPServing
import ServiceDefaults

struct ContentExportRoutes: Sendable {
    let contents: Contents

    /// `GET /v1/contents/{id}/export?format=`
    func export(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        var query = request.queryReader()
        let format = query.optionalChoice("format", of: ContentExportFormat.self) ?? .markdown
        try query.finish()
        let content = try await contents.content(id, of: principal.tenantId)
        let file = try ContentExport.file(of: content, as: format)
        return Response(
            .ok,
            headers: [
                "Content-Type": file.mediaType, "Content-Disposition": file.name.contentDisposition,
                "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff",
            ], body: .bytes(file.bytes))
    }
}
