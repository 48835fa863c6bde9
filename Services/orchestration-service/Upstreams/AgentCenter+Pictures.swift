import DTO
import HTTPCalling
import HTTPCore
import ServiceDefaults

/// The tenant's money for pictures. Everything is repeatable: by operation, step and ticket.
protocol PictureBudget: Sendable {
    /// - Throws: an `UpstreamProblem` with code `budget.exhausted` where the tenant's budget does not hold another picture.
    func hold(_ request: SpendingHoldRequest, as principal: Principal) async throws -> SpendingHold
    func settle(_ settlement: SpendingSettlement, as principal: Principal) async throws
    func release(_ release: SpendingRelease, as principal: Principal) async throws
}

extension LiveAgentCenter: PictureBudget {
    func hold(_ request: SpendingHoldRequest, as principal: Principal) async throws -> SpendingHold {
        try await client.call(.post, "/v1/ai/holds", body: request, as: principal, idempotent: true)
    }

    func settle(_ settlement: SpendingSettlement, as principal: Principal) async throws {
        try await tell("/v1/ai/holds/settle", settlement, as: principal)
    }

    func release(_ release: SpendingRelease, as principal: Principal) async throws {
        try await tell("/v1/ai/holds/release", release, as: principal)
    }

    /// An answer without a body.
    private func tell(_ path: String, _ body: some Encodable, as principal: Principal) async throws {
        let response = try await client.send(.post, path, body: try JSON.encode(body), as: principal, idempotent: true)
        guard response.status.isSuccess else {
            throw UpstreamProblem(
                callee: client.callee, status: response.status, body: try? JSON.decode(ProblemBody.self, from: response.body),
                retryAfter: response.headers["Retry-After"])
        }
    }
}
