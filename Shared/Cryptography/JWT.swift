public import FoundationEssentials

/// JSON Web Tokens signed with Ed25519 (RFC 7519, RFC 8037). The algorithm is fixed: what a token's header says about it is only compared.
public enum JWT {
    public enum Failure: Error, Equatable, Sendable {
        /// Not three parts of base64url with JSON in them.
        case malformed
        /// The header says another algorithm than `EdDSA`, or critical extensions.
        case unsupported
        /// The header names no key that we know.
        case unknownKey
        case badSignature
        case expired
        case notYetValid
        case wrongIssuer
        case wrongAudience
        /// `exp` is missing or further away than the verifier allows.
        case lifetimeTooLong
    }

    private struct Header: Codable {
        var alg: String
        var typ: String?
        var kid: String?
        var crit: [String]?
    }

    /// - Returns: `header.payload.signature`; the header holds `alg`, `typ` and `kid`.
    public static func sign(claims: some Encodable, key: Ed25519.PrivateKey, keyId: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let header = try encoder.encode(Header(alg: "EdDSA", typ: "JWT", kid: keyId))
        let payload = try encoder.encode(claims)
        let signed = "\(Base64URL.encode(Array(header))).\(Base64URL.encode(Array(payload)))"
        return "\(signed).\(Base64URL.encode(key.sign(Array(signed.utf8))))"
    }

    /// Checks form, algorithm, key and signature, nothing else: follow it with ``RegisteredClaims/check(issuer:audience:lifetime:now:skew:)``.
    ///
    /// - Parameter keys: by `kid`.
    public static func verify<Claims: Decodable>(
        _ token: String, as type: Claims.Type = Claims.self, keys: [String: Ed25519.PublicKey]
    ) throws(Failure) -> Claims {
        try verified(token, keys: keys).claims
    }

    /// Like ``verify(_:as:keys:)`` with the id of the key that signed: where each issuer has its own key, both must agree.
    public static func verified<Claims: Decodable>(
        _ token: String, as type: Claims.Type = Claims.self, keys: [String: Ed25519.PublicKey]
    ) throws(Failure) -> (claims: Claims, keyId: String) {
        // Larger than any token of ours: no work for strangers.
        guard token.utf8.count <= 8_192 else { throw .malformed }
        let parts = token.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes))
        else { throw .malformed }
        guard header.alg == "EdDSA", header.crit == nil else { throw .unsupported }
        guard let keyId = header.kid, let key = keys[keyId] else { throw .unknownKey }
        guard key.verifies(signature, of: Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))) else {
            throw .badSignature
        }
        guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(payload)) else { throw .malformed }
        return (claims, keyId)
    }
}

/// The claims of RFC 7519 §4.1 that every token of ours has. Times are whole seconds since 1970.
public protocol RegisteredClaims {
    var iss: String { get }
    var aud: String { get }
    var exp: Int { get }
    var iat: Int { get }
    var nbf: Int? { get }
}

extension RegisteredClaims {
    public var nbf: Int? { nil }

    /// - Parameters:
    ///   - issuer: who must have made it; `nil` when the caller checks that itself.
    ///   - lifetime: the longest time in seconds between now and `exp`, and between `iat` and `exp`.
    ///   - skew: seconds by which two clocks may differ.
    public func check(
        issuer: String?, audience: String, lifetime: Int, now: Int = Int(Date().timeIntervalSince1970), skew: Int = 5
    ) throws(JWT.Failure) {
        guard issuer == nil || iss == issuer else { throw .wrongIssuer }
        guard aud == audience else { throw .wrongAudience }
        guard now - skew < exp else { throw .expired }
        guard iat <= now + skew, nbf ?? iat <= now + skew else { throw .notYetValid }
        guard exp <= now + lifetime + skew, iat >= exp - lifetime else { throw .lifetimeTooLong }
    }
}

/// A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037 §2), as `/.well-known/jwks.json` serves it.
public struct JWKS: Codable, Sendable, Equatable {
    public struct Key: Codable, Sendable, Equatable {
        public var kty: String
        public var crv: String
        public var x: String
        public var kid: String
        public var use: String
        public var alg: String
    }

    public var keys: [Key]

    /// - Parameter keys: by `kid`; listed in the order of their ids.
    public init(_ keys: [String: Ed25519.PublicKey]) {
        self.keys = keys.sorted { $0.key < $1.key }.map { id, key in
            Key(kty: "OKP", crv: "Ed25519", x: Base64URL.encode(key.raw), kid: id, use: "sig", alg: "EdDSA")
        }
    }
}
