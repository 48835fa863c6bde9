import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct MediaJobsRoutes: Sendable {
    let jobs: MediaJobs

    /// `POST /v1/media/jobs`
    func order(_ request: Request) async throws -> Response {
        let author = Author(try request.principal(with: ContentsRoutes.write))
        let accepted = try await jobs.order(MediaJobsInput.order(request.json()), by: author)
        return try .json(.accepted, accepted, headers: ["Location": "/v1/media/jobs/\(accepted.jobId.text)"])
    }

    /// `GET /v1/media/jobs`
    func list(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let filter = try MediaJobsInput.list(request.query)
        var wider = filter
        wider.limit += 1
        // One more than the page holds tells whether another page follows.
        let rows = try await jobs.list(wider, for: viewer, in: request.language)
        let items = Array(rows.prefix(filter.limit))
        let next =
            rows.count > filter.limit ? try items.last.map { try PageCursor.encode($0.jobId, as: MediaJobsInput.cursor) } : nil
        return try .json(.ok, Page(items: items, nextCursor: next), headers: Self.unstored)
    }

    /// `GET /v1/media/jobs/{id}`
    func job(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let id = try request.parameters.uuid("id")
        return try .json(.ok, await jobs.job(id, for: viewer, in: request.language), headers: Self.unstored)
    }

    /// `POST /v1/media/jobs/{id}/cancel`
    func cancel(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.write))
        let id = try request.parameters.uuid("id")
        return try .json(.ok, await jobs.cancel(id, for: viewer, in: request.language), headers: Self.unstored)
    }

    /// `GET /v1/media/jobs/{id}/hls/{playlist}`
    func playlist(_ request: Request) async throws -> Response {
        let viewer = AssetViewer(try request.principal(with: ContentsRoutes.read))
        let id = try request.parameters.uuid("id")
        return try await Self.answer(jobs.playlist(request.parameters.string("playlist"), of: id, for: viewer))
    }

    /// `GET /hls/{playlist}?pass=…` of the object listener: for players, which know no sign-in.
    func openPlaylist(_ request: Request) async throws -> Response {
        let query = request.query
        guard query.count == 1, let pass = query.first, pass.name == "pass" else { throw ObjectFailure.signatureInvalid }
        do {
            let name = try request.parameters.string("playlist")
            return try await Self.answer(jobs.openPlaylist(name, pass: pass.value, now: ObjectRoutes.clock()))
        } catch let refusal as ObjectSigner.Refusal { throw ObjectFailure(refusal) }
    }

    private static func answer(_ playlist: String) -> Response {
        Response(
            .ok,
            headers: ["Content-Type": HLSPlaylists.mediaType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"],
            body: .bytes(Array(playlist.utf8)))
    }

    /// Signed addresses are in it.
    private static let unstored: HTTPHeaders = ["Cache-Control": "no-store"]
}
