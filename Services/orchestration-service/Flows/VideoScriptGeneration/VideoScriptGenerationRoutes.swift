import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct VideoScriptGenerationRoutes: Sendable {
    let runs: Runs

    /// `POST /v1/video-scripts`
    func generate(_ request: Request) async throws -> Response {
        let principal = try request.principal(mayDo: VideoScriptGeneration.self)
        let brief = try VideoScriptGenerationInput.read(request.json())
        return try await runs.answer(request, with: VideoScriptGeneration.self, brief, as: principal) { _, answer in
            var answer = answer
            answer.requestId = request.requestId
            return try .json(
                .created, answer, headers: ["Location": "/api/contents/\(answer.contentId.text)"])
        }
    }
}
