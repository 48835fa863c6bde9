import DTO
import HTTPCalling
import HTTPCore
import ServiceDefaults

/// Where pictures are kept.
protocol PictureLibrary: Sendable {
    /// The same bytes are one asset, so this is repeatable.
    func keep(_ picture: Picture, as principal: Principal) async throws -> Asset
}

extension LiveContentCenter: PictureLibrary {
    func keep(_ picture: Picture, as principal: Principal) async throws -> Asset {
        let response = try await client.send(
            .post, "/v1/assets", body: picture.bytes, as: principal, idempotent: true,
            headers: ["Content-Type": picture.type.rawValue])
        guard response.status.isSuccess else {
            throw UpstreamProblem(
                callee: client.callee, status: response.status, body: try? JSON.decode(ProblemBody.self, from: response.body),
                retryAfter: response.headers["Retry-After"])
        }
        return try JSON.decode(Asset.self, from: response.body)
    }
}
