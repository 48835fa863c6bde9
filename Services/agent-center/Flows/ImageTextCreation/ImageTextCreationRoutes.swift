import HTTPCore
import HTTPServing
import ServiceDefaults

/// `POST /v1/image-texts`: decode, call the flow, answer.
struct ImageTextCreationRoutes: Sendable {
    let flow: ImageTextCreation

    func write(_ request: Request) async throws -> Response {
        let caller = try Caller(of: request)
        let order = try ImageTextCreationInput.read(try request.json(), knows: flow.writing.knowsModels(of: caller))
        return try .json(.ok, try await flow.write(order, for: caller))
    }
}
