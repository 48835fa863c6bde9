import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// `/v1/ai/policies/{scene}?scope=platform`.
@Suite("The platform's routing policies")
struct PlatformPolicyTests {
    private static func send(
        _ service: TitleService, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, role: String = "system_admin"
    ) async throws -> TestResponse {
        let principal = TestContext.principal(roles: [role], scopes: ["ai:admin", "ai:usage"])
        var headers = try TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: principal)
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await service.app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }

    private static func routes(_ model: String) -> JSONValue { ["routes": [["provider": "openai", "model": .string(model)]]] }

    @Test("hold for every tenant without one of its own, before what was seeded, until they are removed")
    func scopes() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            func asked(_ tenant: UUID) async throws -> String? {
                _ = try await service.write(tenant: tenant)
                return try JSONValue(parsing: Array(#require(vendor.received.last).body.utf8))["model"]?.string
            }
            let (own, other) = (TestContext.tenant, TestContext.otherTenant)
            let path = "/v1/ai/policies/*"
            let put = try await Self.send(service, .put, path + "?scope=platform", Self.routes("gpt-4o"))
            #expect(put.status == .ok, "\(put.text)")
            #expect(try !put.decode(RoutingPolicyView.self).isOwn)
            #expect(try await asked(own) == "gpt-4o")
            #expect(try await asked(other) == "gpt-4o")

            #expect(try await Self.send(service, .put, path, Self.routes("gpt-4o-mini")).status == .ok)
            #expect(try await asked(own) == "gpt-4o-mini")
            #expect(try await asked(other) == "gpt-4o")
            let view = try await Self.send(service, .get, "/v1/ai/catalogue").decode(ModelCatalogueView.self)
            #expect(
                view.policies.map { "\($0.isOwn) \($0.routes.map(\.model))" } == [#"false ["gpt-4o"]"#, #"true ["gpt-4o-mini"]"#])

            #expect(try await Self.send(service, .delete, path + "?scope=platform").status == .noContent)
            #expect(try await Self.send(service, .delete, path + "?scope=platform").status == .notFound)
            #expect(try await asked(own) == "gpt-4o-mini")
            #expect(try await asked(other) == "gpt-4o-mini")
            #expect(try await Self.send(service, .delete, path).status == .noContent)
        }
    }

    @Test("are its administrators' alone, and no other scope is known")
    func rights() async throws {
        try await TitleService.run { service in
            let path = "/v1/ai/policies/s?scope="
            for method in [HTTPMethod.put, .delete] {
                let body = method == .put ? Self.routes("gpt-4o") : nil
                #expect(try await Self.send(service, method, path + "platform", body, role: "tenant_admin").status == .forbidden)
                let unknown = try await Self.send(service, method, path + "world", body)
                #expect(unknown.status == .unprocessableContent)
                #expect(try unknown.problem().errors?.map(\.pointer) == ["?scope"])
            }
        }
    }
}
