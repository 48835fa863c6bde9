import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct SimilarityRoutes: Sendable {
    let check: SimilarityCheck

    /// `GET /v1/contents/{id}/similar`
    func similar(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        let id = try request.parameters.uuid("id")
        var query = QueryReader(request.query)
        let minimum = query.integer("minimum", in: 1...100, default: 20)
        let limit = query.integer("limit", in: 1...50, default: 10)
        try query.finish()
        return try .json(.ok, await check.similar(to: id, minimum: minimum, limit: limit, of: principal.tenantId))
    }
}
