import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct CopyGenerationRoutes: Sendable {
    let runs: Runs

    /// `POST /v1/copies`
    func generate(_ request: Request) async throws -> Response {
        let principal = try request.principal(mayDo: CopyGeneration.self)
        let brief = try CopyGenerationInput.read(request.json())
        return try await runs.answer(request, with: CopyGeneration.self, brief, as: principal) { id, items in
            let answer = CopyGenerationAnswer(groupId: id, items: items, requestId: request.requestId)
            return try .json(
                .created, answer, headers: ["Location": "/api/contents?groupId=\(id.text)"])
        }
    }
}
