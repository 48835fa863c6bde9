import FoundationEssentials
import HTTPCalling
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// `POST /v1/ai/generate` and `POST /v1/chat/completions` as the gateway calls them.
extension TitleService {
    static func modelCallHeaders(
        tenant: UUID = TestContext.tenant, scopes: [String] = ["ai:generate"], deadlineMs: Int = 30_000, accept: String? = nil
    ) throws -> HTTPHeaders {
        var headers = try TestContext.headers(
            from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(tenant: tenant, scopes: scopes))
        headers["Content-Type"] = "application/json"
        headers["X-Deadline-Ms"] = String(deadlineMs)
        headers["Accept"] = accept
        return headers
    }

    func callModel(
        _ path: String, _ body: JSONValue, tenant: UUID = TestContext.tenant, scopes: [String] = ["ai:generate"],
        deadlineMs: Int = 30_000, accept: String? = nil
    ) async throws -> TestResponse {
        let headers = try Self.modelCallHeaders(tenant: tenant, scopes: scopes, deadlineMs: deadlineMs, accept: accept)
        return try await app.client.send(.post, path, headers: headers, json: body)
    }

    func open(_ path: String, _ body: JSONValue, accept: String? = nil) async throws -> TestStream {
        try await app.client.open(.post, path, headers: Self.modelCallHeaders(accept: accept), body: body.encode())
    }

    static let generate = "/v1/ai/generate"
    static let chat = "/v1/chat/completions"
}

/// The events of an answer, in order.
struct ReadEvents {
    let events: [SSEParser.Event]

    init(_ response: TestResponse) throws {
        var parser = SSEParser()
        events = try parser.feed(response.body).compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    var names: [String] { events.map(\.event) }

    func data(_ name: String) throws -> [JSONValue] {
        try events.filter { $0.event == name }.map { try JSONValue(parsing: Array($0.data.utf8)) }
    }

    /// What a reader holds at the end: everything since the last `restart`.
    func text() throws -> String {
        var text = ""
        for event in events {
            if event.event == "restart" { text = "" }
            if event.event == "delta" { text += try JSONValue(parsing: Array(event.data.utf8))["text"]?.string ?? "" }
        }
        return text
    }

    // MARK: OpenAI's

    var isDone: Bool { events.last?.data == "[DONE]" }

    func chunks() throws -> [JSONValue] {
        try events.filter { $0.data != "[DONE]" }.map { try JSONValue(parsing: Array($0.data.utf8)) }
    }

    func content() throws -> String { try chunks().compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined() }

    func finish() throws -> String? { try chunks().compactMap { $0["choices"]?[0]?["finish_reason"]?.string }.first }
}

extension ScriptedVendor {
    /// What the vendor would count as the prompt: four bytes a token, message by message.
    static func promptTokens(of request: Received) throws -> Int64 {
        let body = try JSONValue(parsing: Array(request.body.utf8))
        return (body["messages"]?.array ?? []).reduce(0) { $0 + Int64((($1["content"]?.string ?? "").utf8.count + 3) / 4) }
    }
}
