import Cryptography
import FoundationEssentials

/// The claims of the signed context that every internal call carries as `Authorization: Bearer` (design §4).
struct ContextClaims: Codable, RegisteredClaims {
    var iss: String
    var aud: String
    var tenant: String
    var sub: String
    var act: String?
    var roles: [String]
    var scopes: [String]
    var exp: Int
    var iat: Int
    var jti: String
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
