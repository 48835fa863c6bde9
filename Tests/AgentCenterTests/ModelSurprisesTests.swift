import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import TestSupport
import Testing

@testable import AgentCenter

@Suite("What vendors do that nobody asked of them")
struct ModelSurprisesTests {
    @Test(
        "A snapshot of the model is the model; another name is another",
        arguments: [
            ("gpt-4o-mini", "gpt-4o-mini", false), ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", false),
            ("DEEPSEEK-AI/DeepSeek-V3", "deepseek-ai/deepseek-v3", false), ("gpt-4o", "gpt-4o-mini", true),
            ("gpt-4o-mini", "gpt-4o", true), ("deepseek-v4-pro", "deepseek-flash", true), ("", "m", true),
        ])
    func others(answering: String, asked: String, isOther: Bool) {
        #expect(ModelSurprises.isOther(answering, than: asked) == isOther)
    }

    @Test(
        "A limit is ignored by what the vendor counted beyond it, or by twice of what is counted here",
        arguments: [(10, false, false), (11, false, true), (20, true, false), (21, true, true)])
    func overruns(tokens: Int, isEstimated: Bool, isOverrun: Bool) {
        let usage = ChatUsage(
            promptTokens: 1, cachedPromptTokens: 0, completionTokens: tokens, isEstimated: isEstimated)
        #expect((ModelSurprises.overrun(usage, limit: 10) != nil) == isOverrun)
    }

    /// Fault 47 of `llm-wire.md` §13, and a server that knows the limit by no name.
    @Test(
        "Both are billed as they came, and said: in the log once per pair and once per answer, in the counter and in the ledger")
    func told() async throws {
        let lines = LogLines()
        let vendor = try ScriptedVendor([
            .says("好", model: "gpt-4o-2024-11-20"), .says("好", model: "gpt-4o-2024-11-20"), .says("好", model: "gpt-4o"),
            .says("好"),
        ])
        let logger = Logger(service: "agent-center", sink: LogSink(write: { lines.append($0) }))
        try await TitleService.run(primary: vendor, logger: logger) { service in
            for limit in [40, 39, 40, 40] {
                let answer = try await service.callModel(
                    TitleService.chat,
                    ["model": "auto", "messages": [["role": "user", "content": "你好"]], "max_tokens": .number(String(limit))])
                #expect(answer.status == .ok, "\(answer.text)")
            }
            let metrics = try await service.app.client.send(.get, "/metrics").text
            for (surprise, count) in [("other_model", 3), ("limit_ignored", 1)] {
                let line = #"agent_model_surprises_total{route="openai/gpt-4o-mini",surprise="\#(surprise)"} \#(count)"#
                #expect(metrics.contains(line), "\(surprise)")
            }
            let rows = try await service.ledger()
            let details = rows.flatMap(\.attempts).map(\.detail)
            #expect(details == [nil, "the limit of 39 tokens was ignored: 40 written", nil, nil])
            #expect(rows.map(\.cost) == [575_000, 575_000, 575_000, 34_500])
        }
        let text = lines.text
        #expect(text.components(separatedBy: "another model answers than the one asked for").count - 1 == 2)
        #expect(text.components(separatedBy: "the vendor ignored the limit of an answer").count - 1 == 1)
    }

    @Test("A hard limit that a dearer model's bill has passed refuses the next call")
    func dearer() async throws {
        let vendor = try ScriptedVendor([.says("好", model: "gpt-4o-2024-11-20")])
        try await TitleService.run(primary: vendor) { service in
            // Holds 22 bytes and 10 tokens of gpt-4o-mini, and not the 575,000 that gpt-4o comes to.
            let budget = try await service.budget([
                "name": "硬", "scope": "tenant", "period": "day", "zone": "Asia/Shanghai", "limitNano": "20000",
            ])
            let question: JSONValue = [
                "model": "auto", "messages": [["role": "user", "content": "你好"]], "max_tokens": 10,
            ]
            #expect(try await service.callModel(TitleService.chat, question).status == .ok)
            #expect(try await service.standing(of: budget).settledNano == "575000")
            let refused = try await service.callModel(TitleService.chat, question)
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.problem().code == "budget.exhausted")
        }
        #expect(vendor.received.count == 1)
    }
}
