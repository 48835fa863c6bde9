import ConcurrencySupport
public import Cryptography
import FoundationEssentials
public import HTTPCore
import Observability

/// Checks the signed context of internal calls and remembers for 30 s what it checked.
public final class ContextVerifier: Sendable {
    /// What a good token says.
    public struct Verified: Sendable, Equatable {
        public let principal: Principal
        public let caller: ServiceName
    }

    private struct Entry {
        let verified: Verified
        /// Seconds since 1970, exclusive: never later than the token's own end.
        let validUntil: Int
    }

    public let service: ServiceName
    private let publicKeys: [String: Ed25519.PublicKey]
    private let isAllowed: @Sendable (_ caller: ServiceName) -> Bool
    private let now: @Sendable () -> Int
    private let cache = Lock<[String: Entry]>([:])

    /// - Parameters:
    ///   - service: who we are; a token for anybody else is refused.
    ///   - publicKeys: by the service whose key it is.
    ///   - callMap: who may call whom.
    public init(
        service: ServiceName, publicKeys: [ServiceName: Ed25519.PublicKey],
        callMap: [ServiceName: [ServiceName]] = CallMap.allowed, now: (@Sendable () -> Int)? = nil
    ) {
        self.service = service
        self.publicKeys = Dictionary(uniqueKeysWithValues: publicKeys.map { ($0.key.rawValue, $0.value) })
        isAllowed = { callMap[$0]?.contains(service) ?? false }
        self.now = now ?? currentSeconds
    }

    /// - Parameter token: what follows `Bearer `.
    /// - Throws: ``ContextRejected``.
    public func verify(_ token: String) throws(ContextRejected) -> Verified {
        let time = now()
        if let entry = cache.withLock({ $0[token] }), time < entry.validUntil { return entry.verified }
        let (verified, expiry) = try check(token, at: time)
        cache.withLock { cache in
            if cache.count >= ContextToken.cacheLimit {
                cache = cache.filter { time < $0.value.validUntil }
                if cache.count >= ContextToken.cacheLimit { cache = [:] }
            }
            cache[token] = Entry(verified: verified, validUntil: min(expiry, time + ContextToken.reuse))
        }
        return verified
    }

    private func check(_ token: String, at time: Int) throws(ContextRejected) -> (Verified, expiry: Int) {
        let claims: ContextClaims
        do {
            let (decoded, keyId) = try JWT.verified(token, as: ContextClaims.self, keys: publicKeys)
            // One key per service: a service cannot speak in another's name.
            try decoded.check(issuer: keyId, audience: service.rawValue, lifetime: ContextToken.lifetime, now: time)
            claims = decoded
        } catch {
            throw .invalid("\(error)")
        }
        guard let caller = ServiceName(rawValue: claims.iss) else { throw .invalid("unknown issuer") }
        guard let tenantId = UUID(text: claims.tenant), !claims.sub.isEmpty else { throw .invalid("malformed claims") }
        guard isAllowed(caller) else { throw .arrowMissing(caller: caller, callee: service) }
        let principal = Principal(
            tenantId: tenantId, subject: claims.sub, roles: claims.roles, scopes: claims.scopes, actingJob: claims.act)
        return (Verified(principal: principal, caller: caller), claims.exp)
    }
}

/// Why an internal call is not let in.
public enum ContextRejected: HTTPFailure, Equatable {
    /// 401. The reason is for the log; the caller does not get it.
    case invalid(String)
    /// 403: the token is good, but design §2 has no such arrow.
    case arrowMissing(caller: ServiceName, callee: ServiceName)

    public var problem: ProblemDescription {
        switch self {
        case .invalid: Unauthorized(code: "auth.invalid_context").problem
        case .arrowMissing: Forbidden(code: "auth.arrow_missing").problem
        }
    }
}
