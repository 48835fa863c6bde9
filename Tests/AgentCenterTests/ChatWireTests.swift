import HTTPCore
import Testing

@testable import AgentCenter

@Suite("Chat wire")
struct ChatWireTests {
    private func body(_ vendor: ChatProfile.Vendor, _ model: String, streamed: Bool = false) throws -> JSONValue {
        let request = TitlePrompt.question(for: .sample(), customer: "abc123")
        return try JSONValue(
            parsing: ChatWire.body(request, model: model, profile: ChatProfile(vendor: vendor, model: model), streamed: streamed))
    }

    @Test("OpenAI: max_completion_tokens, strict schema, system role, no thinking switch")
    func openAI() throws {
        let json = try body(.openai, "gpt-4o-mini")
        #expect(json["model"]?.string == "gpt-4o-mini")
        #expect(json["max_completion_tokens"]?.int != nil)
        #expect(json["max_tokens"] == nil)
        #expect(json["response_format"]?["type"]?.string == "json_schema")
        #expect(json["response_format"]?["json_schema"]?["strict"]?.bool == true)
        #expect(json["messages"]?[0]?["role"]?.string == "system")
        #expect(json["temperature"]?.double == 1.2)
        #expect(json["thinking"] == nil)
        #expect(json["safety_identifier"]?.string == "abc123")
        #expect(json["stream"] == nil)
        #expect(json["stream_options"] == nil)
    }

    @Test("OpenAI's reasoning models: developer role, no temperature", arguments: ["o3-mini", "gpt-5-mini", "o4-mini"])
    func reasoning(model: String) throws {
        let json = try body(.openai, model)
        #expect(json["messages"]?[0]?["role"]?.string == "developer")
        #expect(json["temperature"] == nil)
    }

    @Test("DeepSeek: max_tokens, json_object, thinking off, user_id; usage asked for in streams")
    func deepSeek() throws {
        let json = try body(.deepseek, "deepseek-flash", streamed: true)
        #expect(json["max_tokens"]?.int != nil)
        #expect(json["max_completion_tokens"] == nil)
        #expect(json["response_format"] == ["type": "json_object"])
        #expect(json["thinking"] == ["type": "disabled"])
        #expect(json["user_id"]?.string == "abc123")
        #expect(json["stream"]?.bool == true)
        #expect(json["stream_options"]?["include_usage"]?.bool == true)
    }

    @Test("Compatible servers: max_tokens, system role, no customer, and of the extras only what nearly all know")
    func compatible() throws {
        var request = TitlePrompt.question(for: .sample(), customer: "abc123")
        let extras: [(String, JSONValue)] = [
            ("seed", 7), ("presence_penalty", 0.5), ("verbosity", "low"), ("prompt_cache_key", "k"), ("logit_bias", ["1": 2]),
        ]
        for (name, value) in extras { request.extras[name] = value }
        request.parallelToolCalls = false
        let json = try JSONValue(
            parsing: ChatWire.body(
                request, model: "gpt-5-of-somebody", profile: ChatProfile(vendor: .compatible, model: "gpt-5-of-somebody"),
                streamed: true))
        #expect(json["max_tokens"]?.int == request.maxTokens)
        #expect(json["messages"]?[0]?["role"]?.string == "system")
        #expect(json["temperature"]?.double == 1.2)
        #expect(json["seed"]?.int == 7 && json["presence_penalty"]?.double == 0.5)
        let strange = [
            "max_completion_tokens", "safety_identifier", "user_id", "user", "verbosity", "prompt_cache_key", "logit_bias",
            "thinking", "parallel_tool_calls",
        ]
        #expect(strange.filter { json[$0] != nil } == [])
    }

    private static func thinking(_ vendor: ChatProfile.Vendor, _ model: String, effort: String?, thinks: Bool = true) throws
        -> JSONValue
    {
        let earlier: JSONValue = ["role": "assistant", "content": "又", "reasoning_content": "想"]
        var request = ChatRequest(
            messages: [
                .init(role: .user, content: "问"), .init(role: .assistant, content: "答"),
                .init(
                    role: .assistant, content: "又", raw: earlier.object),
                .init(role: .user, content: "再问"),
            ], maxTokens: 100)
        (request.effort, request.thinks) = (effort, thinks)
        request.tools = [["type": "function", "function": ["name": "f"]]]
        return try JSONValue(
            parsing: ChatWire.body(request, model: model, profile: ChatProfile(vendor: vendor, model: model), streamed: false))
    }

