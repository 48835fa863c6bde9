import DTO
import HTTPCalling
import HTTPCore
import ServiceDefaults

extension LiveContentCenter {
    func nearest(to query: SemanticQuery, as principal: Principal) async throws -> SemanticSearchAnswer {
        try await client.call(.post, "/v1/search/semantic", body: query, as: principal, idempotent: true)
    }

    func pendingTexts(for model: String, limit: Int, as principal: Principal) async throws -> SemanticPending {
        try await client.call(
            .get, "/v1/search/vectors/pending?model=\(PercentEncoding.encode(model))&limit=\(limit)", as: principal)
    }

    func keep(_ vectors: SemanticVectors, as principal: Principal) async throws {
        let response = try await client.send(
            .put, "/v1/search/vectors", body: try JSON.encode(vectors), as: principal, idempotent: true)
        guard response.status.isSuccess else {
            throw UpstreamProblem(
                callee: client.callee, status: response.status, body: try? JSON.decode(ProblemBody.self, from: response.body),
                retryAfter: response.headers["Retry-After"])
        }
    }
}
