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
    let logger: Logger

    /// `POST /api/auth/login`
    func login(_ request: Request, address: String) async throws -> Response {
        let input = try IdentityInput.login(try request.json())
        let email = Identity.normalise(email: input.email)
        let guess = try limits.takeGuess(at: email, from: address)
        let attempt: Identity.Attempt
        do { attempt = try await identity.signIn(input) } catch {
            limits.takeBack(guess)
            throw error
        }
        switch attempt {
        case .refused(let user):
            if let user { note(failureOf: user, in: input.tenantId, request, address) }
            throw IdentityError.invalidCredentials
        case .signedIn(let answer):
            limits.takeBack(guess)
            let audit = Self.audit(tenant: answer.tenantId, user: answer.userId, request, address)
            try await ledger.begin(audit)
            let response = try Response.json(.ok, answer)
            try await ledger.finish(audit, WriteLedger.Outcome(response))
            return response
        }
    }

    /// The user's tenants see who tried. Not waited for: an answer that takes longer for e-mail addresses that somebody has would tell
    /// which those are.
    private func note(failureOf user: Identity.KnownUser, in tenant: UUID?, _ request: Request, _ address: String) {
        let tenants = user.memberships.map(\.tenantId).filter { tenant == nil || $0 == tenant }
        let entries = tenants.map { Self.audit(tenant: $0, user: user.id, request, address) }
        guard !entries.isEmpty else { return }
        Task {
            do {
                for audit in entries {
                    try await ledger.begin(audit)
                    try await ledger.finish(audit, WriteLedger.Outcome(failed: .unauthorized))
                }
            } catch {
                logger.warning("a failed sign-in could not be written down", ["error": "\(error)"])
            }
        }
    }

    private static func audit(tenant: UUID, user: UUID, _ request: Request, _ address: String) -> AuditEntry {
        AuditEntry(
            id: UUID.version7(), tenantId: tenant, actor: user.text, action: "POST /api/auth/login", flow: "Identity",
            requestId: request.requestId, operationId: UUID.version7(), clientAddress: address)
    }

    /// `GET /.well-known/jwks.json`
    func jwks(_ request: Request, address: String) throws -> Response {
        try Response.json(.ok, identity.tokens.jwks, headers: ["Cache-Control": "public, max-age=300"])
    }
}
