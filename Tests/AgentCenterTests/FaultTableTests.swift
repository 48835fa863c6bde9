import FoundationEssentials
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import AgentCenter

/// The fifty faults of `llm-wire.md` §13 against `POST /v1/ai/generate`, each whole and streamed. Bytes and expectations are typed by hand.
@Suite("The fault table")
struct FaultTableTests {
    @Test("Whole answers", arguments: ModelFault.all)
    func whole(fault: ModelFault) async throws {
        try await run(fault, fault.whole, isStreamed: false)
    }

    @Test("Streams", arguments: ModelFault.all)
    func streamed(fault: ModelFault) async throws {
        try await run(fault, fault.streamed, isStreamed: true)
    }

    @Test("The table holds all fifty")
    func complete() {
        #expect(ModelFault.all.map(\.number) == Array(1...50))
    }

    private func run(_ fault: ModelFault, _ expected: ModelFault.Course, isStreamed: Bool) async throws {
        let primary = try ScriptedVendor(expected.replies)
        let usage = #"{"prompt_tokens":50,"completion_tokens":30,"prompt_cache_hit_tokens":10,"prompt_cache_miss_tokens":40}"#
        let fallback = try ScriptedVendor(
            isStreamed
                ? [.bytes(ModelFault.stream(ModelFault.fallbackText, usage: usage, model: "deepseek-flash"))]
                : [.says(ModelFault.fallbackText, model: "deepseek-flash", usage: usage)])
        try await TitleService.run(primary: primary, fallback: fallback, environment: fault.environment) { service in
            for _ in 0..<fault.calls {
                let response = try await service.callModel(
                    TitleService.generate, ["task": "reply", "input": "防晒霜多久补一次？"],
                    accept: isStreamed ? "text/event-stream" : nil)
                #expect(response.status == .ok, "\(response.text)")
                try check(isStreamed ? Told(stream: response) : Told(whole: response), fault, expected)
            }
            let rows = try await service.ledger()
            #expect(rows.count == fault.calls)
            // Vendors count nothing of an answer that broke off; what had been written counts here, at four bytes a token.
            let prompt = expected.estimated > 0 ? try ScriptedVendor.promptTokens(of: try #require(primary.received.first)) : 0
            let spentOnPrimary =
                expected.counted + Int64(expected.estimated) * (prompt * 150 + ModelFault.estimatedCompletion * 600)
            for row in rows {
                let attempts = row.attempts.filter { $0.provider == "openai" }
                #expect(attempts.map(\.outcome) == expected.attempts)
                #expect(attempts.reduce(0) { $0 + $1.costNano } == spentOnPrimary)
                // 10 cached, 40 new, 30 written; twice as dear on weekday mornings and afternoons in Beijing.
                let fallbackCost: Int64 = row.price?.hasSuffix("/peak") == true ? 48_060 : 24_030
                switch expected.answer {
                case .primary: #expect(row.cost == spentOnPrimary && row.spent == row.cost && !row.isDegraded)
                case .fallback: #expect(row.cost == spentOnPrimary + fallbackCost && row.isDegraded)
                case .template: #expect(row.cost == 0 && row.spent == spentOnPrimary && row.provider == "template")
                }
            }
        }
    }

    /// What the caller was told, in whichever way.
    private struct Told {
        let text: String
        let answer: JSONValue
        let usage: JSONValue?
        var restarts = 0
        var reasons: [String] = []

        init(whole response: TestResponse) throws {
            answer = try response.json()
            text = answer["output"]?.string ?? ""
            usage = answer["usage"]
        }

        init(stream response: TestResponse) throws {
            let read = try ReadEvents(response)
            #expect(read.names.suffix(2) == ["usage", "done"])
            answer = try #require(read.data("done").first)
            usage = try read.data("usage").first
            text = try read.text()
            reasons = try read.data("restart").compactMap { $0["reason"]?.string }
            restarts = reasons.count
        }
    }

    private func check(_ told: Told, _ fault: ModelFault, _ expected: ModelFault.Course) throws {
        #expect(told.restarts == expected.restarts)
        // A fault of the vendor's is named as such, also where the next route begins.
        if !expected.attempts.contains("rejected") { #expect(!told.reasons.contains("回答不符合要求")) }
        #expect(told.answer["degraded"]?.bool == (expected.answer != .primary))
        switch expected.answer {
        case .primary:
            // Nothing less than the whole text, and nothing twice.
            #expect(TextTask.trimmed(told.text) == ModelFault.text)
            #expect(told.answer["provider"]?.string == "openai")
        case .fallback:
            #expect(told.text == ModelFault.fallbackText)
            #expect(told.answer["provider"]?.string == "deepseek" && told.answer["modelName"]?.string == "deepseek-flash")
            #expect(told.answer["degradedReason"]?.string?.hasPrefix("openai/gpt-4o-mini：") == true)
        case .template:
            #expect(told.text.hasPrefix("您好，已收到您的消息"))
            #expect(told.answer["provider"]?.string == "template")
            #expect(told.usage?["costNano"]?.string == "0")
        }
    }
}
