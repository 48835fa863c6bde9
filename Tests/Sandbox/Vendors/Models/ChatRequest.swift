/// Which vendor's manners a base path has.
enum Dialect: String, Sendable {
    case openAI = "openai"
    case deepSeek = "deepseek"
}

/// The parts of `POST …/chat/completions` that shape the answer.
struct ChatRequest: Sendable {
    enum Format: Sendable {
        case text, jsonObject
        case jsonSchema(JSON)
    }

    var json: JSON
    var model: String
    var messages: [JSON]
    var streams: Bool
    var includesUsage: Bool
    var includesObfuscation: Bool
    var format: Format
    var tools: [JSON]
    var maxTokens: Int?
    var choices: Int
    var thinks: Bool

    init(_ json: JSON, dialect: Dialect) {
        self.json = json
        model = json["model"]?.string ?? ""
        messages = json["messages"]?.array ?? []
        streams = json["stream"]?.bool ?? false
        includesUsage = json["stream_options"]?["include_usage"]?.bool ?? false
        includesObfuscation = dialect == .openAI && json["stream_options"]?["include_obfuscation"]?.bool ?? true
        let isToolFree = json["tool_choice"]?.string == "none"
        tools = isToolFree ? [] : json["tools"]?.array ?? []
        maxTokens = (json["max_completion_tokens"] ?? json["max_tokens"])?.int
        choices = dialect == .openAI ? json["n"]?.int ?? 1 : 1
        thinks = dialect == .deepSeek && json["thinking"]?["type"]?.string != "disabled"
        switch json["response_format"]?["type"]?.string {
        case "json_object": format = .jsonObject
        case "json_schema": format = .jsonSchema(json["response_format"]?["json_schema"]?["schema"] ?? .make([:]))
        default: format = .text
        }
    }

    static func text(of message: JSON) -> String {
        if let text = message["content"]?.string { return text }
        return (message["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
    }

    var lastUserText: String { messages.last { $0["role"]?.string == "user" }.map(Self.text) ?? "" }

    /// The contents of all messages, counted as the sandbox counts.
    var promptTokens: Int { tokenCount(bytes: messages.reduce(0) { $0 + Self.text(of: $1).utf8.count }) }

    var mentionsJSON: Bool { messages.contains { Self.text(of: $0).lowercased().contains("json") } }

    // MARK: What the vendors refuse

    func refusal(dialect: Dialect) -> Answer? {
        guard case .object = json else { return ErrorAnswers.invalid("We could not parse the JSON body of your request.") }
        guard !model.isEmpty else { return ErrorAnswers.invalid("you must provide a model parameter", param: "model") }
        guard !messages.isEmpty else { return ErrorAnswers.invalid("'messages' must have at least one item.", param: "messages") }
        let roles = ["developer", "system", "user", "assistant", "tool", "function"]
        guard messages.allSatisfy({ roles.contains($0["role"]?.string ?? "") }) else {
            return ErrorAnswers.invalid("Invalid value for 'role'.", param: "messages")
        }
        guard (0...2).contains(json["temperature"]?.double ?? 1), (0...1).contains(json["top_p"]?.double ?? 1) else {
            return ErrorAnswers.invalid("temperature or top_p is out of range", param: "temperature")
        }
        return dialect == .openAI ? openAIRefusal : deepSeekRefusal
    }

    private var openAIRefusal: Answer? {
        let families = ["gpt-", "chatgpt-", "o1", "o3", "o4", "sandbox-", "fault:"]
        guard families.contains(where: { model.hasPrefix($0) }) else {
            return ErrorAnswers.invalid(
                "The model `\(model)` does not exist or you do not have access to it.", param: "model", code: "model_not_found",
                status: 404)
        }
        if json["stream_options"]?.members != nil, !streams {
            return ErrorAnswers.invalid(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: "stream_options")
        }
        if json["max_tokens"]?.int != nil, ["o1", "o3", "o4"].contains(where: { model.hasPrefix($0) }) {
            return ErrorAnswers.invalid(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                param: "max_tokens", code: "unsupported_parameter")
        }
        guard (1...128).contains(choices) else { return ErrorAnswers.invalid("'n' must be between 1 and 128.", param: "n") }
        switch format {
        case .jsonObject where !mentionsJSON:
            return ErrorAnswers.invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                param: "messages")
        case .jsonSchema(let schema) where json["response_format"]?["json_schema"]?["strict"]?.bool == true:
            guard Self.isStrict(schema) else {
                return ErrorAnswers.invalid(
                    "Invalid schema for response_format: 'additionalProperties' is required to be false and 'required' to include "
                        + "every key in properties.", param: "response_format")
            }
        default: break
        }
        return nil
    }

    private var deepSeekRefusal: Answer? {
        if ["deepseek-chat", "deepseek-reasoner"].contains(model) {
            return ErrorAnswers.invalid(
                "The supported API model names are deepseek-v4-pro or deepseek-v4-flash, but you passed \(model).")
        }
        guard ["deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"].contains(model) || model.hasPrefix("fault:") else {
            return ErrorAnswers.invalid("Model Not Exist", code: "invalid_request_error")
        }
        if case .jsonSchema = format { return ErrorAnswers.invalid("This response_format type is unavailable now") }
        if tools.contains(where: { $0["type"]?.string != "function" }) {
            return ErrorAnswers.invalid("tools[0].type: unknown variant, expected `function`", status: 422)
        }
        let forgotten = messages.contains { message in
            message["role"]?.string == "assistant" && (message["reasoning_content"]?.string ?? "").isEmpty
        }
        if thinks, !tools.isEmpty, forgotten {
            return ErrorAnswers.answer(for: .missingReasoningContent, parameters: FaultParameters(.null))
        }
        return nil
    }

    /// OpenAI's rule for strict schemas: every object closed, every property required.
    private static func isStrict(_ schema: JSON) -> Bool {
        if let properties = schema["properties"]?.members {
            let required = schema["required"]?.array?.compactMap(\.string) ?? []
            guard schema["additionalProperties"]?.bool == false, properties.allSatisfy({ required.contains($0.name) }),
                properties.allSatisfy({ isStrict($0.value) })
            else { return false }
        }
        return schema["items"].map(isStrict) ?? true
    }
}
