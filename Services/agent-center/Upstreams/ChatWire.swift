import HTTPCore

/// How one vendor speaks the "OpenAI-compatible" chat protocol. The differences are those of OpenAI's specification (2.3.0) and
/// DeepSeek's documentation (October 2026); other servers get the older, smaller set that nearly all of them understand.
struct ChatProfile: Sendable, Equatable {
    enum Vendor: String, Sendable, CaseIterable {
        case openai
        case deepseek
        /// A server of another house that speaks OpenAI's protocol: what most of them take, and no more.
        case compatible
    }

    enum StructuredOutput: Sendable {
        /// `response_format: json_schema`, strict.
        case schema
        /// `response_format: json_object`; the schema is told in the instructions.
        case object
    }

    enum Thinking: Sendable {
        /// DeepSeek's models think by default, which costs tokens and time and switches `temperature` off: `thinking` says whether.
        case switched
        /// `reasoning_effort` as the caller gave it; `none` too.
        case effort
        /// The same of a model that does not think as a rule: `none` need not be said, and would be refused.
        case effortOnly
    }

    let vendor: Vendor
    let maxTokensField: String
    let structuredOutput: StructuredOutput
    let instructionsRole: String
    /// `nil`: the vendor has no member that names its end customer.
    let customerField: String?
    let sendsTemperature: Bool
    let thinking: Thinking
    /// Of ``ChatRequest/extras``, those that the vendor takes.
    let extras: Set<String>
    /// Whether a message may consist of several parts.
    let takesParts: Bool

    init(vendor: Vendor, model: String) {
        self.vendor = vendor
        switch vendor {
        case .openai:
            // Reasoning models take `developer` instead of `system`, and refuse `temperature`.
            let isReasoning = ["o1", "o3", "o4", "gpt-5"].contains { model.hasPrefix($0) }
            maxTokensField = "max_completion_tokens"
            structuredOutput = .schema
            instructionsRole = isReasoning ? "developer" : "system"
            customerField = "safety_identifier"
            sendsTemperature = !isReasoning
            thinking = isReasoning ? .effort : .effortOnly
            extras = [
                "seed", "frequency_penalty", "presence_penalty", "logit_bias", "verbosity", "prompt_cache_key",
                "parallel_tool_calls",
            ]
            takesParts = true
        case .deepseek:
            maxTokensField = "max_tokens"
            structuredOutput = .object
            instructionsRole = "system"
            customerField = "user_id"
            sendsTemperature = true
            thinking = .switched
            extras = ["frequency_penalty", "presence_penalty"]
            takesParts = false
        case .compatible:
            // A server that ignores the newer name of the limit would write past what was set aside for it.
            maxTokensField = "max_tokens"
            structuredOutput = .schema
            instructionsRole = "system"
            customerField = nil
            sendsTemperature = true
            thinking = .effort
            extras = ["seed", "frequency_penalty", "presence_penalty"]
            takesParts = true
        }
    }

    /// Whether the vendor honours all of these; see ``ModelCall/parameters``.
    func takes(_ parameters: Set<String>) -> Bool { parameters.isSubset(of: extras) }

    /// OpenAI's words for effort in DeepSeek's, as its documentation of thinking has it.
    static func deepSeekEffort(_ effort: String) -> String {
        ["minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max"][effort] ?? "high"
    }
}

/// Bodies of `POST …/chat/completions`. Pure.
enum ChatWire {
    static func body(_ request: ChatRequest, model: String, profile: ChatProfile, streamed: Bool) -> [UInt8] {
        var body = JSONObject()
        body["model"] = .string(model)
        let echoes = profile.thinking == .switched && request.thinks && !request.tools.isEmpty
        body["messages"] = .array(request.messages.map { message($0, profile, echoesThoughts: echoes) })
        body[profile.maxTokensField] = .number(String(request.maxTokens))
        if let temperature = request.temperature, profile.sendsTemperature {
            body["temperature"] = .number(temperature.description)
        }
        if let topP = request.topP, profile.sendsTemperature { body["top_p"] = .number(topP.description) }
        if let format = format(request, profile) { body["response_format"] = format }
        if !request.tools.isEmpty {
            body["tools"] = .array(request.tools)
            if let choice = request.toolChoice { body["tool_choice"] = choice }
            if let parallel = request.parallelToolCalls, profile.extras.contains("parallel_tool_calls") {
                body["parallel_tool_calls"] = .bool(parallel)
            }
        }
        if !request.stop.isEmpty { body["stop"] = .array(request.stop.map { .string($0) }) }
        for (name, value) in request.extras where profile.extras.contains(name) { body[name] = value }
        add(request.thinks, request.effort, profile, to: &body)
        if let customer = request.customer, let field = profile.customerField { body[field] = .string(customer) }
        if streamed {
            body["stream"] = true
            body["stream_options"] = ["include_usage": true]
        }
        return JSONValue.object(body).encode()
    }

