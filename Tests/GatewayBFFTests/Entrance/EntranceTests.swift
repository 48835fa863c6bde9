import ConcurrencySupport
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("The entrance")
struct EntranceTests {
    private static let created: Handler = { _ in
        .json(
            .created, bytes: Array(#"{"contentId":"1"}"#.utf8),
            headers: ["Location": "/api/contents/1", "X-Internal": "secret"])
    }

    @Test("wants a token", arguments: ["", "Bearer", "Bearer nonsense", "Basic abc", "Bearer a.b.c"])
    func noToken(header: String) async throws {
        try await GatewayHarness.run { gateway in
            var headers = HTTPHeaders()
            if !header.isEmpty { headers["Authorization"] = header }
            let response = try await gateway.client.send(.get, "/api/contents", headers: headers)
            #expect(response.status == .unauthorized)
            #expect(try response.problem().code == (header.isEmpty ? "auth.token_missing" : "auth.token_invalid"))
            #expect(response.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
            #expect(gateway.calls.all.isEmpty)
        }
    }

    @Test("refuses an expired token and one for another audience")
    func foreignTokens() async throws {
        try await GatewayHarness.run(environment: ["ACCESS_TOKEN_LIFETIME": "1s"]) { gateway in
            let login = try await gateway.signIn()
            try await eventually {
                try await gateway.client.send(.get, "/api/contents", headers: gateway.bearer(login)).status == .unauthorized
            }
            // An internal context token is signed by the same process, but for a service.
            let principal = Principal(tenantId: login.tenantId, subject: "u", scopes: ["contents:read"])
            let context = try gateway.runtime.signer.token(for: principal, to: .contentCenter)
            let response = try await gateway.client.send(.get, "/api/contents", headers: ["Authorization": "Bearer \(context)"])
            #expect(response.status == .unauthorized)
        }
    }

    @Test("signs the member's context for the upstream and relays only what is meant for clients")
    func forwarding() async throws {
        try await GatewayHarness.run(upstream: Self.created) { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.post(
                "/api/titles",
                headers: gateway.bearer(
                    login, ["X-Operation-Id": "11111111-1111-4111-8111-111111111111", "X-Deadline-Ms": "1", "Cookie": "a=b"]),
                ["topic": "猫"])
            #expect(response.status == .created)
            #expect(response.headers["Location"] == "/api/contents/1")
            #expect(response.headers["X-Internal"] == nil)
            #expect(response.headers["X-Content-Type-Options"] == "nosniff")
            #expect(response.headers["RateLimit"]?.hasPrefix("\"tenant\";r=") == true)
            let call = try #require(gateway.calls.all.first)
            #expect(call.path == "/v1/titles")
            #expect(call.headers["Cookie"] == nil)
            // The operation id and the deadline are ours, whatever the client says.
            #expect(call.headers["X-Operation-Id"] != "11111111-1111-4111-8111-111111111111")
            #expect(call.headers["X-Operation-Id"].flatMap(UUID.init(uuidString:)) != nil)
            #expect((call.headers["X-Deadline-Ms"].flatMap(Int.init) ?? 0) > 20_000)
            let audit = try await gateway.database.app.query(
                "SELECT status, action, resource FROM audit_log WHERE flow = 'TitleGeneration'", tenant: login.tenantId)
            #expect(audit.count == 1)
            #expect(try audit.first?.decode("status", as: Int.self) == 201)
        }
    }

    @Test("answers a repeated key from the record, once")
    func idempotentReplay() async throws {
        try await GatewayHarness.run(upstream: Self.created) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "key-1"])
            let body = ["topic": "猫"]
            let responses = try await withThrowingTaskGroup(of: TestResponse.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await gateway.post("/api/titles", headers: headers, body) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(gateway.calls.all.count == 1)
            #expect(responses.allSatisfy { [201, 409].contains($0.status.code) })
            let again = try await gateway.post("/api/titles", headers: headers, body)
            #expect(again.status == .created)
            #expect(again.headers["Idempotent-Replayed"] == "true")
            #expect(again.text == #"{"contentId":"1"}"#)
            let other = try await gateway.post("/api/titles", headers: headers, ["topic": "狗"])
            #expect(other.status == .unprocessableContent)
            #expect(try other.problem().code == "idempotency.key_reused")
            #expect(gateway.calls.all.count == 1)
        }
    }

    @Test("keeps the operation id for the next attempt when the upstream failed")
    func sameOperationAfterFailure() async throws {
        let attempts = Locked(0)
        try await GatewayHarness.run(upstream: { request in
            let attempt = attempts.withLock { count in
                count += 1
                return count
            }
            guard attempt > 1 else {
                throw HTTPClientError(.timeout(.total), requestMayHaveStarted: true, message: "stub")
            }
            return try await Self.created(request)
        }) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "key-1"])
            let body = ["topic": "猫"]
            let first = try await gateway.post("/api/titles", headers: headers, body)
            #expect(first.status == .gatewayTimeout)
            #expect(try await gateway.post("/api/titles", headers: headers, body).status == .created)
            let operations = gateway.calls.all.map { $0.headers["X-Operation-Id"] }
            #expect(operations.count == 2 && operations[0] == operations[1])
        }
    }

    @Test("refuses a malformed key", arguments: ["", "with space", String(repeating: "k", count: 256), "键"])
    func malformedKey(key: String) async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.post(
                "/api/titles", headers: gateway.bearer(login, ["Idempotency-Key": key]), ["topic": "猫"])
            #expect(response.status == .badRequest)
            #expect(try response.problem().errors?.first?.pointer == "Idempotency-Key")
            #expect(gateway.calls.all.isEmpty)
        }
    }

    @Test("says when the budget is spent")
    func rateLimit() async throws {
        try await GatewayHarness.run { gateway in
            var last: TestResponse?
            for _ in 0..<21 {
                last = try await gateway.post("/api/auth/login", ["email": "x@y.z", "password": "p"])
            }
            let response = try #require(last)
            #expect(response.status == .tooManyRequests)
            #expect(response.headers["Retry-After"].flatMap(Int.init) ?? 0 >= 1)
            #expect(response.headers["RateLimit"]?.contains("r=0") == true)
        }
    }

    @Test("relays an upstream's problem under the public path, and hides what is between us")
    func problems() async throws {
        let notFound: Handler = { .problem(NotFound(), for: $0) }
        try await GatewayHarness.run(upstream: notFound) { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.client.send(.get, "/api/contents/1", headers: gateway.bearer(login))
            #expect(response.status == .notFound)
            #expect(try response.problem().instance == "/api/contents/1")
        }
        let refusing: Handler = { .problem(Unauthorized(code: "auth.invalid_context"), for: $0) }
        try await GatewayHarness.run(upstream: refusing) { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.client.send(.get, "/api/contents/1", headers: gateway.bearer(login))
            #expect(response.status == .badGateway)
        }
    }

    @Test("keeps path parameters and queries intact on the way in")
    func targets() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            _ = try await gateway.client.send(
                .get, "/api/contents/a%2Fb%20c/versions?limit=2&cursor=x%3D%3D", headers: gateway.bearer(login))
            let call = try #require(gateway.calls.all.first)
            #expect(call.path == "/v1/contents/a%2Fb%20c/versions")
            #expect(call.rawQuery == "limit=2&cursor=x%3D%3D")
        }
    }
}
