import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("Signing in")
struct IdentityTests {
    @Test("gives a token that says who and for which tenant, and writes it down")
    func success() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn(" Demo@Example.COM ".trimmingCharacters(in: .whitespaces))
            #expect(login.tokenType == "Bearer" && login.expiresIn == 900 && login.roles == ["tenant_admin"])
            let jwks = try await gateway.client.send(.get, "/.well-known/jwks.json").decode(JWKS.self)
            let key = try #require(jwks.keys.first)
            let raw = try #require(Base64URL.decode(key.x))
            let claims = try JWT.verify(
                login.accessToken, as: AccessTokens.Claims.self, keys: [key.kid: Ed25519.PublicKey(raw: raw)])
            #expect(claims.tenant == login.tenantId && claims.sub == login.userId)
            let audit = try await gateway.database.app.query("SELECT action FROM audit_log", tenant: login.tenantId)
            #expect(try audit.map { try $0.decode("action", as: String.self) } == ["POST /api/auth/login"])
        }
    }

    @Test("answers the same to a wrong password, an unknown user and a foreign tenant")
    func refusals() async throws {
        try await GatewayHarness.run { gateway in
            let attempts = [
                ["email": "demo@example.com", "password": "wrong"],
                ["email": "nobody@example.com", "password": GatewayHarness.password],
                [
                    "email": "demo@example.com", "password": GatewayHarness.password,
                    "tenantId": try await gateway.signIn("demo2@example.com").tenantId.uuidString,
                ],
            ]
            for attempt in attempts {
                let response = try await gateway.post("/api/auth/login", attempt)
                #expect(response.status == .unauthorized)
                #expect(try response.problem().code == "auth.invalid_credentials")
            }
        }
    }

    @Test("may be done as often as one likes with the right password")
    func successesAreNotCounted() async throws {
        try await GatewayHarness.run { gateway in
            for _ in 0..<15 {
                let login = try await gateway.signIn()
                #expect(login.expiresIn == 900)
            }
        }
    }

    @Test("is slowed down where passwords are guessed, and not elsewhere; the tenant sees who tried")
    func guessing() async throws {
        try await GatewayHarness.run(environment: ["TRUSTED_PROXIES": "127.0.0.0/8"]) { gateway in
            let attempt = { (address: String, password: String) in
                try await gateway.post(
                    "/api/auth/login", headers: ["X-Forwarded-For": address], ["email": "Demo@example.com", "password": password])
            }
            for _ in 0..<10 { #expect(try await attempt("192.0.2.1", "wrong").status == .unauthorized) }
            // Even the right one: who guesses learns nothing more.
            let refused = try await attempt("192.0.2.1", GatewayHarness.password)
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.problem().code == "auth.too_many_failures")
            #expect(refused.headers["Retry-After"].flatMap(Int.init) ?? 0 >= 1)
            // Its owner, elsewhere.
            let login = try await attempt("192.0.2.2", GatewayHarness.password).decode(LoginAnswer.self)
            try await eventually("each failure is written down") {
                let rows = try await gateway.database.app.query(
                    "SELECT actor FROM audit_log WHERE status = 401 AND client_address = '192.0.2.1'", tenant: login.tenantId)
                return try rows.map { try $0.decode("actor", as: String.self) } == Array(repeating: login.userId.text, count: 10)
            }
        }
    }

    @Test("is slowed down for everybody after many failures from many addresses")
    func distributedGuessing() throws {
        let limits = RateLimits(policies: .standard())
        var guesses = try (0..<200).map { try limits.takeGuess(at: "a@b.c", from: "10.0.0.\($0)") }
        // Refused for the account: the address has lost nothing by that.
        for _ in 0..<20 {
            #expect(throws: TooManyRequests.self) { try limits.takeGuess(at: "a@b.c", from: "10.0.1.1") }
        }
        _ = try limits.takeGuess(at: "b@b.c", from: "10.0.0.1")
        for _ in 0..<10 {
            limits.takeBack(guesses.removeLast())
            _ = try limits.takeGuess(at: "a@b.c", from: "10.0.1.1")
        }
        #expect(throws: TooManyRequests.self) { try limits.takeGuess(at: "a@b.c", from: "10.0.1.1") }
    }

    @Test("is slowed down just as much where guesses come at once")
    func parallelGuessing() async throws {
        try await GatewayHarness.run(environment: ["RATE_LIMIT_SCALE": "10"]) { gateway in
            let statuses = try await withThrowingTaskGroup(of: HTTPStatus.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        try await gateway.post(
                            "/api/auth/login", ["email": "demo@example.com", "password": "wrong \(number)"]
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses) == [.unauthorized, .tooManyRequests])
            #expect(statuses.filter { $0 == .unauthorized }.count <= 10)
        }
    }

    @Test("costs no attempt where nobody said whether the password was right")
    func noVerdict() async throws {
        try await GatewayHarness.run(environment: ["RATE_LIMIT_SCALE": "10"]) { gateway in
            let grant = { (verb: String) in
                _ = try await gateway.database.superuser.query("\(unescaped: verb) gateway_system")
            }
            try await grant("REVOKE SELECT ON users FROM")
            for _ in 0..<12 {
                let answer = try await gateway.post(
                    "/api/auth/login", ["email": "demo@example.com", "password": GatewayHarness.password])
                #expect(answer.status.code >= 500)
            }
            try await grant("GRANT SELECT ON users TO")
            #expect(try await gateway.signIn().expiresIn == 900)
        }
    }

    @Test("refuses a disabled user")
    func disabled() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.database.superuser.query(
                "UPDATE users SET status = 'disabled' WHERE email = 'demo@example.com'")
            let response = try await gateway.post(
                "/api/auth/login", ["email": "demo@example.com", "password": GatewayHarness.password])
            #expect(response.status == .unauthorized)
        }
    }

    @Test("names every field that is wrong")
    func badInput() async throws {
        try await GatewayHarness.run { gateway in
            let response = try await gateway.client.send(
                .post, "/api/auth/login", headers: ["Content-Type": "application/json"],
                body: Array(#"{"email": 1, "tenantId": "x", "extra": true}"#.utf8))
            #expect(response.status == .unprocessableContent)
            #expect(Set(try response.problem().errors?.map(\.pointer) ?? []) == ["/email", "/password", "/tenantId", "/extra"])
        }
    }

    @Test("asks a user of several tenants which one")
    func severalTenants() async throws {
        try await GatewayHarness.run { gateway in
            let (one, two) = (try await gateway.signIn(), try await gateway.signIn("demo2@example.com"))
            _ = try await gateway.database.app.query(
                "INSERT INTO memberships (tenant_id, user_id, roles) VALUES (\(two.tenantId), \(one.userId), \(["viewer"]))",
                tenant: two.tenantId)
            var body = ["email": "demo@example.com", "password": GatewayHarness.password]
            let undecided = try await gateway.post("/api/auth/login", body)
            #expect(try undecided.problem().code == "auth.tenant_required")
            body["tenantId"] = two.tenantId.uuidString
            let viewer = try await gateway.post("/api/auth/login", body).decode(LoginAnswer.self)
            #expect(viewer.tenantId == two.tenantId && viewer.roles == ["viewer"])
            // A viewer may read and not write.
            let write = try await gateway.post("/api/titles", headers: gateway.bearer(viewer), ["topic": "猫"])
            #expect(write.status == .forbidden)
            #expect(try write.problem().code == "auth.permission_missing")
            #expect(try await gateway.client.send(.get, "/api/contents", headers: gateway.bearer(viewer)).status == .ok)
        }
    }
}
