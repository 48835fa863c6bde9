import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct PictureCompletionRoutes: Sendable {
    let runs: Runs

    /// `POST /v1/contents/{id}/pictures`
    func complete(_ request: Request) async throws -> Response {
        let principal = try request.principal(mayDo: PictureCompletion.self)
        let id = try request.parameters.uuid("id")
        let order = try PictureCompletionInput.read(request.json(), of: id)
        return try await runs.answer(request, with: PictureCompletion.self, order, as: principal) { _, answer in
            try .json(.ok, answer)
        }
    }
}