    @Test(
        "DeepSeek thinks where it is told to, with as much effort as it knows, and gets its earlier thoughts back",
        arguments: [
            ("minimal", "low"), ("low", "low"), ("medium", "high"), ("high", "high"), ("xhigh", "high"), ("max", "max"),
            (nil, nil),
        ] as [(String?, String?)])
    func deepSeekThinks(effort: String?, sent: String?) throws {
        let json = try Self.thinking(.deepseek, "deepseek-flash", effort: effort)
        #expect(json["thinking"] == ["type": "enabled"] && json["reasoning_effort"]?.string == sent)
        // Refused where they are missing or empty.
        #expect(json["messages"]?.array?.map { $0["reasoning_content"]?.string } == [nil, " ", "想", nil])
    }

    @Test("Nobody else is told of thoughts in DeepSeek's way; no effort is not said to models that do not think")
    func effort() throws {
        let off = try Self.thinking(.deepseek, "deepseek-flash", effort: "none", thinks: false)
        #expect(off["thinking"] == ["type": "disabled"] && off["reasoning_effort"] == nil)
        #expect(off["messages"]?[1]?["reasoning_content"] == nil)
        for (vendor, model) in [(ChatProfile.Vendor.openai, "o3"), (.compatible, "qwen3")] {
            let json = try Self.thinking(vendor, model, effort: "xhigh")
            #expect(json["reasoning_effort"]?.string == "xhigh" && json["thinking"] == nil)
            #expect(json["messages"]?[1]?["reasoning_content"] == nil)
            let none = try Self.thinking(vendor, model, effort: "none", thinks: false)
            #expect(none["reasoning_effort"]?.string == "none")
        }
        let thoughtless = try Self.thinking(.openai, "gpt-4o", effort: "none", thinks: false)
        #expect(thoughtless["reasoning_effort"] == nil)
    }

    @Test("A strict schema closes every object and requires every property")
    func schema() {
        func check(_ schema: JSONValue) {
            if let properties = schema["properties"]?.object {
                #expect(schema["additionalProperties"]?.bool == false)
                #expect(Set(schema["required"]?.array?.compactMap(\.string) ?? []) == Set(properties.names))
                for (_, value) in properties { check(value) }
            }
            if let items = schema["items"] { check(items) }
        }
        check(TitlePrompt.schema.schema)
    }

    // MARK: Whole answers

    private func answer(_ text: String) throws -> ChatAnswer {
        try ChatWire.answer(from: Array(text.utf8), askedModel: "asked")
    }

    private func failure(_ text: String) -> ChatFailure? {
        do {
            _ = try answer(text)
            return nil
        } catch {
            return error as? ChatFailure
        }
    }

