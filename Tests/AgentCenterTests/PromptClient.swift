import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// Works with prompts over HTTP, as the gateway would for one member.
struct PromptClient: Sendable {
    let service: TitleService
    let principal: Principal

    init(
        _ service: TitleService, tenant: UUID = TestContext.tenant, subject: String = "user-1",
        scopes: [String] = ["prompts:read", "prompts:write"]
    ) {
        self.service = service
        principal = TestContext.principal(tenant: tenant, subject: subject, scopes: scopes)
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, ifMatch: String? = nil, operation: UUID? = nil
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: principal, operation: operation)
        if body != nil { headers["Content-Type"] = "application/json" }
        headers["If-Match"] = ifMatch
        return try await service.app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }

    func add(_ text: String, to name: String, note: String = "", operation: UUID? = nil) async throws -> PromptVersionView {
        let response = try await send(
            .post, "/v1/prompts/\(name)/versions", ["text": .string(text), "note": .string(note)], operation: operation)
        #expect(response.status == .created, "\(response.text)")
        return try response.decode(PromptVersionView.self)
    }

    func move(_ label: String, of name: String, to version: Int, ifMatch: String? = nil) async throws -> TestResponse {
        try await send(.put, "/v1/prompts/\(name)/labels/\(label)", ["version": .number("\(version)")], ifMatch: ifMatch)
    }

    func get<Value: Decodable>(_ path: String, as type: Value.Type) async throws -> Value {
        let response = try await send(.get, path)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(type)
    }

    /// The first pointers and codes of a refusal.
    func refusal(_ method: HTTPMethod, _ path: String, _ body: JSONValue) async throws -> [String] {
        let response = try await send(method, path, body)
        #expect(response.status == .unprocessableContent, "\(response.text)")
        return try response.problem().errors?.map { "\($0.pointer) \($0.code)" } ?? []
    }
}

enum PromptSamples {
    /// The shipped title prompt with another template.
    static func title(_ template: String) -> String {
        guard var definition = ShippedPrompts.all["title"]?.definition else { preconditionFailure("title ships") }
        definition.template = template
        return PromptFile.text(of: definition)
    }

    /// A prompt of a tenant's own.
    static let own = """
        ---
        scene: slogan-zh
        language: zh
        description: 口号
        maxTokens: 50 + count * 20
        variables:
          brand: text(20) required 品牌
          count: integer(1...5) required
          tone: choice(calm, loud)
        ---
        写 {{count}} 条口号，语气 {{tone}}。
        """
}
