import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct ImageTextCreationRoutes: Sendable {
    let runs: Runs
    let hasImageService: Bool

    /// `POST /v1/image-texts`
    func create(_ request: Request) async throws -> Response {
        let principal = try request.principal(mayDo: ImageTextCreation.self)
        let brief = try ImageTextCreationInput.read(request.json(), hasImageService: hasImageService)
        return try await runs.answer(request, with: ImageTextCreation.self, brief, as: principal) { _, answer in
            var answer = answer
            answer.requestId = request.requestId
            return try .json(
                .created, answer, headers: ["Location": "/api/contents/\(answer.contentId.text)"])
        }
    }
}
