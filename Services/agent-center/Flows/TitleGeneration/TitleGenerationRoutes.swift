import DTO
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

/// `POST /v1/titles`: decode, call the flow, answer.
struct TitleGenerationRoutes: Sendable {
    let flow: TitleGeneration

    func write(_ request: Request) async throws -> Response {
        let principal = try request.principal
        let input = try TitleGenerationInput.read(
            try request.json(), knows: { flow.models.routing.knows($0, for: principal.tenantId) })
        let answer = try await flow.write(input, for: Caller(of: request))
        return try .json(.ok, answer)
    }
}

extension NoTitleFits: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: "titles.no_title_fits",
            title: LocalizedText(
                zh: "在给定的字数上限与禁用词下写不出标题", en: "No title fits the length limit and the banned words"))
    }
}
