import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore

struct IdentityRoutes: Sendable {
    let identity: Identity
    let limits: RateLimits
    let ledger: WriteLedger

    /// `POST /api/auth/login`
    func login(_ request: Request, address: String) async throws -> Response {
        let input = try IdentityInput.login(try request.json())
        if case .refused(let retryAfter)? = limits.takeForAccount(Identity.normalise(email: input.email))?.decision {
            throw TooManyRequests(retryAfter: retryAfter)
        }
        let answer = try await identity.signIn(input)
        let audit = AuditEntry(
            id: UUID.version7(), tenantId: answer.tenantId, actor: answer.userId.text,
            action: "POST /api/auth/login", flow: "Identity", requestId: request.requestId, operationId: UUID.version7(),
            clientAddress: address)
        try await ledger.begin(audit)
        let response = try Response.json(.ok, answer)
        try await ledger.finish(audit, WriteLedger.Outcome(response))
        return response
    }

    /// `GET /.well-known/jwks.json`
    func jwks(_ request: Request, address: String) throws -> Response {
        try Response.json(.ok, identity.tokens.jwks, headers: ["Cache-Control": "public, max-age=300"])
    }
}