    @Test("Reads content, the real model and usage; white space before the JSON is keep-alive")
    func whole() throws {
        let read = try answer(
            """
            \n\n  {"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"好","refusal":null},
            "finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,
            "prompt_tokens_details":{"cached_tokens":64}}}
            """)
        #expect(read.content == "好")
        #expect(read.model == "gpt-4o-mini-2024-07-18")
        #expect(
            read.usage == ChatUsage(promptTokens: 100, cachedPromptTokens: 64, completionTokens: 7, isEstimated: false))
    }

    @Test("DeepSeek's cache figures and ignored reasoning")
    func deepSeekUsage() throws {
        let read = try answer(
            """
            {"model":"deepseek-flash","choices":[{"message":{"content":"答","reasoning_content":"想了很久"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":30,"completion_tokens":5,"prompt_cache_hit_tokens":20,"prompt_cache_miss_tokens":10}}
            """)
        #expect(read.content == "答")
        #expect(read.usage.cachedPromptTokens == 20)
    }

    @Test("Missing usage is estimated, and says so")
    func noUsage() throws {
        let read = try answer(#"{"choices":[{"message":{"content":"12345678"},"finish_reason":"stop"}]}"#)
        #expect(read.usage.isEstimated)
        #expect(read.usage.completionTokens == 2)
        #expect(read.model == "asked")
    }

    @Test(
        "Numbers that no call can come to are no usage",
        arguments: [
            #"{"prompt_tokens":9223372036854775807,"completion_tokens":1}"#,
            #"{"prompt_tokens":1,"completion_tokens":9223372036854775807}"#, #"{"prompt_tokens":1,"completion_tokens":1e30}"#,
            #"{"prompt_tokens":1e30,"completion_tokens":1}"#, #"{"prompt_tokens":100000001,"completion_tokens":1}"#,
            #"{"prompt_tokens":-1,"completion_tokens":1}"#,
        ])
    func absurdUsage(usage: String) throws {
        let read = try answer(#"{"choices":[{"message":{"content":"12345678"},"finish_reason":"stop"}],"usage":\#(usage)}"#)
        #expect(read.usage == ChatUsage(promptTokens: 0, cachedPromptTokens: 0, completionTokens: 2, isEstimated: true))
    }

    @Test("Cache figures that no call can come to count as none")
    func absurdCache() throws {
        let usage = ChatWire.usage(
            try JSONValue(
                parsing: Array(
                    #"{"completion_tokens":1,"prompt_cache_hit_tokens":9223372036854775807,"prompt_cache_miss_tokens":9223372036854775807}"#
                        .utf8)))
        #expect(usage == ChatUsage(promptTokens: 0, cachedPromptTokens: 0, completionTokens: 1, isEstimated: false))
    }

    @Test(
        "What is no answer",
        arguments: [
            (#"{"choices":[{"message":{"content":"   \n"},"finish_reason":"stop"}]}"#, ChatFailure.Kind.blank),
            (#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#, .blank),
            (#"{"choices":[{"message":{"content":"{\"titles\":["},"finish_reason":"length"}]}"#, .length),
            (#"{"choices":[{"message":{"content":"x"},"finish_reason":"insufficient_system_resource"}]}"#, .serverError),
            (#"{"choices":[{"message":{"content":"x"},"finish_reason":"content_filter"}]}"#, .policy),
            (#"{"choices":[{"message":{"content":null,"refusal":"I cannot"},"finish_reason":"stop"}]}"#, .policy),
            (#"{"choices":[{"message":{"content":"x"},"finish_reason":"aborted"}]}"#, .unknownFinish),
            (#"{"choices":[{"message":{"content":"x"},"finish_reason":"tool_calls"}]}"#, .unknownFinish),
            (#"{"choices":[{"message":{"content":"x"},"finish_reason":null}]}"#, .truncated),
            (#"{"choices":[]}"#, .malformed), ("", .malformed), ("<html>502</html>", .malformed), (#"{"choices":[{"#, .malformed),
            (#"{"error":{"message":"overloaded","type":"server_error","code":null,"param":null}}"#, .serverError),
        ])
    func noAnswer(text: String, kind: ChatFailure.Kind) {
        #expect(failure(text)?.kind == kind)
    }

    @Test("A policy refusal stops everything; a lack of resources may be tried again")
    func reactions() {
        #expect(failure(#"{"choices":[{"message":{"content":"x"},"finish_reason":"content_filter"}]}"#)?.reaction == .stop)
        #expect(
            failure(#"{"choices":[{"message":{"content":"x"},"finish_reason":"insufficient_system_resource"}]}"#)?.reaction
                == .retry(after: nil))
    }

    // MARK: Streams

    private func stream(_ events: [String]) throws -> ChatAnswer {
        var decoder = ChatStreamDecoder(askedModel: "asked")
        for event in events { try decoder.feed(event) }
        return try decoder.finished()
    }

    @Test("OpenAI's stream: usage in a chunk of its own")
    func openAIStream() throws {
        let read = try stream([
            #"{"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            #"{"model":"m","choices":[{"index":0,"delta":{"content":"你"},"finish_reason":null}],"usage":null,"obfuscation":"xx"}"#,
            #"{"model":"m","choices":[{"index":0,"delta":{"content":"好"},"finish_reason":null}],"usage":null}"#,
            #"{"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            #"{"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#, "[DONE]",
        ])
        #expect(read.content == "你好")
        #expect(read.usage == ChatUsage(promptTokens: 9, cachedPromptTokens: 0, completionTokens: 2, isEstimated: false))
    }

    @Test("DeepSeek's stream: reasoning first, usage on the last choice, no sentinel needed")
    func deepSeekStream() throws {
        let read = try stream([
            #"{"model":"deepseek-flash","choices":[{"delta":{"content":null,"reasoning_content":"嗯"},"finish_reason":null}],"usage":null}"#,
            #"{"model":"deepseek-flash","choices":[{"delta":{"content":"好","reasoning_content":null},"finish_reason":null}]}"#,
            #"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_cache_hit_tokens":8}}"#,
        ])
        #expect(read.content == "好")
        #expect(read.usage.cachedPromptTokens == 8)
    }

    @Test(
        "Thoughts are shown at once where they were asked for, else with the first words; texts of our own never show them",
        arguments: [
            (true, true), (true, false), (false, false),
        ])
    func thoughts(isRelayed: Bool, thinks: Bool) throws {
        let rules = AnswerRules(isRelayed: isRelayed, offersTools: false, thinks: thinks)
        var decoder = ChatStreamDecoder(askedModel: "m", rules: rules)
        var shown: [String] = []
        let deltas = [
            #"{"reasoning_content":"想"}"#, #"{"content":" ","reasoning_content":null}"#, #"{"reasoning":"又想"}"#,
            #"{"content":"好"}"#,
        ]
        for delta in deltas {
            try decoder.feed(#"{"choices":[{"delta":\#(delta),"finish_reason":null}]}"#)
            shown.append(decoder.takeText().map { "\($0.thoughts)|\($0.text)" } ?? "")
        }
        try decoder.feed(#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#)
        let answer = try decoder.finished()
        #expect(answer.content == " 好" && answer.thoughts == (isRelayed ? "想又想" : nil))
        #expect(shown == (thinks ? ["想|", "", "又想|", "| 好"] : ["", "", "", isRelayed ? "想又想| 好" : "| 好"]))
    }

    @Test("Reasoning that nobody counted is estimated with the rest")
    func hiddenReasoning() throws {
        var decoder = ChatStreamDecoder(askedModel: "asked")
        try decoder.feed(#"{"choices":[{"delta":{"reasoning_content":"12345678"},"finish_reason":null}]}"#)
        #expect(decoder.usageSoFar?.completionTokens == 2)
        try decoder.feed(#"{"choices":[{"delta":{"content":"1234"},"finish_reason":"stop"}]}"#)
        #expect(try decoder.finished().usage.completionTokens == 3)
        let whole = try answer(
            #"{"choices":[{"message":{"content":"1234","reasoning_content":"12345678"},"finish_reason":"stop"}]}"#)
        #expect(whole.usage.completionTokens == 3)
    }

    @Test("A stream without a finish reason is a failure, whatever it wrote")
    func cutStream() {
        #expect(throws: ChatFailure.self) {
            try stream([#"{"choices":[{"delta":{"content":"{\"titles\":[]}"},"finish_reason":null}]}"#, "[DONE]"])
        }
    }

    @Test("Events after the sentinel, repeated finish reasons and keep-alives change nothing")
    func afterTheEnd() throws {
        let read = try stream([
            #"{"choices":[{"delta":{"content":"好"},"finish_reason":null}]}"#,
            #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, #"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            "[DONE]", "not json",
        ])
        #expect(read.content == "好")
    }

    @Test("An error event and a broken chunk end the stream with what was used")
    func errorEvents() {
        var decoder = ChatStreamDecoder(askedModel: "m")
        #expect(throws: ChatFailure.self) { try decoder.feed(#"{"choices":[{"#) }
        var other = ChatStreamDecoder(askedModel: "m")
        let error = #expect(throws: ChatFailure.self) {
            try other.feed(#"{"error":{"message":"x","type":"server_error","param":null,"code":null}}"#)
        }
        #expect(error?.kind == .serverError)
    }
}
