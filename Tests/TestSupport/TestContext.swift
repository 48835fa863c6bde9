public import Cryptography
public import FoundationEssentials
public import HTTPCore
public import ServiceDefaults

/// Signed contexts for tests, with keys that are thrown away with the process. Services started by ``TestApplication`` know the keys.
public enum TestContext {
    /// Two tenants that must never see each other.
    public static let tenant = UUID(uuid: (0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x41, 0x11, 0x81, 0x11, 0, 0, 0, 0, 0, 0x0A))
    public static let otherTenant = UUID(uuid: (0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x42, 0x22, 0x82, 0x22, 0, 0, 0, 0, 0, 0x0B))

    private static let keys = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, Ed25519.PrivateKey.generate()) })

    public static var publicKeys: [ServiceName: Ed25519.PublicKey] { keys.mapValues(\.publicKey) }

    public static func key(of service: ServiceName) -> Ed25519.PrivateKey {
        guard let key = keys[service] else { preconditionFailure("every service has a key") }
        return key
    }

    public static func principal(
        tenant: UUID = tenant, subject: String = "user-1", roles: [String] = ["operator"], scopes: [String] = []
    ) -> Principal {
        Principal(tenantId: tenant, subject: subject, roles: roles, scopes: scopes)
    }

    /// A token as `caller` would sign it, or one that is wrong on purpose.
    ///
    /// - Parameters:
    ///   - key: another key than the caller's.
    ///   - age: seconds since it was signed; 120 makes an expired one.
    ///   - lifetime: seconds from signing to expiry.
    public static func token(
        from caller: ServiceName = .gatewayBFF, to callee: ServiceName, as principal: Principal = principal(),
        key: Ed25519.PrivateKey? = nil, age: Int = 0, lifetime: Int = 60
    ) throws -> String {
        let signedAt = Int(Date().timeIntervalSince1970) - age
        let claims = ContextClaims(
            iss: caller.rawValue, aud: callee.rawValue, tenant: principal.tenantId.uuidString.lowercased(),
            sub: principal.subject,
            act: principal.actingJob, roles: principal.roles, scopes: principal.scopes, exp: signedAt + lifetime, iat: signedAt,
            jti: Random.token(bytes: 12))
        return try JWT.sign(claims: claims, key: key ?? self.key(of: caller), keyId: caller.rawValue)
    }

    /// The headers of an internal call.
    ///
    /// - Parameter operation: the operation id; the same one twice is a repeat.
    public static func headers(
        from caller: ServiceName = .gatewayBFF, to callee: ServiceName, as principal: Principal = principal(),
        operation: UUID? = nil
    ) throws -> HTTPHeaders {
        var headers: HTTPHeaders = ["Authorization": "Bearer \(try token(from: caller, to: callee, as: principal))"]
        headers["X-Operation-Id"] = operation?.uuidString.lowercased()
        return headers
    }
}
