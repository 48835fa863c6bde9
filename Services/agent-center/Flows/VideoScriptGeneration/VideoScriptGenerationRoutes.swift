import HTTPCore
import HTTPServing
import ServiceDefaults

/// `POST /v1/video-scripts`: decode, call the flow, answer.
struct VideoScriptGenerationRoutes: Sendable {
    let flow: VideoScriptGeneration

    func write(_ request: Request) async throws -> Response {
        let caller = try Caller(of: request)
        let order = try VideoScriptGenerationInput.read(try request.json(), knows: flow.writing.knowsModels(of: caller))
        return try .json(.ok, try await flow.write(order, for: caller))
    }
}
