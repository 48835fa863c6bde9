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
            .get, "/v1/search/vectors/pending?model=\(Self.encoded(model))&limit=\(limit)", as: principal)
    }

    /// RFC 3986 unreserved characters stay; a model's name may hold anything.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let stays =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar))
            return stays ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
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
