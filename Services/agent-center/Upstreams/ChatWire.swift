import HTTPCore

/// How one vendor speaks the "OpenAI-compatible" chat protocol. The differences are those of OpenAI's specification (2.3.0) and
/// DeepSeek's documentation (October 2026).
struct ChatProfile: Sendable, Equatable {
    enum Vendor: String, Sendable, CaseIterable {
        case openai
        case deepseek
    }

    enum StructuredOutput: Sendable {
        /// `response_format: json_schema`, strict.
        case schema
        /// `response_format: json_object`; the schema is told in the instructions.
        case object
    }

    let vendor: Vendor
    let maxTokensField: String
    let structuredOutput: StructuredOutput
    let instructionsRole: String
    let customerField: String
    let sendsTemperature: Bool
    /// DeepSeek's models think by default, which costs tokens and time and switches `temperature` off.
    let switchesThinkingOff: Bool

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
            switchesThinkingOff = false
        case .deepseek:
            maxTokensField = "max_tokens"
            structuredOutput = .object
            instructionsRole = "system"
            customerField = "user_id"
            sendsTemperature = true
            switchesThinkingOff = true
        }
    }
}

/// Bodies of `POST …/chat/completions`. Pure.
enum ChatWire {
    static func body(_ request: ChatRequest, model: String, profile: ChatProfile, streamed: Bool) -> [UInt8] {
        var body = JSONObject()
        body["model"] = .string(model)
        body["messages"] = .array(
            request.messages.map { message in
                let role = message.role == .instructions ? profile.instructionsRole : message.role.rawValue
                return ["role": .string(role), "content": .string(message.content)]
            })
        body[profile.maxTokensField] = .number(String(request.maxTokens))
        if let temperature = request.temperature, profile.sendsTemperature {
            body["temperature"] = .number(temperature.description)
        }
        if let topP = request.topP, profile.sendsTemperature { body["top_p"] = .number(topP.description) }
        switch (request.answerSchema, profile.structuredOutput) {
        case (let schema?, .schema):
            body["response_format"] = [
                "type": "json_schema",
                "json_schema": ["name": .string(schema.name), "strict": true, "schema": schema.schema],
            ]
        case (_?, .object):
            body["response_format"] = ["type": "json_object"]
        case (nil, _): break
        }
        if profile.switchesThinkingOff { body["thinking"] = ["type": "disabled"] }
        if let customer = request.customer { body[profile.customerField] = .string(customer) }
        if streamed {
            body["stream"] = true
            body["stream_options"] = ["include_usage": true]
        }
        return JSONValue.object(body).encode()
    }

    /// Reads a whole answer. White space before the JSON is DeepSeek's keep-alive.
    static func answer(from bytes: [UInt8], askedModel: String) throws(ChatFailure) -> ChatAnswer {
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
        return try finished(
            content: message["content"]?.string ?? "", refusal: message["refusal"]?.string,
            finish: choice["finish_reason"]?.string,
            model: json["model"]?.string ?? askedModel, usage: usage(json["usage"]))
    }

    /// The rules that streamed and whole answers share: what counts as an answer.
    static func finished(
        content: String, refusal: String?, finish: String?, model: String, usage: ChatUsage?
    ) throws(ChatFailure) -> ChatAnswer {
        switch finish {
        case "stop":
            break
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
            // Tools were not offered, so `tool_calls` is as foreign here as a word never heard of.
            throw ChatFailure(
                .unknownFinish, .nextRoute, .count, message: "finish_reason \(other.prefix(40))", usage: usage)
        }
        if let refusal, !refusal.isEmpty {
            throw ChatFailure(.policy, .stop, .ignore, message: "the model refused", usage: usage)
        }
        guard content.contains(where: { !$0.isWhitespace }) else {
            throw ChatFailure(.blank, .retry(after: nil), .count, message: "blank content with finish_reason stop", usage: usage)
        }
        return ChatAnswer(
            content: content, model: model,
            usage: usage
                ?? ChatUsage(
                    promptTokens: 0, cachedPromptTokens: 0, completionTokens: estimatedTokens(content), isEstimated: true))
    }

    /// `nil` for `null`, nothing, and anything that is no usage.
    static func usage(_ json: JSONValue?) -> ChatUsage? {
        guard let json, let completion = json["completion_tokens"]?.int else { return nil }
        let hit = json["prompt_cache_hit_tokens"]?.int ?? json["prompt_tokens_details"]?["cached_tokens"]?.int ?? 0
        let prompt = json["prompt_tokens"]?.int ?? hit + (json["prompt_cache_miss_tokens"]?.int ?? 0)
        guard prompt >= 0, completion >= 0 else { return nil }
        return ChatUsage(
            promptTokens: prompt, cachedPromptTokens: max(0, min(hit, prompt)), completionTokens: completion, isEstimated: false)
    }

    /// A rule of thumb for where the vendor does not count: four UTF-8 bytes make a token.
    static func estimatedTokens(_ text: String) -> Int { (text.utf8.count + 3) / 4 }
}

/// Puts a streamed answer together, event by event. Pure: bytes, clocks and sockets are others' business.
struct ChatStreamDecoder: Sendable {
    private let askedModel: String
    private var content = ""
    private var refusal = ""
    private var finish: String?
    private var model: String?
    private var usage: ChatUsage?
    /// The sentinel has come; nothing after it counts.
    private(set) var isDone = false
    /// The model has begun to write (or to think). Keep-alive comments do not count.
    private(set) var hasBegun = false

    init(askedModel: String) { self.askedModel = askedModel }

    mutating func feed(_ data: String) throws(ChatFailure) {
        guard !isDone else { return }
        if data.hasPrefix("[DONE]") {
            isDone = true
            return
        }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: Array(data.utf8))
        } catch {
            throw ChatFailure(
                .malformed, .retry(after: nil), .count, message: "a chunk is not JSON: \(error.reason.rawValue)", usage: usage)
        }
        if let inBand = json["error"], !inBand.isNull { throw ChatFailure.inBand(inBand, usage: usage) }
        if let name = json["model"]?.string, !name.isEmpty { model = name }
        // OpenAI sends usage in a chunk of its own without choices, DeepSeek on the last choice: the last one that is there
        // counts.
        if let counted = ChatWire.usage(json["usage"]) { usage = counted }
        guard let choice = json["choices"]?[0] else { return }
        let delta = choice["delta"]
        if let text = delta?["content"]?.string, !text.isEmpty {
            content += text
            hasBegun = true
        }
        if let text = delta?["reasoning_content"]?.string, !text.isEmpty { hasBegun = true }
        if let text = delta?["refusal"]?.string { refusal += text }
        // A vendor that says it twice has not changed its mind: the first counts.
        if let reason = choice["finish_reason"]?.string, finish == nil { finish = reason }
    }

    /// The answer once the stream has ended, with or without the sentinel: a finish reason is what makes it whole.
    func finished() throws(ChatFailure) -> ChatAnswer {
        try ChatWire.finished(
            content: content, refusal: refusal.isEmpty ? nil : refusal, finish: finish, model: model ?? askedModel, usage: usage)
    }

    /// The failure for a stream that broke, with what it had used.
    func broken(_ failure: ChatFailure) -> ChatFailure {
        var failure = failure
        failure.usage =
            usage
            ?? (content.isEmpty
                ? nil
                : ChatUsage(
                    promptTokens: 0, cachedPromptTokens: 0, completionTokens: ChatWire.estimatedTokens(content), isEstimated: true
                ))
        return failure
    }
}