    private static func add(_ thinks: Bool, _ effort: String?, _ profile: ChatProfile, to body: inout JSONObject) {
        switch profile.thinking {
        case .switched:
            body["thinking"] = ["type": thinks ? "enabled" : "disabled"]
            if thinks, let effort { body["reasoning_effort"] = .string(ChatProfile.deepSeekEffort(effort)) }
        case .effort, .effortOnly:
            guard let effort, thinks || profile.thinking == .effort else { return }
            body["reasoning_effort"] = .string(effort)
        }
    }

    /// - Parameter echoesThoughts: whether the vendor refuses an earlier answer without its thoughts. Where they are gone, or were another
    ///   model's to begin with, a space stands for them: nothing at all is refused.
    private static func message(
        _ message: ChatRequest.Message, _ profile: ChatProfile, echoesThoughts: Bool
    ) -> JSONValue {
        let role = message.role == .instructions ? profile.instructionsRole : message.role.rawValue
        var raw = message.raw ?? JSONObject()
        if message.raw == nil { raw["content"] = .string(message.content) }
        raw["role"] = .string(role)
        if echoesThoughts, message.role == .assistant, raw["reasoning_content"]?.string?.isEmpty ?? true {
            raw["reasoning_content"] = " "
        }
        if !profile.takesParts, raw["content"]?.array != nil { raw["content"] = .string(message.content) }
        return .object(raw)
    }

    private static func format(_ request: ChatRequest, _ profile: ChatProfile) -> JSONValue? {
        guard let schema = request.answerSchema else { return request.wantsObject ? ["type": "json_object"] : nil }
        switch (request.form, profile.structuredOutput) {
        case (.schema, .schema):
            return [
                "type": "json_schema",
                "json_schema": ["name": .string(schema.name), "strict": .bool(schema.isStrict), "schema": schema.schema],
            ]
        case (.schema, .object), (.object, _): return ["type": "json_object"]
        case (.told, _): return nil
        }
    }

    /// Reads a whole answer. White space before the JSON is DeepSeek's keep-alive.
    static func answer(
        from bytes: [UInt8], askedModel: String, rules: AnswerRules = .own
    ) throws(ChatFailure) -> ChatAnswer {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw ChatFailure(.malformed, .retry(after: nil), .count, message: "the answer is not JSON: \(error.reason.rawValue)")
        }
        if let inBand = json["error"], !inBand.isNull { throw ChatFailure.inBand(inBand) }
        guard let choice = json["choices"]?[0], let message = choice["message"] else {
            throw ChatFailure(.malformed, .retry(after: nil), .count, message: "the answer has no choices[0].message")
        }
        let calls = (message["tool_calls"]?.array ?? []).map { call in
            ChatAnswer.ToolCall(
                id: call["id"]?.string ?? "", name: call["function"]?["name"]?.string ?? "",
                arguments: call["function"]?["arguments"]?.string ?? "")
        }
        let thoughts = thoughts(in: message)
        var answer = try rules.judge(
            content: message["content"]?.string ?? "", toolCalls: calls, refusal: message["refusal"]?.string,
            finish: choice["finish_reason"]?.string, model: json["model"]?.string ?? askedModel, usage: usage(json["usage"]),
            hidden: thoughts?.utf8.count ?? 0)
        if rules.isRelayed { answer.thoughts = thoughts }
        return answer
    }

    /// Of a message or a delta: DeepSeek's name for them, or that of some compatible servers.
    static func thoughts(in message: JSONValue) -> String? {
        [message["reasoning_content"]?.string, message["reasoning"]?.string].lazy.compactMap { $0 }.first { !$0.isEmpty }
    }

    /// No model reads or writes more in one call.
    static let mostTokens = 100_000_000

    /// `nil` for `null`, nothing, and anything that is no usage, such as numbers below nothing or beyond all measure.
    static func usage(_ json: JSONValue?) -> ChatUsage? {
        guard let json, let completion = tokens(json["completion_tokens"]) else { return nil }
        let hit = tokens(json["prompt_cache_hit_tokens"]) ?? tokens(json["prompt_tokens_details"]?["cached_tokens"]) ?? 0
        let prompt: Int
        if let told = json["prompt_tokens"], !told.isNull {
            guard let counted = tokens(told) else { return nil }
            prompt = counted
        } else {
            prompt = hit + (tokens(json["prompt_cache_miss_tokens"]) ?? 0)
        }
        return ChatUsage(
            promptTokens: prompt, cachedPromptTokens: min(hit, prompt), completionTokens: completion, isEstimated: false)
    }

    static func tokens(_ json: JSONValue?) -> Int? { json?.int.flatMap { (0...mostTokens).contains($0) ? $0 : nil } }

    /// A rule of thumb for where the vendor does not count: four UTF-8 bytes make a token.
    static func estimatedTokens(_ text: String) -> Int { (text.utf8.count + 3) / 4 }

    /// - Parameter hidden: bytes of reasoning, which is billed as if it were said.
    static func estimatedTokens(_ content: String, _ toolCalls: [ChatAnswer.ToolCall], hidden: Int) -> Int {
        (content.utf8.count + toolCalls.reduce(hidden) { $0 + $1.arguments.utf8.count } + 3) / 4
    }
}

