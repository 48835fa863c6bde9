import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct TitleGenerationRoutes: Sendable {
    static let permission = "titles:generate"

    let flow: TitleGeneration

    /// `POST /v1/titles`
    func generate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let brief = try TitleGenerationInput.read(request.json())
        let answer = try await flow(brief, as: principal)
        return try .json(.created, answer, headers: ["Location": "/api/contents/\(answer.contentId.text)"])
    }
}
