import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// orchestration-service in process, on a database of its own, with upstreams that the test plays.
struct OrchestrationHarness {
    static let template = DatabaseTemplate(service: "orchestration", migrations: Application.migrations)

    let client: InProcessClient
    let database: TestDatabase

    static func run(
        agentCenter: @escaping Handler = Upstream.unexpected, contentCenter: @escaping Handler = Upstream.unexpected,
        _ body: @escaping @Sendable (OrchestrationHarness) async throws -> Void
    ) async throws {
        try await TestDatabase.withClone(of: template) { database in
            try await TestApplication.run(
                Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                upstreams: [.agentCenter: agentCenter, .contentCenter: contentCenter]
            ) { app in
                try await body(OrchestrationHarness(client: app.client, database: database))
            }
        }
    }

    func send(
        _ method: HTTPMethod, _ target: String, _ body: String? = nil, tenant: UUID = TestContext.tenant, scopes: [String],
        operation: UUID? = nil, headers: HTTPHeaders = [:]
    ) async throws -> TestResponse {
        var all = try TestContext.headers(
            to: .orchestrationService, as: TestContext.principal(tenant: tenant, scopes: scopes), operation: operation)
        if body != nil { all["Content-Type"] = "application/json" }
        for (name, value) in headers { all[name] = value }
        return try await client.send(method, target, headers: all, body: Array((body ?? "").utf8))
    }

    func shown(_ run: UUID) async throws -> Run {
        try await send(.get, "/v1/runs/\(run.uuidString.lowercased())", scopes: ["runs:read"]).decode(Run.self)
    }

    func cancel(_ run: UUID) async throws {
        let answer = try await send(.post, "/v1/runs/\(run.uuidString.lowercased())/cancel", scopes: ["runs:cancel"])
        #expect(answer.status == .ok)
    }

    func titles(
        _ body: String = #"{"topic": "猫砂盆"}"#, tenant: UUID = TestContext.tenant,
        scopes: [String] = ["titles:generate", "contents:write"], operation: UUID? = nil, headers: HTTPHeaders = [:],
        audience: ServiceName = .orchestrationService
    ) async throws -> TestResponse {
        var all = try TestContext.headers(
            to: audience, as: TestContext.principal(tenant: tenant, scopes: scopes), operation: operation)
        all["Content-Type"] = "application/json"
        for (name, value) in headers { all[name] = value }
        return try await client.send(.post, "/v1/titles", headers: all, body: Array(body.utf8))
    }
}

/// What the test lets another service answer.
enum Upstream {
    static let unexpected: Handler = { request in
        Issue.record("unexpected call of \(request.path)")
        return Response(.internalServerError)
    }

    static let down: Handler = { _ in
        throw HTTPClientError(.connect, requestMayHaveStarted: false, message: "connection refused")
    }
}