/// What counts as an answer; the same for streamed and whole ones.
struct AnswerRules: Sendable {
    /// See ``ChatRequest/isRelayed``.
    let isRelayed: Bool
    let offersTools: Bool
    /// See ``ChatRequest/thinks``.
    var thinks = false

    /// For texts that this service writes itself: whole, and words only.
    static let own = AnswerRules(isRelayed: false, offersTools: false)

    func judge(
        content: String, toolCalls: [ChatAnswer.ToolCall], refusal: String?, finish: String?, model: String, usage: ChatUsage?,
        hidden: Int = 0
    ) throws(ChatFailure) -> ChatAnswer {
        let refusal = refusal.flatMap { $0.isEmpty ? nil : $0 }
        switch finish {
        case "stop": break
        case "tool_calls" where offersTools && !toolCalls.isEmpty: break
        case "length" where isRelayed, "content_filter" where isRelayed: break
        case "length":
            throw ChatFailure(.length, .nextRoute, .ignore, message: "finish_reason length: the answer is cut", usage: usage)
        case "content_filter":
            throw ChatFailure(.policy, .stop, .ignore, message: "finish_reason content_filter", usage: usage)
        case "insufficient_system_resource":
            throw ChatFailure(
                .serverError, .retry(after: nil), .count, message: "finish_reason insufficient_system_resource", usage: usage)
        case nil:
            throw ChatFailure(
                .truncated, .retry(after: nil), .count, message: "the answer ended without a finish_reason", usage: usage)
        case let other?:
            // Also `tool_calls` where no tool was offered, or none is called.
            throw ChatFailure(
                .unknownFinish, .nextRoute, .count, message: "finish_reason \(other.prefix(40))", usage: usage)
        }
        if !toolCalls.isEmpty, !offersTools {
            throw ChatFailure(.unknownFinish, .nextRoute, .count, message: "tools are called that nobody offered", usage: usage)
        }
        if refusal != nil, !isRelayed {
            throw ChatFailure(.policy, .stop, .ignore, message: "the model refused", usage: usage)
        }
        // Whoever is told why an answer is empty may get it.
        let isExplained = !toolCalls.isEmpty || refusal != nil || finish != "stop"
        guard isExplained || content.contains(where: { !$0.isWhitespace }) else {
            throw ChatFailure(.blank, .retry(after: nil), .count, message: "blank content with finish_reason stop", usage: usage)
        }
        return ChatAnswer(
            content: content, model: model,
            usage: usage
                ?? ChatUsage(
                    promptTokens: 0, cachedPromptTokens: 0,
                    completionTokens: ChatWire.estimatedTokens(content + (refusal ?? ""), toolCalls, hidden: hidden),
                    isEstimated: true),
            // Some vendors say `stop` where a tool was forced.
            finish: toolCalls.isEmpty ? finish ?? "stop" : finish == "stop" ? "tool_calls" : finish ?? "stop",
            toolCalls: toolCalls, refusal: refusal)
    }
}
