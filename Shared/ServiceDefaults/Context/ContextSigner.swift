import ConcurrencySupport
public import Cryptography
import FoundationEssentials
import Observability

/// Signs what this service says about a caller to the services it calls. A token is reused per principal and callee for 30 s, so that a
/// signature costs next to nothing.
public final class ContextSigner: Sendable {
    private struct Key: Hashable {
        let principal: Principal
        let callee: ServiceName
    }

    private struct Entry {
        /// With `Bearer ` before the token, as it stands in the header of every call.
        let authorization: String
        let signedAt: Int
    }

    public let service: ServiceName
    private let key: Ed25519.PrivateKey
    private let now: @Sendable () -> Int
    private let cache = Lock<[Key: Entry]>([:])

    /// - Parameter now: seconds since 1970; a parameter for tests.
    public init(service: ServiceName, key: Ed25519.PrivateKey, now: (@Sendable () -> Int)? = nil) {
        self.service = service
        self.key = key
        self.now = now ?? currentSeconds
    }

    /// A token that is valid for at least another 30 s.
    public func token(for principal: Principal, to callee: ServiceName) throws -> String {
        String(try authorization(for: principal, to: callee).dropFirst("Bearer ".count))
    }

    /// The same as the value of an `Authorization` header.
    public func authorization(for principal: Principal, to callee: ServiceName) throws -> String {
        let (cacheKey, time) = (Key(principal: principal, callee: callee), now())
        if let entry = cache.withLock({ $0[cacheKey] }), (entry.signedAt...entry.signedAt + ContextToken.reuse).contains(time) {
            return entry.authorization
        }
        let authorization = "Bearer " + (try sign(principal, to: callee, at: time))
        cache.withLock { cache in
            if cache.count >= ContextToken.cacheLimit {
                cache = cache.filter { $0.value.signedAt + ContextToken.reuse >= time }
                if cache.count >= ContextToken.cacheLimit { cache = [:] }
            }
            cache[cacheKey] = Entry(authorization: authorization, signedAt: time)
        }
        return authorization
    }

    private func sign(_ principal: Principal, to callee: ServiceName, at time: Int) throws -> String {
        let claims = ContextClaims(
            iss: service.rawValue, aud: callee.rawValue, tenant: principal.tenantId.text,
            sub: principal.subject, act: principal.actingJob, roles: principal.roles,
            scopes: principal.scopes.filter { HeardScopes.hears(callee, $0) },
            exp: time + ContextToken.lifetime, iat: time, jti: Random.token(bytes: 12))
        return try JWT.sign(claims: claims, key: key, keyId: service.rawValue)
    }
}
