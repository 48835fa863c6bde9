import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials

/// Signing in: an e-mail and a password become a token for exactly one tenant.
struct Identity: Sendable {
    struct KnownUser: Sendable {
        let id: UUID
        let passwordHash: String
        let isActive: Bool
        /// tenant → role names
        let memberships: [(tenantId: UUID, roles: [String])]
    }

    protocol Users: Sendable {
        func find(email: String) async throws -> KnownUser?
    }

    let users: any Users
    let hasher: PasswordHasher
    let tokens: AccessTokens

    enum Attempt: Sendable {
        case signedIn(LoginAnswer)
        /// The password, or the tenant, is not the user's.
        case refused(KnownUser?)
    }

    /// - Throws: ``IdentityError/tenantRequired``.
    func signIn(_ request: LoginRequest) async throws -> Attempt {
        let user = try await users.find(email: Self.normalise(email: request.email))
        let matches = try await hasher.verify(request.password, against: user?.passwordHash)
        guard let user, matches, user.isActive, let membership = try chooseMembership(of: user, wanted: request.tenantId) else {
            return .refused(user)
        }
        let token = try tokens.issue(userId: user.id, tenantId: membership.tenantId, roles: membership.roles)
        return .signedIn(
            LoginAnswer(
                accessToken: token, tokenType: "Bearer", expiresIn: Int(tokens.lifetime.inSeconds), tenantId: membership.tenantId,
                userId: user.id, roles: membership.roles))
    }

    private func chooseMembership(of user: KnownUser, wanted: UUID?) throws -> (tenantId: UUID, roles: [String])? {
        if let wanted {
            // A tenant that the user does not belong to looks like a wrong password: whether it exists is not theirs to know.
            return user.memberships.first { $0.tenantId == wanted }
        }
        guard user.memberships.count <= 1 else { throw IdentityError.tenantRequired }
        return user.memberships.first
    }

    /// E-mail addresses are compared trimmed and in lower case.
    static func normalise(email: String) -> String {
        var text = email.lowercased()[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
