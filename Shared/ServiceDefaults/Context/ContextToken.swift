import Cryptography
import FoundationEssentials

/// The claims of the signed context that every internal call carries as `Authorization: Bearer` (design §4). Its header's `kid` is the
/// issuer too: one key per service.
package struct ContextClaims: Codable, RegisteredClaims {
    package var iss: String
    package var aud: String
    package var tenant: String
    package var sub: String
    package var act: String?
    package var roles: [String]
    package var scopes: [String]
    package var exp: Int
    package var iat: Int
    package var jti: String

    package init(
        iss: String, aud: String, tenant: String, sub: String, act: String?, roles: [String], scopes: [String], exp: Int,
        iat: Int,
        jti: String
    ) {
        self.iss = iss
        self.aud = aud
        self.tenant = tenant
        self.sub = sub
        self.act = act
        self.roles = roles
        self.scopes = scopes
        self.exp = exp
        self.iat = iat
        self.jti = jti
    }
}

enum ContextToken {
    /// Seconds between `iat` and `exp`, and the longest that a callee accepts.
    static let lifetime = 60
    /// Seconds for which both sides use a token again without another signature.
    static let reuse = 30
    static let cacheLimit = 10_000
}

/// Whole seconds since 1970.
func currentSeconds() -> Int { Int(Date().timeIntervalSince1970) }
