import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

private typealias Reply = ScriptedVendor.Reply

/// Raw conversations with models that think, and members that only some vendors take.
@Suite("What is asked of a conversation is honoured or refused")
struct ThinkingTests {
    private static let hello: JSONValue = [["role": "user", "content": "你好"]]
    private static let usage = #"{"prompt_tokens":10,"completion_tokens":20}"#

    private static func body(_ vendor: ScriptedVendor) throws -> JSONValue {
        try JSONValue(parsing: Array(#require(vendor.received.last).body.utf8))
    }

    /// A name that thinks, and that no vendor retires.
    private static func nameAThinker(_ service: TitleService) async throws {
        let alias: JSONValue = [
            "name": "thinker", "provider": "deepseek", "model": "deepseek-flash", "validFrom": "2026-01-01T00:00:00Z",
            "thinks": true,
        ]
        let added = try await AliasServiceTests.send(service, .post, "/v1/ai/aliases", alias)
        #expect(added.status == .created, "\(added.text)")
    }

    private static func thoughtful(streamed: Bool) -> Reply {
        guard streamed else {
            return .http(
                200,
                #"{"model":"deepseek-flash","choices":[{"index":0,"message":{"role":"assistant","content":"好","reasoning_content":"先想"},"finish_reason":"stop"}],"usage":\#(usage)}"#
            )
        }
        func chunk(_ delta: String, finish: String = "null", usage: String = "null") -> String {
            ModelFault.chunk(delta, finish: finish, usage: usage, model: "deepseek-flash")
        }
        return .bytes(
            Reply.streamHead + chunk(#"{"role":"assistant","content":null,"reasoning_content":"先"}"#)
                + chunk(#"{"content":null,"reasoning_content":"想"}"#) + chunk(#"{"content":"好","reasoning_content":null}"#)
                + chunk(#"{"content":""}"#, finish: #""stop""#, usage: usage) + "data: [DONE]\n\n")
    }

    @Test("An effort and a name that thinks both let DeepSeek think, and its thoughts come back", arguments: [true, false])
    func deepSeek(streamed: Bool) async throws {
        for (model, effort) in [("deepseek-flash", "low"), ("thinker", nil), ("auto", "high")] as [(String, String?)] {
            // Asked first under `auto`, were it not for the thinking.
            let plain = try ScriptedVendor([.says("没有想")])
            let vendor = try ScriptedVendor([Self.thoughtful(streamed: streamed)])
            try await TitleService.run(primary: plain, fallback: vendor) { service in
                try await Self.nameAThinker(service)
                var question = JSONObject()
                question["model"] = .string(model)
                question["messages"] = Self.hello
                question["stream"] = .bool(streamed)
                question["reasoning_effort"] = effort.map { .string($0) }
                let response = try await service.callModel(TitleService.chat, .object(question))
                #expect(response.status == .ok, "\(response.text)")
                if streamed {
                    let read = try ReadEvents(response)
                    let deltas = try read.chunks().compactMap { $0["choices"]?[0]?["delta"] }
                    #expect(read.isDone && deltas.compactMap { $0["reasoning_content"]?.string } == ["先", "想"])
                    #expect(try read.content() == "好")
                } else {
                    let message = try response.json()["choices"]?[0]?["message"]
                    #expect(message?["content"]?.string == "好" && message?["reasoning_content"]?.string == "先想")
                }
            }
            #expect(plain.received.isEmpty)
            let sent = try Self.body(vendor)
            #expect(sent["thinking"] == ["type": "enabled"] && sent["reasoning_effort"]?.string == effort)
        }
    }

    @Test("A name that thinks does not where the request says so")
    func told() async throws {
        let vendor = try ScriptedVendor([.says("好", model: "deepseek-flash")])
        try await TitleService.run(fallback: vendor) { service in
            try await Self.nameAThinker(service)
            let response = try await service.callModel(
                TitleService.chat, ["model": "thinker", "messages": Self.hello, "reasoning_effort": "none"])
            #expect(response.status == .ok, "\(response.text)")
        }
        #expect(try Self.body(vendor)["thinking"] == ["type": "disabled"])
    }

    @Test(
        "What a named model's vendor does not take is refused where it stands, and nobody is asked",
        arguments: [
            ("deepseek-flash", "seed", 7, "/seed"), ("deepseek-flash", "verbosity", "low", "/verbosity"),
            ("deepseek-flash", "logit_bias", ["1": 2], "/logit_bias"), ("gpt-4o", "reasoning_effort", "low", "/reasoning_effort"),
            ("deepseek-flash", "reasoning_effort", "utmost", "/reasoning_effort"),
        ] as [(String, String, JSONValue, String)])
    func refused(model: String, member: String, value: JSONValue, pointer: String) async throws {
        let (openAI, deepSeek) = (try ScriptedVendor([.says("好")]), try ScriptedVendor([.says("好")]))
        try await TitleService.run(primary: openAI, fallback: deepSeek) { service in
            var question = JSONObject()
            question["model"] = .string(model)
            question["messages"] = Self.hello
            question[member] = value
            let response = try await service.callModel(TitleService.chat, .object(question))
            #expect(response.status == .badRequest, "\(response.text)")
            #expect(try response.problem().errors?.map(\.pointer) == [pointer])
        }
        #expect(openAI.received.isEmpty && deepSeek.received.isEmpty)
    }

    @Test(
        "auto passes over vendors that do not take a member, and says so where none is left; a hint about caches is none of them")
    func auto() async throws {
        let (openAI, deepSeek) = (try ScriptedVendor([.says("好")]), try ScriptedVendor([.says("好", model: "deepseek-flash")]))
        let order = ["MODEL_VENDOR_ORDER": "deepseek,openai"]
        try await TitleService.run(primary: openAI, fallback: deepSeek, environment: order) { service in
            let seeded = try await service.callModel(TitleService.chat, ["model": "auto", "messages": Self.hello, "seed": 7])
            #expect(seeded.status == .ok, "\(seeded.text)")
            #expect(try seeded.json()["provider"]?.string == "openai")
            let hinted = try await service.callModel(
                TitleService.chat, ["model": "auto", "messages": Self.hello, "prompt_cache_key": "k"])
            #expect(try hinted.json()["provider"]?.string == "deepseek")
        }
        #expect(try Self.body(openAI)["seed"]?.int == 7)
        try await TitleService.run(fallback: deepSeek) { service in
            let none = try await service.callModel(TitleService.chat, ["model": "auto", "messages": Self.hello, "seed": 7])
            #expect(none.status == .notFound)
            #expect(try none.problem().code == "model.none_suited")
        }
    }

    @Test(
        "The language is that of the last user message, by script, unless it is told",
        arguments: [
            ("帮我写一篇 iPhone 16 Pro Max 的测评", nil, "zh"), ("Write a review of 小红书, please", nil, "en"),
            ("Ça va, l'été?", nil, "en"),
            ("夏の日焼け止めを選ぶ", nil, "ja"), ("여름 자외선 차단제", nil, "ko"), ("Привет, как дела?", nil, "und"), ("123 !? 😀", nil, "zh"),
            ("", nil, "zh"), ("你好", "en-GB", "en-gb"), ("hello", "not a tag", "en"), ("hello", "zh--x", "en"),
        ] as [(String, String?, String)])
    func language(text: String, told: String?, language: String) {
        let messages: [ChatRequest.Message] = [
            .init(role: .user, content: "第一句"), .init(role: .user, content: text), .init(role: .assistant, content: "好的 well"),
        ]
        #expect(ConversationLanguage.of(messages, metadata: told.map { ["language": .string($0)] }) == language)
    }

    @Test("A route for English is taken by an English conversation, and not by a Chinese one")
    func languageRoutes() async throws {
        let vendor = try ScriptedVendor([.says("ok")])
        try await TitleService.run(primary: vendor) { service in
            let headers = try TestContext.headers(
                from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(roles: ["tenant_admin"], scopes: ["ai:admin"]))
            let put = try await service.app.client.send(
                .put, "/v1/ai/policies/chat", headers: headers,
                json: [
                    "routes": [
                        ["provider": "openai", "model": "gpt-4o", "languages": ["en"]],
                        ["provider": "openai", "model": "gpt-4o-mini", "rank": 1],
                    ]
                ])
            #expect(put.status == .ok, "\(put.text)")
            for (text, model) in [("Hello there", "gpt-4o"), ("你好", "gpt-4o-mini")] {
                _ = try await service.callModel(
                    TitleService.chat, ["model": "auto", "messages": [["role": "user", "content": .string(text)]]])
                #expect(try Self.body(vendor)["model"]?.string == model)
            }
        }
    }

    @Test("Two calls where only one tool may be called at a time are asked for again, whoever answers")
    func oneCall() throws {
        let call = ChatAnswer.ToolCall(id: "c", name: "f", arguments: "{}")
        var answer = ChatAnswer(content: "", model: "m", usage: .none, finish: "tool_calls", toolCalls: [call, call])
        var question = ChatRequest(messages: [], maxTokens: 1, tools: [["type": "function", "function": ["name": "f"]]])
        func isRejected() -> Bool {
            if case .rejected = ConversationTask(question: question).verdict(onWhole: [answer]) { true } else { false }
        }
        #expect(!isRejected())
        question.parallelToolCalls = false
        #expect(isRejected())
        answer.toolCalls.removeLast()
        #expect(!isRejected())
    }
}
