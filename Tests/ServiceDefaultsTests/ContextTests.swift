import Cryptography
import Foundation
import HTTPCore
import ServiceDefaults
import TestSupport
import Testing

@Suite struct ContextTests {
    private let clock = Locked(1_000_000)
    private let principal = Principal(
        tenantId: UUID(), subject: "user-7", roles: ["operator"], scopes: ["contents:write"], actingJob: "job-1")

    private var now: @Sendable () -> Int { { [clock] in clock.value } }

    private func signer(_ service: ServiceName = .gatewayBFF) -> ContextSigner {
        ContextSigner(service: service, key: TestContext.key(of: service), now: now)
    }

    private func verifier(_ service: ServiceName = .contentCenter) -> ContextVerifier {
        ContextVerifier(service: service, publicKeys: TestContext.publicKeys, now: now)
    }

    private func claims(
        iss: String = "gateway-bff", aud: String = "content-center", tenant: String = UUID().uuidString, sub: String = "user-7",
        exp: Int = 1_000_060, iat: Int = 1_000_000
    ) -> ContextClaims {
        ContextClaims(
            iss: iss, aud: aud, tenant: tenant, sub: sub, act: nil, roles: [], scopes: [], exp: exp, iat: iat, jti: "j")
    }

    private func rejects(
        _ claims: ContextClaims, keyId: String = "gateway-bff", key: Ed25519.PrivateKey = TestContext.key(of: .gatewayBFF),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let token = try JWT.sign(claims: claims, key: key, keyId: keyId)
        let error = #expect(throws: ContextRejected.self, sourceLocation: sourceLocation) { try verifier().verify(token) }
        #expect(error?.problem.status == .unauthorized, sourceLocation: sourceLocation)
        #expect(error?.problem.code == "auth.invalid_context", sourceLocation: sourceLocation)
    }

    @Test func carriesThePrincipal() throws {
        let verified = try verifier().verify(try signer().token(for: principal, to: .contentCenter))
        #expect(verified.principal == principal)
        #expect(verified.caller == .gatewayBFF)
    }

    @Test func refusesTokensForOthers() throws { try rejects(claims(aud: "agent-center")) }

    @Test func refusesExpiredTokens() throws {
        try rejects(claims(exp: 999_990, iat: 999_930))
        try rejects(claims(exp: 1_000_090, iat: 1_000_030))
    }

    @Test func refusesTokensThatLiveTooLong() throws {
        try rejects(claims(exp: 1_000_061))
        try rejects(claims(exp: 2_000_000, iat: 1_999_990))
    }

    @Test func refusesUnknownIssuers() throws {
        try rejects(claims(iss: "stranger"), keyId: "stranger", key: .generate())
        try rejects(claims(), key: .generate())
    }

    @Test func aServiceCannotSpeakInAnothersName() throws {
        try rejects(
            claims(iss: "gateway-bff"), keyId: "orchestration-service", key: TestContext.key(of: .orchestrationService))
    }

    @Test func refusesMalformedClaims() throws {
        try rejects(claims(tenant: "not-a-uuid"))
        try rejects(claims(sub: ""))
        for token in ["", "a.b.c", "Bearer x"] { #expect(throws: ContextRejected.self) { try verifier().verify(token) } }
    }

    @Test func refusesOtherAlgorithms() throws {
        let header = Base64URL.encode(Array(#"{"alg":"none","kid":"gateway-bff"}"#.utf8))
        let payload = Base64URL.encode(Array(try JSONEncoder().encode(claims())))
        #expect(throws: ContextRejected.self) { try verifier().verify("\(header).\(payload).") }
    }

    @Test func aMissingArrowIsForbidden() throws {
        // delivery-connector-douyin calls nobody.
        let token = try signer(.deliveryConnectorDouyin).token(for: principal, to: .contentCenter)
        let error = #expect(throws: ContextRejected.self) { try verifier().verify(token) }
        #expect(error == .arrowMissing(caller: .deliveryConnectorDouyin, callee: .contentCenter))
        #expect(error?.problem.status == .forbidden)
        #expect(error?.problem.code == "auth.arrow_missing")
    }

    // MARK: - Caching

    @Test func reusesATokenForThirtySeconds() throws {
        let signer = signer()
        let first = try signer.token(for: principal, to: .contentCenter)
        clock.withLock { $0 += 30 }
        #expect(try signer.token(for: principal, to: .contentCenter) == first)
        clock.withLock { $0 += 1 }
        let second = try signer.token(for: principal, to: .contentCenter)
        #expect(second != first)
        #expect(try verifier().verify(second).principal == principal)
    }

    @Test func keepsPrincipalsAndCalleesApart() throws {
        let signer = signer()
        var other = principal
        other.tenantId = UUID()
        let tokens = [
            try signer.token(for: principal, to: .contentCenter), try signer.token(for: principal, to: .agentCenter),
            try signer.token(for: other, to: .contentCenter),
        ]
        #expect(Set(tokens).count == 3)
        #expect(try verifier().verify(tokens[2]).principal.tenantId == other.tenantId)
    }

    @Test func aTokenCarriesTheScopesThatItsReaderLooksAt() throws {
        var administrator = principal
        administrator.scopes = [
            "ai:usage", "contents:read", "materials:approve", "prompts:read", "tenant:manage", "titles:generate",
        ]
        func heard(by callee: ServiceName) throws -> [String] {
            let token = try signer().token(for: administrator, to: callee)
            return try verifier(callee).verify(token).principal.scopes
        }
        #expect(try heard(by: .contentCenter) == ["contents:read", "materials:approve", "tenant:manage"])
        #expect(try heard(by: .agentCenter) == ["ai:usage", "prompts:read"])
        // It calls others in the caller's name.
        #expect(try heard(by: .orchestrationService) == administrator.scopes)
    }

    @Test func aRememberedTokenStillExpires() throws {
        let verifier = verifier()
        let token = try signer().token(for: principal, to: .contentCenter)
        for _ in 0..<3 {
            #expect(try verifier.verify(token).principal == principal)
            clock.withLock { $0 += 20 }
        }
        clock.withLock { $0 += 6 }
        #expect(throws: ContextRejected.invalid("expired")) { try verifier.verify(token) }
    }

    @Test func twentyThousandCallsDoNotSignTwentyThousandTimes() throws {
        let (signer, verifier) = (signer(), verifier())
        let begin = ContinuousClock.now
        for _ in 0..<20_000 { _ = try verifier.verify(try signer.token(for: principal, to: .contentCenter)) }
        // 20,000 real signatures and checks take several seconds.
        #expect(ContinuousClock.now - begin < .seconds(2))
    }
}
