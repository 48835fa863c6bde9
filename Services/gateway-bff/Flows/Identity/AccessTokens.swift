import ConcurrencySupport
import Cryptography
import FoundationEssentials
import Observability

/// Issues and checks the tokens that clients carry: JWT signed with Ed25519, good for one tenant, for 15 minutes.
final class AccessTokens: Sendable {
    /// What a token says.
    struct Claims: Codable, RegisteredClaims, Sendable {
        var iss: String
        var aud: String
        var sub: UUID
        var tenant: UUID
        var roles: [String]
        var iat: Int
        var exp: Int
        var jti: UUID
    }

    /// Verified tokens are remembered: a signature costs about 100 µs, a look-up less than one.
    private struct Cache {
        var members: [String: Member] = [:]
    }

    private static let audience = "douyin-marketing-api"
    private static let cacheLimit = 10_000

    let lifetime: Duration
    private let issuer: String
    private let key: Ed25519.PrivateKey
    private let keyId: String
    private let cache = Lock(Cache())

    init(issuer: String, key: Ed25519.PrivateKey, lifetime: Duration) {
        self.issuer = issuer
        self.key = key
        self.lifetime = lifetime
        keyId = Base64URL.encode(Array(SHA256.hash(key.publicKey.raw).prefix(9)))
    }

    var jwks: JWKS { JWKS([keyId: key.publicKey]) }

    func issue(userId: UUID, tenantId: UUID, roles: [String]) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let claims = Claims(
            iss: issuer, aud: Self.audience, sub: userId, tenant: tenantId, roles: roles, iat: now,
            exp: now + Int(lifetime.inSeconds), jti: UUID())
        return try JWT.sign(claims: claims, key: key, keyId: keyId)
    }

    /// - Returns: `nil` for anything that is not a valid token of ours; why is nobody's business.
    func verify(_ token: String) -> Member? {
        if let known = cache.withLock({ $0.members[token] }) { return known.isExpired ? nil : known }
        guard let claims = try? JWT.verify(token, as: Claims.self, keys: [keyId: key.publicKey]) else { return nil }
        do {
            try claims.check(issuer: issuer, audience: Self.audience, lifetime: Int(lifetime.inSeconds))
        } catch {
            return nil
        }
        let member = Member(
            tenantId: claims.tenant, subject: claims.sub.text, roles: claims.roles,
            permissions: permissions(ofRoles: claims.roles),
            expiresAt: Date(timeIntervalSince1970: TimeInterval(claims.exp)))
        guard !member.isExpired else { return nil }
        cache.withLock { cache in
            if cache.members.count >= Self.cacheLimit {
                cache.members = cache.members.filter { !$0.value.isExpired }
                if cache.members.count >= Self.cacheLimit { cache.members.removeAll() }
            }
            cache.members[token] = member
        }
        return member
    }
}
