import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

/// gateway-bff in process, on a database of its own with two demo tenants, before an upstream that the test plays.
struct GatewayHarness {
    static let template = DatabaseTemplate(service: "gateway", migrations: Application.migrations)
    static let password = "correct horse battery"

    let client: InProcessClient
    let database: TestDatabase
    let runtime: ServiceRuntime
    let calls: CallLog

    static func run(
        upstream: @escaping Handler = { _ in .json(bytes: Array("{}".utf8)) }, environment extra: [String: String] = [:],
        _ body: @escaping @Sendable (GatewayHarness) async throws -> Void
    ) async throws {
        let calls = CallLog()
        let recording: Handler = { request in
            calls.add(request)
            return try await upstream(request)
        }
        var environment = ["ACCESS_TOKEN_SIGNING_KEY": Base64.encode(Ed25519.PrivateKey.generate().seed)]
        environment.merge(extra) { $1 }
        try await TestDatabase.withClone(of: template) { [environment] database in
            try await TestApplication.run(
                Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                environment: environment,
                upstreams: Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, recording) })
            ) { application in
                try await seed(database, application.runtime)
                try await body(
                    GatewayHarness(client: application.client, database: database, runtime: application.runtime, calls: calls))
            }
        }
    }

    private static func seed(_ database: TestDatabase, _ runtime: ServiceRuntime) async throws {
        let owner = Database(configuration: database.ownerConfiguration)
        try await DemoSeed(environment: ["DEMO_PASSWORD": password, "DEMO2_PASSWORD": password])
            .apply(owner: owner, app: runtime.database, hasher: cheapHasher)
        await owner.close()
    }

    /// Argon2id at its cheapest: what it costs is not what these tests are about.
    static let cheapHasher = PasswordHasher(cost: .init(memoryKiB: 64, iterations: 1))

    func signIn(_ email: String = "demo@example.com") async throws -> LoginAnswer {
        try await post("/api/auth/login", ["email": email, "password": Self.password]).decode(LoginAnswer.self)
    }

    func post(_ path: String, headers: HTTPHeaders = [:], _ body: [String: String]) async throws -> TestResponse {
        var headers = headers
        headers["Content-Type"] = "application/json"
        return try await client.send(.post, path, headers: headers, body: try JSON.encode(body))
    }

    /// Headers of a signed-in member.
    func bearer(_ login: LoginAnswer, _ more: HTTPHeaders = [:]) -> HTTPHeaders {
        var headers = more
        headers["Authorization"] = "Bearer \(login.accessToken)"
        return headers
    }
}

/// The requests that reached the upstream.
final class CallLog: Sendable {
    private let requests = Locked<[Request]>([])

    func add(_ request: Request) { requests.withLock { $0.append(request) } }

    var all: [Request] { requests.withLock { $0 } }
}
