import ConcurrencySupport
import Cryptography
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import Observability
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

    @Test("tells where something is as clients know it", arguments: ["/v1/spaces/1", "/api/spaces/1"])
    func places(told: String) async throws {
        let upstream: Handler = { _ in .json(.created, bytes: Array("{}".utf8), headers: ["Location": told]) }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.post("/api/spaces", headers: gateway.bearer(login), ["name": "项目"])
            #expect(response.headers["Location"] == "/api/spaces/1")
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

    @Test("keeps no signed address under a key: the repeat is answered anew, for the same operation")
    func answeredAnew() async throws {
        let signatures = Locked(0)
        let upstream: Handler = { _ in
            let number = signatures.withLock { count in
                count += 1
                return count
            }
            return .json(.created, bytes: Array(#"{"uploadUrl":"https://store/a?signature=\#(number)"}"#.utf8))
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "key-1"])
            for number in 1...2 {
                let answer = try await gateway.post("/api/assets/presign", headers: headers, ["filename": "a.png"])
                #expect(answer.status == .created && answer.text.hasSuffix("signature=\(number)\"}"))
                #expect(answer.headers["Idempotent-Replayed"] == nil)
            }
            let operations = gateway.calls.all.map { $0.headers["X-Operation-Id"] }
            #expect(operations.count == 2 && operations[0] != nil && operations[0] == operations[1])
            let other = try await gateway.post("/api/assets/presign", headers: headers, ["filename": "b.png"])
            #expect(try other.problem().code == "idempotency.key_reused")
            let kept = try await gateway.database.app.query(
                "SELECT response_body FROM idempotency_keys WHERE route = 'POST /api/assets/presign'", tenant: login.tenantId)
            #expect(try kept.map { try $0.decode("response_body", as: [UInt8]?.self) } == [nil])
        }
    }

    @Test("records an answer late when the database refused just then")
    func lateRecord() async throws {
        let database = Locked<TestDatabase?>(nil)
        let allow: @Sendable (Bool) async throws -> Void = { allowed in
            try await database.withLock { $0 }?.superuser.query(
                allowed
                    ? "GRANT UPDATE ON idempotency_keys TO gateway_app" : "REVOKE UPDATE ON idempotency_keys FROM gateway_app")
        }
        let upstream: Handler = { request in
            try await allow(false)
            return try await Self.created(request)
        }
        try await GatewayHarness.run(upstream: upstream) { gateway in
            database.withLock { $0 = gateway.database }
            let login = try await gateway.signIn()
            let headers = gateway.bearer(login, ["Idempotency-Key": "key-1"])
            let send = { try await gateway.post("/api/titles", headers: headers, ["topic": "猫"]) }
            #expect(try await send().status == .created)
            try await allow(true)
            // Long before the lease ends, and without the upstream.
            try await eventually("the record is there", within: .seconds(60)) {
                try await send().headers["Idempotent-Replayed"] == "true"
            }
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

    @Test("records its own 504, and lets the next attempt find what the first one did")
    func ownTimeout() async throws {
        let operations = Locked<[UUID?]>([])
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let tokens = AccessTokens(issuer: "test", key: .generate(), lifetime: .seconds(900))
            let entrance = Entrance(
                limits: RateLimits(policies: .standard(scale: 1)), addressRule: ClientAddressRule(trustedProxies: []),
                tokens: tokens,
                keys: APIKeyDirectory(store: APIKeysStore(app: database.app, system: database.system), logger: .silent),
                ledger: WriteLedger(database: database.app, instanceId: UUID.version7()), logger: .silent)
            let route = PublicRoute(
                method: .post, path: "/api/titles", flow: "TitleGeneration", access: .member(.generateTitles),
                target: .upstream(.orchestrationService, path: "/v1/titles"), rateClass: .generate, idempotency: .optional,
                deadline: .seconds(1))
            var router = Router(entrance: .publicCalls)
            router.on(
                route.method, route.path, options: route.options,
                entrance.members(route, needing: .generateTitles) { request, _ in
                    let attempt = operations.withLock { operations in
                        operations.append(CallContext.current?.operationId)
                        return operations.count
                    }
                    // The first never answers. It is told to stop at the deadline, when the client has its 504.
                    if attempt == 1 { try await Task.sleep(for: .seconds(60)) }
                    return try await Self.created(request)
                })
            let client = InProcessClient(router.handler)
            let tenant = UUID.version7()
            let token = try tokens.issue(userId: UUID.version7(), tenantId: tenant, roles: ["operator"])
            let headers: HTTPHeaders = [
                "Authorization": "Bearer \(token)", "Idempotency-Key": "key-1", "Content-Type": "application/json",
            ]
            let send = { try await client.send(.post, route.path, headers: headers, body: Array(#"{"topic":"猫"}"#.utf8)) }
            #expect(try await send().status == .gatewayTimeout)
            try await eventually("the audit row says so") {
                let rows = try await database.app.query("SELECT status FROM audit_log", tenant: tenant)
                return try rows.map { try $0.decode("status", as: Int?.self) } == [504]
            }
            #expect(try await send().status == .created)
            #expect(operations.withLock { $0.count == 2 && $0[0] != nil && $0[0] == $0[1] })
            #expect(try await send().headers["Idempotent-Replayed"] == "true")
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

    @Test("passes whole contents on as far as content-center reads them", arguments: [HTTPMethod.post, .patch])
    func wholeBodies(method: HTTPMethod) async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let path = method == .post ? "/api/contents" : "/api/contents/1"
            let headers = gateway.bearer(login, ["Content-Type": "application/json", "If-Match": "\"1\""])
            for (size, status) in [(3_100_000, HTTPStatus.ok), (3_200_000, .contentTooLarge)] {
                let body = try JSON.encode(["title": String(repeating: "长", count: size / 3)])
                #expect(try await gateway.client.send(method, path, headers: headers, body: body).status == status)
            }
            #expect(gateway.calls.all.map(\.path) == [method == .post ? "/v1/drafts" : "/v1/contents/1"])
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
