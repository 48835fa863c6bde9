import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// Names of models from a date on, and until one.
@Suite("/v1/ai/aliases")
struct AliasServiceTests {
    static let platform = TestContext.principal(roles: ["system_admin"], scopes: ["ai:admin", "ai:usage"])

    static func send(
        _ service: TitleService, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil,
        as principal: Principal = platform
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: principal)
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await service.app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }

    @Test("move a model's own name to its successor until they are ended; when they held stays to be seen")
    func moved() async throws {
        let vendor = try ScriptedVendor([.says("好", model: "gpt-4o-2024-11-20")])
        try await TitleService.run(primary: vendor) { service in
            func asked() async throws -> String? {
                let answer = try await service.callModel(
                    TitleService.chat, ["model": "gpt-4o-mini", "messages": [["role": "user", "content": "你好"]]])
                #expect(answer.status == .ok, "\(answer.text)")
                return try JSONValue(parsing: Array(#require(vendor.received.last).body.utf8))["model"]?.string
            }
            let alias: JSONValue = [
                "name": "gpt-4o-mini", "provider": "openai", "model": "gpt-4o", "validFrom": "2026-01-01T00:00:00Z",
            ]
            let added = try await Self.send(service, .post, "/v1/ai/aliases", alias)
            #expect(added.status == .created, "\(added.text)")
            let id = try #require(try added.decode(ModelAlias.self).id)
            #expect(try await asked() == "gpt-4o")

            let path = "/v1/ai/aliases/\(id.text)"
            let tenant = TestContext.principal(roles: ["tenant_admin"], scopes: ["ai:admin"])
            #expect(try await Self.send(service, .delete, path, as: tenant).status == .forbidden)
            #expect(try await Self.send(service, .delete, path).status == .noContent)
            #expect(try await asked() == "gpt-4o-mini")
            #expect(try await Self.send(service, .delete, path).status == .notFound)
            let view = try await Self.send(service, .get, "/v1/ai/catalogue").decode(ModelCatalogueView.self)
            #expect(try #require(view.aliases.first { $0.id == id }).validUntil != nil)
            // What the service came with has no address.
            #expect(try #require(view.aliases.first { $0.name == "deepseek-reasoner" }).id == nil)
        }
    }

    @Test(
        "that have not held yet are gone when they are ended, and may be given anew; models that cannot think give none that does"
    )
    func future() async throws {
        try await TitleService.run { service in
            let later: JSONValue = [
                "name": "best", "provider": "deepseek", "model": "deepseek-v4-pro", "validFrom": "2036-01-01T00:00:00Z",
                "thinks": true,
            ]
            for _ in 0..<2 {
                let added = try await Self.send(service, .post, "/v1/ai/aliases", later)
                #expect(added.status == .created, "\(added.text)")
                let alias = try added.decode(ModelAlias.self)
                #expect(alias.thinks)
                let path = "/v1/ai/aliases/\(try #require(alias.id).text)"
                #expect(try await Self.send(service, .delete, path).status == .noContent)
                let view = try await Self.send(service, .get, "/v1/ai/catalogue").decode(ModelCatalogueView.self)
                #expect(!view.aliases.contains { $0.name == "best" })
            }
            let thoughtless: JSONValue = [
                "name": "x", "provider": "openai", "model": "gpt-4o", "validFrom": "2036-01-01T00:00:00Z", "thinks": true,
            ]
            let refused = try await Self.send(service, .post, "/v1/ai/aliases", thoughtless)
            #expect(refused.status == .unprocessableContent)
            #expect(try refused.problem().errors?.map(\.pointer) == ["/thinks"])
            #expect(try await Self.send(service, .delete, "/v1/ai/aliases/\(UUID().text)").status == .notFound)
        }
    }
}
