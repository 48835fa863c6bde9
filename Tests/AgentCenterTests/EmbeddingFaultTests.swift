import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// What a vendor does, and what the caller is told. Typed by hand.
struct EmbeddingFault: Sendable, CustomTestStringConvertible {
    let name: String
    let replies: [ScriptedVendor.Reply]
    let status: Int
    var code = ""
    var attempts = 1

    var testDescription: String { name }
}

/// What a client does wrong, and which field is named.
struct EmbeddingMistake: Sendable, CustomTestStringConvertible {
    let body: JSONValue
    let pointer: String
    let code: String

    var testDescription: String { "\(pointer) \(code) \(String(decoding: body.encode().prefix(60), as: UTF8.self))" }
}

private func error(_ status: Int, _ code: String = "", headers: [String] = []) -> ScriptedVendor.Reply {
    .http(status, #"{"error":{"message":"m","type":"x","param":null,"code":"\#(code)"}}"#, headers: headers)
}

private func changed(_ change: @escaping @Sendable ([JSONValue]) -> [JSONValue]) -> ScriptedVendor.Reply {
    EmbeddingVendor.replies(tokens: 10, change)
}

private func item(_ index: Int, _ embedding: JSONValue) -> JSONValue {
    ["object": "embedding", "index": .number(String(index)), "embedding": embedding]
}

private let good = EmbeddingVendor.replies()

@Suite("Faults of embedding models")
struct EmbeddingFaultTests {
    static let faults: [EmbeddingFault] = [
        .init(name: "500 once", replies: [error(500), good], status: 200, attempts: 2),
        .init(name: "500 for ever", replies: [error(500)], status: 503, code: "model.unavailable", attempts: 2),
        .init(name: "502 HTML", replies: [.http(502, "<html>", type: "text/html"), good], status: 200, attempts: 2),
        .init(name: "429 once", replies: [error(429, "rate_limit_exceeded"), good], status: 200, attempts: 2),
        .init(
            name: "429, come back in 5 minutes", replies: [error(429, headers: ["Retry-After: 300"])], status: 429,
            code: "model.rate_limited"),
        .init(name: "503", replies: [error(503)], status: 503, code: "model.unavailable", attempts: 2),
        .init(name: "out of money", replies: [error(429, "insufficient_quota")], status: 503, code: "model.unavailable"),
        .init(name: "401", replies: [error(401, "invalid_api_key")], status: 503, code: "model.unavailable"),
        .init(name: "403", replies: [error(403)], status: 503, code: "model.unavailable"),
        .init(name: "404", replies: [error(404, "model_not_found")], status: 503, code: "model.unavailable"),
        .init(name: "400", replies: [error(400)], status: 422, code: "model.refused_request"),
        .init(name: "too long", replies: [error(400, "context_length_exceeded")], status: 422, code: "context_length_exceeded"),
        .init(name: "policy", replies: [error(400, "content_policy_violation")], status: 422, code: "content_policy_violation"),
        .init(name: "reset", replies: [.reset], status: 503, code: "model.unavailable", attempts: 2),
        .init(name: "never answers", replies: [.stall(after: "")], status: 504, code: "model.timeout"),
        .init(
            name: "half a body",
            replies: [.bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{\"data\":[")],
            status: 503, code: "model.unavailable", attempts: 2),
        .init(name: "no JSON", replies: [.http(200, "{\"data\":"), good], status: 200, attempts: 2),
        .init(name: "no data", replies: [.http(200, "{}")], status: 503, code: "model.unavailable", attempts: 2),
        .init(
            name: "error after 200", replies: [.http(200, #"{"error":{"message":"m","type":"x","code":"500"}}"#), good],
            status: 200, attempts: 2),
        .init(
            name: "one vector short", replies: [changed { $0.dropLast() }], status: 503, code: "model.unavailable", attempts: 2),
        .init(
            name: "an index twice", replies: [changed { [$0[0], $0[0]] }], status: 503, code: "model.unavailable", attempts: 2),
        .init(
            name: "a foreign index", replies: [changed { [$0[0], item(2, [1, 2, 3, 4])] }], status: 503,
            code: "model.unavailable",
            attempts: 2),
        .init(
            name: "another length", replies: [changed { _ in [item(0, [1, 2, 3]), item(1, [1, 2, 3])] }], status: 503,
            code: "model.unavailable"),
        .init(
            name: "different lengths", replies: [changed { [$0[0], item(1, [1, 2, 3])] }], status: 503, code: "model.unavailable",
            attempts: 2),
        // 0x7FC00000, a number that is none.
        .init(
            name: "no number", replies: [changed { [$0[0], item(1, "AADAfwAAAAAAAAAAAAAAAA==")] }], status: 503,
            code: "model.unavailable", attempts: 2),
        .init(
            name: "broken base64", replies: [changed { [$0[0], item(1, "AAA*")] }], status: 503, code: "model.unavailable",
            attempts: 2),
    ]

    @Test("Each is retried where that may help, said aloud otherwise, and never answered by another model", arguments: faults)
    func happens(fault: EmbeddingFault) async throws {
        let vendor = try ScriptedVendor(fault.replies)
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.embed(
                ["model": .string(EmbeddingVendor.small), "input": ["甲", "乙乙"], "dimensions": 4])
            #expect(response.status.code == fault.status, "\(response.text)")
            if fault.status == 200 {
                #expect(try response.decode(EmbeddingsAnswer.self).data.count == 2)
            } else {
                #expect(try response.problem().code == fault.code)
                #expect(!response.text.contains("sk-primary-secret"))
                let kept = try await service.database.superuser.query("SELECT count(*) AS n FROM ai_embeddings").only
                #expect(try kept.decode("n", as: Int.self) == 0)
            }
            #expect(vendor.received.count == fault.attempts)
            #expect(vendor.received.allSatisfy { $0.body.contains(#""model":"text-embedding-3-small""#) })
            let costs = try await service.ledger().map(\.cost)
            #expect(costs == (fault.status == 200 ? [400] : costs.map { _ in 0 }))
            #expect(try await BudgetHarness(database: service.database).books().reservations == 0)
        }
    }

    @Test("What was answered before a later batch failed is paid for, kept, and not asked again")
    func halfWay() async throws {
        let failing = Lock(true)
        let vendor = try ScriptedVendor([
            .answers { received in
                guard case .answers(let answer) = good else { return "" }
                let isSecond = ((try? EmbeddingVendor.inputs(received)) ?? []).contains("第600条")
                return isSecond && failing.withLock({ $0 }) ? ScriptedVendor.Reply.httpText(400, "{}") : answer(received)
            }
        ])
        try await TitleService.run(primary: vendor) { service in
            let texts = (1...600).map { "第\($0)条" }
            let body: JSONValue = ["model": "auto", "input": .array(texts.map { .string($0) }), "dimensions": 4]
            #expect(try await service.embed(body).status == .unprocessableContent)
            #expect(try await service.ledger().map(\.cost) == [512 * 200])
            failing.withLock { $0 = false }
            let answer = try await service.embed(body).decode(EmbeddingsAnswer.self)
            #expect(answer.usage == EmbeddingsUsage(promptTokens: 880, totalTokens: 880, cachedInputs: 512))
            #expect(try await service.ledger().map(\.cost) == [512 * 200, 88 * 200])
        }
    }

    @Test("A model that was refused rests; the key's owner is not asked again at once")
    func resting() async throws {
        let vendor = try ScriptedVendor([error(401, "invalid_api_key")])
        try await TitleService.run(primary: vendor) { service in
            for _ in 1...2 {
                let response = try await service.embed(["model": "auto", "input": "甲", "dimensions": 4])
                #expect(response.status == .serviceUnavailable)
            }
            #expect(vendor.received.count == 1)
            #expect(try await service.ledger().isEmpty)
        }
    }

    @Test("Without an embedding model there is no stand-in", arguments: [false, true])
    func noModel(hasChat: Bool) async throws {
        let vendor = hasChat ? try ScriptedVendor([good]) : nil
        try await TitleService.run(fallback: vendor) { service in
            let response = try await service.embed(["model": "auto", "input": "甲"])
            #expect(response.status == .serviceUnavailable)
            #expect(try response.problem().code == "embeddings.not_configured")
            #expect(try await service.embed(["model": .string(EmbeddingVendor.small), "input": "甲"]).status == .notFound)
        }
        #expect(vendor?.received.isEmpty ?? true)
    }

    static let mistakes: [EmbeddingMistake] = [
        .init(body: ["input": "甲"], pointer: "/model", code: "required"),
        .init(body: ["model": "auto"], pointer: "/input", code: "required"),
        .init(body: ["model": "auto", "input": ""], pointer: "/input", code: "too_short"),
        .init(body: ["model": "auto", "input": []], pointer: "/input", code: "too_few_items"),
        .init(body: ["model": "auto", "input": ["甲", ""]], pointer: "/input/1", code: "too_short"),
        .init(body: ["model": "auto", "input": ["甲", 1]], pointer: "/input/1", code: "wrong_type"),
        .init(body: ["model": "auto", "input": [[1], "甲"]], pointer: "/input/1", code: "wrong_type"),
        .init(body: ["model": "auto", "input": [[1], []]], pointer: "/input/1", code: "malformed"),
        .init(body: ["model": "auto", "input": [1, -2]], pointer: "/input", code: "malformed"),
        .init(body: ["model": "auto", "input": 7], pointer: "/input", code: "wrong_type"),
        .init(
            body: ["model": "auto", "input": .array(Array(repeating: "甲", count: 2_049))], pointer: "/input",
            code: "too_many_items"),
        .init(body: ["model": "auto", "input": "甲", "dimensions": 0], pointer: "/dimensions", code: "out_of_range"),
        .init(body: ["model": "auto", "input": "甲", "dimensions": 1_537], pointer: "/dimensions", code: "out_of_range"),
        .init(
            body: ["model": "auto", "input": "甲", "encoding_format": "hex"], pointer: "/encoding_format", code: "unknown_value"),
        .init(body: ["model": "auto", "input": "甲", "colour": 1], pointer: "/colour", code: "unknown_field"),
        .init(body: ["model": "gpt-4o-mini", "input": "甲"], pointer: "/model", code: "no_embeddings"),
    ]

    @Test("Bad input is refused by field, and nobody is asked", arguments: mistakes)
    func refused(mistake: EmbeddingMistake) async throws {
        let vendor = try ScriptedVendor([good])
        try await TitleService.run(primary: vendor) { service in
            let response = try await service.embed(mistake.body)
            #expect(response.status == .unprocessableContent, "\(response.text)")
            #expect(try response.problem().errors?.map { "\($0.pointer) \($0.code)" } == ["\(mistake.pointer) \(mistake.code)"])
            #expect(try await service.embed(mistake.body, scopes: ["contents:read"]).status == .forbidden)
        }
        #expect(vendor.received.isEmpty)
    }
}

@Suite("GET /v1/models")
struct ModelListTests {
    private static func get(_ service: TitleService, _ path: String, scopes: [String] = ["ai:generate"]) async throws
        -> TestResponse
    {
        try await service.app.client.send(
            .get, path,
            headers: TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(scopes: scopes)))
    }

    @Test("Lists the names that can be called, and each by itself")
    func names() async throws {
        let vendor = try ScriptedVendor([good])
        try await TitleService.run(primary: vendor) { service in
            let list = try await Self.get(service, "/v1/models").decode(OpenAIModelList.self)
            #expect(list.object == "list")
            #expect(
                list.data.map(\.id) == [
                    "auto", "openai/chat", "openai/gpt-4o-mini", "gpt-4o-mini", "openai/gpt-4o", "gpt-4o",
                    "openai/text-embedding-3-small", "text-embedding-3-small", "openai/text-embedding-3-large",
                    "text-embedding-3-large",
                ])
            #expect(list.data.allSatisfy { $0.object == "model" && ["openai", "platform"].contains($0.ownedBy) })
            // 2024-07-18.
            #expect(list.data[3].created == 1_721_260_800)
            for id in ["gpt-4o-mini", "openai%2Fgpt-4o-mini", "auto"] {
                let model = try await Self.get(service, "/v1/models/\(id)").decode(OpenAIModel.self)
                #expect(model.id == id.replacing("%2F", with: "/"))
            }
            // Known, but its provider is not set up.
            for id in ["deepseek-flash", "deepseek%2Fchat", "nothing"] {
                let missing = try await Self.get(service, "/v1/models/\(id)")
                #expect(missing.status == .notFound)
                #expect(try missing.problem().code == "model_not_found")
            }
            #expect(try await Self.get(service, "/v1/models", scopes: []).status == .forbidden)
        }
    }

    @Test("Without a provider there is nothing to call")
    func empty() async throws {
        try await TitleService.run { service in
            let list = try await Self.get(service, "/v1/models").decode(OpenAIModelList.self)
            #expect(list.data.isEmpty)
        }
    }
}
