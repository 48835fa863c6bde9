import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct TitleGenerationRoutes: Sendable {
    static let permission = "titles:generate"

    let flow: TitleGeneration
    let runs: Runs

    /// `POST /v1/titles`. A run costs more than the plain call: it is for those who do not wait.
    func generate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let brief = try TitleGenerationInput.read(request.json())
        if request.prefersAsync { return try await runs.accept(TitleGeneration.self, brief, as: principal) }
        let answer = try await flow(brief, as: principal)
        return try .json(.created, answer, headers: ["Location": "/api/contents/\(answer.contentId.text)"])
    }
}
