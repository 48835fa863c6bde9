import HTTPCore
import HTTPServing
import ServiceDefaults

/// `POST /v1/copies`: decode, call the flow, answer.
struct CopyGenerationRoutes: Sendable {
    let flow: CopyGeneration

    func write(_ request: Request) async throws -> Response {
        let caller = try Caller(of: request)
        let (order, revision) = try CopyGenerationInput.read(try request.json(), knows: flow.writing.knowsModels(of: caller))
        return try .json(.ok, try await flow.write(order, revising: revision, for: caller))
    }
}
