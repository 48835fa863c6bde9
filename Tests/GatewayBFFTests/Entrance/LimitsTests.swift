import Cryptography
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

/// How much: by address before anybody knows who asks, by tenant after. Windows of an hour: no token comes back while a test runs.
@Suite("The entrance's limits")
struct LimitsTests {
    private static func few(_ count: Int) -> TokenBucket.Policy { .init(burst: count, window: .seconds(3_600)) }

    /// A route for members behind an entrance with these limits.
    private static func withRoute(
        perTenant: Int, perAddress: Int,
        _ body: @escaping @Sendable (_ ask: @escaping @Sendable (UUID) async throws -> TestResponse) async throws -> Void
    ) async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let tokens = AccessTokens(issuer: "test", key: .generate(), lifetime: .seconds(900))
            let entrance = Entrance(
                limits: RateLimits(policies: .init(perTenant: [.read: few(perTenant)], perAddress: [.read: few(perAddress)])),
                addressRule: ClientAddressRule(trustedProxies: []), tokens: tokens,
                keys: APIKeyDirectory(store: APIKeysStore(app: database.app, system: database.system), logger: .silent),
                ledger: WriteLedger(database: database.app, instanceId: UUID.version7()), logger: .silent)
            let route = PublicRoute(
                method: .get, path: "/api/runs", flow: "Runs", access: .member(.readRuns),
                target: .upstream(.orchestrationService, path: "/v1/runs"), rateClass: .read)
            var router = Router(entrance: .publicCalls)
            router.on(
                route.method, route.path, options: route.options,
                entrance.members(route, needing: .readRuns) { _, _ in .noContent })
            let client = InProcessClient(router)
            try await body { tenant in
                let token = try tokens.issue(userId: UUID.version7(), tenantId: tenant, roles: ["operator"])
                return try await client.send(.get, route.path, headers: ["Authorization": "Bearer \(token)"])
            }
        }
    }

    @Test("a tenant that has spent its budget is refused, another one is not")
    func byTenant() async throws {
        try await Self.withRoute(perTenant: 1, perAddress: 100) { ask in
            let tenant = UUID.version7()
            #expect(try await ask(tenant).status == .noContent)
            let refused = try await ask(tenant)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers["RateLimit"]?.hasPrefix("\"tenant\";r=0;") == true)
            #expect(refused.headers["Retry-After"] != nil)
            #expect(try await ask(UUID.version7()).status == .noContent)
        }
    }

    @Test("an address that has spent its budget is refused, whoever asks from there")
    func byAddress() async throws {
        try await Self.withRoute(perTenant: 100, perAddress: 1) { ask in
            #expect(try await ask(UUID.version7()).status == .noContent)
            let refused = try await ask(UUID.version7())
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers["RateLimit"]?.hasPrefix("\"address\";r=0;") == true)
        }
    }

    // MARK: What no route sees

    private static let titles = PublicRoute(
        method: .post, path: "/api/titles", flow: "TitleGeneration", access: .everyone, target: .login, rateClass: .generate,
        maximumBodyBytes: 10)

    private static func door(_ limits: [PublicRoute.RateClass: Int]) -> InProcessClient {
        var router = Router(entrance: .publicCalls)
        router.use(
            LimitBeforeRoutes(
                limits: RateLimits(policies: .init(perTenant: [:], perAddress: limits.mapValues(few))),
                addressRule: ClientAddressRule(trustedProxies: []), routes: [titles]))
        router.on(titles.method, titles.path, options: titles.options) { _ in .noContent }
        return InProcessClient(router)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let method: HTTPMethod
        let target: String
        var body = ""
        let status: HTTPStatus
        let rateClass: PublicRoute.RateClass

        var testDescription: String { "\(method.rawValue) \(target): \(status.code)" }
    }

    @Test(
        "what is refused before any route counts, and the one too many is 429",
        arguments: [
            Refused(
                method: .post, target: "/api/titles", body: "far too long", status: .contentTooLarge, rateClass: .generate),
            Refused(method: .post, target: "/api/titles?a=%zz", status: .unprocessableContent, rateClass: .generate),
            Refused(method: .get, target: "/api/nothing", status: .notFound, rateClass: .read),
            Refused(method: .post, target: "/api/nothing", status: .notFound, rateClass: .write),
            Refused(method: .get, target: "/api/titles", status: .methodNotAllowed, rateClass: .read),
            Refused(method: .get, target: "/api/%zz", status: .notFound, rateClass: .read),
        ])
    func beforeRoutes(request: Refused) async throws {
        let client = Self.door([request.rateClass: 2])
        for left in [1, 0] {
            let response = try await client.send(request.method, request.target, body: Array(request.body.utf8))
            #expect(response.status == request.status)
            #expect(response.headers["RateLimit"]?.hasPrefix("\"address\";r=\(left);") == true)
            #expect(response.headers["RateLimit-Policy"] == "\"address\";q=2;w=3600")
        }
        let refused = try await client.send(request.method, request.target, body: Array(request.body.utf8))
        #expect(refused.status == .tooManyRequests)
        #expect(refused.headers["Retry-After"] != nil)
        // What reaches its route is the entrance's to count.
        #expect(try await client.send(.post, "/api/titles").status == .noContent)
    }

    @Test("the answer to OPTIONS counts too")
    func options() async throws {
        let client = Self.door([.read: 1])
        let response = try await client.send(.options, "/api/titles")
        #expect(response.status == .noContent)
        #expect(response.headers["Allow"]?.contains("POST") == true)
        #expect(response.headers["RateLimit"]?.hasPrefix("\"address\";r=0;") == true)
        #expect(try await client.send(.options, "/api/titles").status == .tooManyRequests)
    }

    @Test("the whole gateway counts what no route sees, and leaves health checks alone")
    func theWholeGateway() async throws {
        try await GatewayHarness.run { gateway in
            let unknown = try await gateway.client.send(.get, "/api/nothing")
            #expect(unknown.status == .notFound)
            #expect(unknown.headers["RateLimit"]?.hasPrefix("\"address\";r=") == true)
            let large = try await gateway.client.send(.post, "/api/auth/login", body: [UInt8](repeating: 0x20, count: 1 << 20))
            #expect(large.status == .contentTooLarge)
            #expect(large.headers["RateLimit"]?.hasPrefix("\"address\";r=19;") == true)
            let health = try await gateway.client.send(.get, "/healthz")
            #expect(health.status == .ok)
            #expect(health.headers["RateLimit"] == nil)
        }
    }
}
