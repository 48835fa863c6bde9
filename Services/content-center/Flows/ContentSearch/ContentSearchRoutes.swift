import HTTPCore
import HTTPServing
import ServiceDefaults

struct ContentSearchRoutes: Sendable {
    let search: ContentSearch

    /// `GET /v1/search`
    func find(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        return try .json(.ok, await search.search(ContentSearchInput.request(request.query), for: viewer))
    }
}
