import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import AgentCenter

/// What a vendor does, and what must come of it. Expectations are typed by hand.
struct VendorFault: Sendable, CustomTestStringConvertible {
    enum Answer: Sendable, Equatable {
        /// The primary route's titles, not degraded.
        case primary
        /// The fallback route's, degraded.
        case fallback
        /// The template's: no other model may be asked.
        case template
    }

    let name: String
    let replies: [ScriptedVendor.Reply]
    /// The primary route's attempts, in order.
    let attempts: [String]
    let answer: Answer
    var streamed = false
    /// Settings of the service.
    var environment: [String: String] = [:]

    var testDescription: String { name }
}

private typealias Reply = ScriptedVendor.Reply

private let error500 = Reply.http(500, #"{"error":{"message":"boom","type":"server_error","param":null,"code":null}}"#)
private let good = Reply.says(ModelTitles.json())

private func error(_ status: Int, type: String = "x", code: String = "", headers: [String] = []) -> Reply {
    .http(status, #"{"error":{"message":"m","type":"\#(type)","param":null,"code":"\#(code)"}}"#, headers: headers)
}

@Suite("Vendor faults")
struct VendorFaultTests {
    static let whole: [VendorFault] = [
        VendorFault(name: "500 for ever", replies: [error500], attempts: ["server_error", "server_error"], answer: .fallback),
        VendorFault(name: "500 once", replies: [error500, good], attempts: ["server_error", "answered"], answer: .primary),
        VendorFault(
            name: "502 with HTML", replies: [.http(502, "<html>", type: "text/html"), good],
            attempts: ["server_error", "answered"], answer: .primary),
        VendorFault(
            name: "503 with Retry-After 1", replies: [error(503, headers: ["Retry-After: 1"]), good],
            attempts: ["overloaded", "answered"], answer: .primary),
        VendorFault(
            name: "429 without hint, once", replies: [error(429, code: "rate_limit_exceeded"), good],
            attempts: ["rate_limited", "answered"], answer: .primary),
        VendorFault(
            name: "429 with Retry-After 60", replies: [error(429, headers: ["Retry-After: 60"])], attempts: ["rate_limited"],
            answer: .fallback),
        VendorFault(
            name: "429 out of money", replies: [error(429, type: "insufficient_quota", code: "insufficient_quota")],
            attempts: ["balance"], answer: .fallback),
        VendorFault(name: "401", replies: [error(401, code: "invalid_api_key")], attempts: ["authentication"], answer: .fallback),
        VendorFault(name: "402", replies: [error(402)], attempts: ["balance"], answer: .fallback),
        VendorFault(name: "403", replies: [error(403)], attempts: ["forbidden"], answer: .fallback),
        VendorFault(
            name: "404 model", replies: [error(404, code: "model_not_found")], attempts: ["model_not_found"], answer: .fallback),
        VendorFault(name: "400 plain", replies: [error(400)], attempts: ["bad_request"], answer: .template),
        VendorFault(
            name: "400 content policy", replies: [error(400, code: "content_policy_violation")], attempts: ["policy"],
            answer: .template),
        VendorFault(
            name: "400 context length", replies: [error(400, code: "context_length_exceeded")], attempts: ["context_length"],
            answer: .fallback),
        VendorFault(name: "reset", replies: [.reset], attempts: ["connection", "connection"], answer: .fallback),
        VendorFault(name: "never answers", replies: [.stall(after: "")], attempts: ["timeout"], answer: .fallback),
        VendorFault(
            name: "cut body",
            replies: [.bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"choices\":[")],
            attempts: ["connection", "connection"], answer: .fallback),
        VendorFault(
            name: "stalled body",
            replies: [.stall(after: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")],
            attempts: ["timeout"], answer: .fallback),
        VendorFault(
            name: "broken JSON", replies: [.http(200, #"{"choices":[{"#)], attempts: ["malformed", "malformed"], answer: .fallback
        ),
        VendorFault(
            name: "blank content once", replies: [.says("   "), good], attempts: ["blank", "answered"], answer: .primary),
        VendorFault(name: "blank content for ever", replies: [.says("")], attempts: ["blank", "blank"], answer: .fallback),
        VendorFault(
            name: "insufficient_system_resource", replies: [.says(ModelTitles.json(), finish: "insufficient_system_resource")],
            attempts: ["server_error", "server_error"], answer: .fallback),
        VendorFault(
            name: "unknown finish reason", replies: [.says(ModelTitles.json(), finish: "aborted")], attempts: ["unknown_finish"],
            answer: .fallback),
        VendorFault(name: "length", replies: [.says(#"{"titles":["#, finish: "length")], attempts: ["length"], answer: .fallback),
        VendorFault(
            name: "content_filter", replies: [.says("x", finish: "content_filter")], attempts: ["policy"], answer: .template),
        VendorFault(
            name: "content that is no JSON, then good", replies: [.says("我来写标题："), good], attempts: ["rejected", "answered"],
            answer: .primary),
        VendorFault(
            name: "too few titles for ever", replies: [.says(ModelTitles.json(2))], attempts: ["rejected", "rejected"],
            answer: .fallback),
        VendorFault(name: "too many titles", replies: [.says(ModelTitles.json(6))], attempts: ["answered"], answer: .primary),
        VendorFault(
            name: "code fence and trailing comma",
            replies: [.says("```json\n" + ModelTitles.json().replacing("]}", with: ",]}") + "\n```")], attempts: ["answered"],
            answer: .primary),
        VendorFault(
            name: "blank lines before the JSON", replies: [.says(ModelTitles.json(), prefix: "\n\n\n")], attempts: ["answered"],
            answer: .primary),
        VendorFault(
            name: "redirect", replies: [.http(302, "", headers: ["Location: http://127.0.0.1:1/"])], attempts: ["malformed"],
            answer: .fallback),
    ]

    static let streams: [VendorFault] = [
        VendorFault(
            name: "stream of one-byte pieces",
            replies: [.pieces(Reply.streamText(ModelTitles.json()).joined().map(String.init), pause: .zero)],
            attempts: ["answered"],
            answer: .primary, streamed: true),
        VendorFault(
            name: "stream with CRLF",
            replies: [
                .bytes(Reply.streamHead + Reply.streamText(ModelTitles.json()).dropFirst().joined().replacing("\n", with: "\r\n"))
            ],
            attempts: ["answered"], answer: .primary, streamed: true),
        VendorFault(
            name: "stream without sentinel",
            replies: [.bytes(Reply.streamText(ModelTitles.json()).joined().replacing("data: [DONE]\n\n", with: ""))],
            attempts: ["answered"], answer: .primary, streamed: true),
        VendorFault(
            name: "server that does not stream", replies: [good], attempts: ["answered"], answer: .primary, streamed: true),
        VendorFault(
            name: "stream cut before its finish", replies: [.bytes(Reply.streamText(ModelTitles.json(), finish: nil).joined())],
            attempts: ["truncated", "truncated"], answer: .fallback, streamed: true),
        VendorFault(
            name: "stream stalled in the middle",
            replies: [.stall(after: Reply.streamText(ModelTitles.json(), finish: nil).joined())],
            attempts: ["truncated"], answer: .fallback, streamed: true),
        VendorFault(
            name: "keep-alives without a first token",
            replies: [.pieces([Reply.streamHead] + Array(repeating: ": keep-alive\n\n", count: 40), pause: .milliseconds(100))],
            attempts: ["timeout"], answer: .fallback, streamed: true, environment: ["MODEL_FIRST_TOKEN_TIMEOUT": "2s"]),
        VendorFault(
            name: "error event in the stream",
            replies: [
                .bytes(
                    Reply.streamText(ModelTitles.json(), finish: nil).joined()
                        + #"data: {"error":{"message":"m","type":"server_error","param":null,"code":null}}"# + "\n\n")
            ], attempts: ["server_error", "server_error"], answer: .fallback, streamed: true),
        VendorFault(
            name: "chunk that is no JSON", replies: [.bytes(Reply.streamHead + "data: {\"choices\":[{\n\n")],
            attempts: ["malformed", "malformed"], answer: .fallback, streamed: true),
        VendorFault(
            name: "stream refused with 500", replies: [error500], attempts: ["server_error", "server_error"], answer: .fallback,
            streamed: true),
    ]

    @Test("Whole answers", arguments: whole)
    func wholeAnswers(fault: VendorFault) async throws { try await check(fault) }

    @Test("Streams", arguments: streams)
    func streamedAnswers(fault: VendorFault) async throws { try await check(fault) }

    private func check(_ fault: VendorFault) async throws {
        let primary = try ScriptedVendor(fault.replies)
        let usage = #"{"prompt_tokens":50,"completion_tokens":30,"prompt_cache_hit_tokens":10,"prompt_cache_miss_tokens":40}"#
        let fallback = try ScriptedVendor([.says(ModelTitles.json(), model: "deepseek-flash", usage: usage)])
        let environment = fault.environment.merging(["MODEL_STREAMING": "\(fault.streamed)"]) { $1 }
        try await TitleService.run(primary: primary, fallback: fallback, environment: environment) { service in
            let answer = try await service.write(deadlineMs: 60_000)
            #expect(answer.candidates.count == 5)
            let row = try #require(try await service.ledger().first)
            let primaryAttempts = row.attempts.filter { $0.provider == "openai" }
            #expect(primaryAttempts.map(\.outcome) == fault.attempts)
            #expect(row.spent == row.attempts.reduce(0) { $0 + $1.costNano })
            #expect(answer.degraded == (fault.answer != .primary))
            #expect(row.isDegraded == answer.degraded && row.provider == answer.provider && row.reason == answer.degradedReason)
            switch fault.answer {
            case .primary:
                #expect(answer.provider == "openai")
                #expect(answer.degradedReason == nil)
                #expect(fallback.received.isEmpty)
                #expect(row.cost == row.spent)
            case .fallback:
                #expect(answer.provider == "deepseek")
                #expect(answer.modelName == "deepseek-flash")
                #expect(answer.degradedReason?.hasPrefix("openai/gpt-4o-mini：") == true)
                #expect(answer.usage.costNano == "\(row.spent)")
                #expect(row.price?.hasPrefix("deepseek/deepseek-flash@") == true)
            case .template:
                #expect(answer.provider == "template")
                #expect(answer.usage.costNano == "0")
                #expect(fallback.received.isEmpty)
                #expect(row.cost == 0)
            }
        }
    }

    @Test("Every route hangs: the template answers inside the caller's deadline, and the vendors see their clients go")
    func deadline() async throws {
        // A machine that stalls for longer than the reserve misses any deadline; who keeps none misses every one.
        let stalls = 2
        for attempt in 0...stalls {
            let (primary, fallback) = (try ScriptedVendor([.stall(after: "")]), try ScriptedVendor([.stall(after: "")]))
            let isInTime = try await TitleService.run(
                primary: primary, fallback: fallback,
                environment: ["MODEL_FIRST_TOKEN_TIMEOUT": "60s", "MODEL_IDLE_TIMEOUT": "60s"]
            ) { service in
                let response = try await service.send(deadlineMs: 15_000)
                if response.status == .gatewayTimeout && attempt < stalls { return false }
                #expect(response.status == .ok, "\(response.text)")
                let answer = try response.decode(TitleWritingAnswer.self)
                #expect(answer.provider == "template")
                #expect(answer.degradedReason?.contains("模型响应超时") == true)
                return true
            }
            try await eventually("both vendors see their clients go") { primary.abandoned == 1 && fallback.abandoned == 1 }
            if isInTime { return }
        }
    }

    @Test("One vendor with two models: the second is the fallback")
    func fallbackModel() async throws {
        let vendor = try ScriptedVendor([
            error(404, code: "model_not_found"), .says(ModelTitles.json(), model: "gpt-4o-2024-11-20"),
        ])
        try await TitleService.run(primary: vendor, environment: ["OPENAI_FALLBACK_MODEL": "gpt-4o"]) { service in
            let answer = try await service.write()
            #expect(answer.degraded)
            #expect(answer.modelName == "gpt-4o-2024-11-20")
        }
    }

    @Test("A base URL alone is enough")
    func noKey() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(environment: ["OPENAI_BASE_URL": vendor.url + "/"]) { service in
            let answer = try await service.write()
            #expect(answer.provider == "openai")
        }
        let request = try #require(vendor.received.first)
        #expect(request.head.contains("Bearer none"))
        #expect(request.head.hasPrefix("POST /chat/completions "))
    }

    @Test("The question is asked again with the fault quoted, and the brief still first")
    func reask() async throws {
        let vendor = try ScriptedVendor([.says("不是 JSON"), .says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.write()
            #expect(!answer.degraded)
            // Both answers are paid.
            #expect(answer.usage.promptTokens == 200)
        }
        let body = try JSONValue(parsing: Array(try #require(vendor.received.last).body.utf8))
        let messages = try #require(body["messages"]?.array)
        #expect(messages.compactMap { $0["role"]?.string } == ["system", "user", "assistant", "user"])
        let brief = try #require(ModelJSON.parse(messages.last?["content"]?.string ?? ""))
        #expect(brief["topic"]?.string == "夏季防晒霜推荐")
        #expect(brief["correction"]?.string?.contains("不是合法的 JSON") == true)
    }
}
