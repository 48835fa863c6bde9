import FoundationEssentials
import HTTPCore

/// A request of OpenAI's chat completions (openapi 2.3.0, `CreateChatCompletionRequest`) as it is taken here. What cannot be honoured is
/// refused rather than ignored, except where ignoring it changes nothing that the caller would see.
struct ConversationInput: Sendable {
    /// Where the caller names no limit, in tokens; it bounds what a call can cost.
    static let defaultMaxTokens = 4_096
    static let mostTokens = 65_536
    /// How hard a model may be asked to think, from not at all on.
    static let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]

    var model: String
    var question: ChatRequest
    var needs: Set<ModelCapability>
    /// See ``ModelCall/parameters``.
    var parameters: Set<String>
    /// See ``ConversationLanguage``.
    var language: String
    var isStreamed: Bool
    /// Whether the stream ends with a chunk of usage.
    var includesUsage: Bool
    /// The caller's name for its end customer, if it has one.
    var user: String?

    /// The model's name asks for thinking; what the request says itself counts more.
    mutating func thinkUnlessToldNotTo() {
        guard question.effort == nil else { return }
        question.thinks = true
        needs.insert(.thinking)
    }

    /// - Throws: `ValidationFailure` with every refusal.
    static func read(_ json: JSONValue) throws -> ConversationInput {
        var reader = ConversationReader(json)
        let input = reader.input()
        var issues = reader.issues
        do {
            try reader.fields.finish()
        } catch let failure as ValidationFailure {
            issues += failure.issues
        }
        guard issues.isEmpty else { throw ValidationFailure(issues) }
        return input
    }
}

/// Reads member by member; refusals are collected.
struct ConversationReader {
    var fields: FieldReader
    /// What is wrong inside messages.
    private(set) var issues: [FieldIssue] = []
    private var request = ChatRequest(messages: [], maxTokens: ConversationInput.defaultMaxTokens, isRelayed: true)
    private var needs: Set<ModelCapability> = []

    /// Sent on to vendors that take them; with the kinds they may be of.
    private static let extras: [(name: String, kinds: Set<String>)] = [
        ("seed", ["number"]), ("frequency_penalty", ["number"]), ("presence_penalty", ["number"]), ("logit_bias", ["object"]),
        ("verbosity", ["string"]), ("prompt_cache_key", ["string"]),
    ]
    /// Without a hint about caches an answer is the same; without any other of them it is not, and only vendors that take it are asked.
    private static let unbinding: Set = ["prompt_cache_key"]
    /// Taken, and without effect here: nothing is stored at the vendor, and the tier is the vendor's ordinary one.
    private static let withoutEffect = ["prompt_cache_retention", "service_tier", "store"]

    /// `null` says the same as leaving a member out.
    init(_ json: JSONValue) {
        guard case .object(var object) = json else {
            fields = FieldReader(json)
            return
        }
        for (name, value) in object where value.isNull { object[name] = nil }
        fields = FieldReader(.object(object))
    }

    mutating func input() -> ConversationInput {
        let model = fields.text("model", length: ModelNames.length)
        readMessages()
        readLimits()
        readTools()
        readFormat()
        readStop()
        for (name, kinds) in Self.extras {
            guard let value = fields.value(name) else { continue }
            if kinds.contains(value.kind) { request.extras[name] = value } else { refuseKind(name, kinds.sorted().joined()) }
        }
        readEffort()
        for name in Self.withoutEffect { _ = fields.value(name) }
        refuseUnserved()
        let isStreamed = fields.bool("stream", default: false)
        var includesUsage = false
        let hasOptions = fields.optionalObject("stream_options") { options in
            includesUsage = options.bool("include_usage", default: false)
            _ = options.bool("include_obfuscation", default: false)
            return true
        }
        if hasOptions == true, !isStreamed {
            fields.refuse(
                "stream_options", code: "needs_stream", zh: "仅在 stream 为 true 时可用", en: "is only allowed when stream is true")
        }
        let user = fields.optionalText("safety_identifier", length: 1...512) ?? fields.optionalText("user", length: 1...512)
        _ = fields.value("user")
        return ConversationInput(
            model: model, question: request, needs: needs,
            parameters: Set(request.extras.names).subtracting(Self.unbinding),
            language: ConversationLanguage.of(request.messages, metadata: fields.value("metadata")), isStreamed: isStreamed,
            includesUsage: includesUsage, user: user)
    }

    private mutating func readEffort() {
        guard let value = fields.value("reasoning_effort") else { return }
        guard let effort = value.string, ConversationInput.efforts.contains(effort) else {
            let known = ConversationInput.efforts.joined(separator: ", ")
            return fields.refuse(
                "reasoning_effort", code: "unknown_value", zh: "应为以下之一：\(known)", en: "must be one of \(known)")
        }
        request.effort = effort
        request.thinks = effort != "none"
        if request.thinks { needs.insert(.thinking) }
    }

    private mutating func refuseKind(_ name: String, _ kind: String) {
        let words = ["number": "数字", "object": "对象", "string": "字符串", "array": "数组", "boolean": "布尔值"]
        fields.refuse(name, code: "wrong_type", zh: "应为\(words[kind] ?? kind)", en: "must be of type \(kind)")
    }

    // MARK: Messages

    private mutating func readMessages() {
        guard let value = fields.value("messages") else {
            return fields.refuse("messages", code: "required", zh: "必填", en: "is required")
        }
        guard let messages = value.array else { return refuseKind("messages", "array") }
        guard (1...2_000).contains(messages.count) else {
            return fields.refuse("messages", code: "out_of_range", zh: "应有 1 到 2000 条", en: "must have 1 to 2000 items")
        }
        for (index, message) in messages.enumerated() {
            var parts = MessageReader(message)
            if let problem = parts.read() {
                issues.append(
                    FieldIssue(
                        pointer: "/messages/\(index)\(problem.at)", code: "invalid_message",
                        message: LocalizedText(zh: problem.zh, en: problem.en)))
            } else {
                request.messages.append(.init(role: parts.role, content: parts.text, raw: parts.raw))
                request.pictures += parts.pictures
                request.bytesBesideText += parts.bytesBesideText
            }
        }
        if request.pictures > 0 { needs.insert(.vision) }
    }

    // MARK: Sampling

    private mutating func readLimits() {
        request.temperature = fields.optionalNumber("temperature", in: 0...2)
        request.topP = fields.optionalNumber("top_p", in: 0...1)
        let limit = 1...ConversationInput.mostTokens
        let newer = fields.optionalInteger("max_completion_tokens", in: limit)
        let older = fields.optionalInteger("max_tokens", in: limit)
        request.maxTokens = newer ?? older ?? ConversationInput.defaultMaxTokens
        if let count = fields.value("n"), count.int != 1 {
            fields.refuse("n", code: "unsupported_value", zh: "仅支持 1", en: "only 1 is supported")
        }
    }

    private mutating func readStop() {
        switch fields.value("stop") {
        case nil: break
        case .string(let text)?: request.stop = [text]
        case .array(let items)? where items.count <= 4 && items.allSatisfy({ $0.string != nil }):
            request.stop = items.compactMap(\.string)
        case _?: fields.refuse("stop", code: "wrong_type", zh: "应为字符串或至多 4 个字符串", en: "must be a string or up to 4 strings")
        }
    }

    // MARK: Tools

    private mutating func readTools() {
        guard let value = fields.value("tools") else {
            for name in ["tool_choice", "parallel_tool_calls"] where fields.value(name) != nil {
                guard name == "parallel_tool_calls" || fields.value(name) != "none" else { continue }
                fields.refuse(name, code: "needs_tools", zh: "需要同时给出 tools", en: "is only allowed with tools")
            }
            return
        }
        guard let tools = value.array, tools.count <= 128 else {
            return fields.refuse("tools", code: "wrong_type", zh: "应为至多 128 项的数组", en: "must be an array of at most 128 items")
        }
        for (index, tool) in tools.enumerated() {
            let name = tool["function"]?["name"]?.string ?? ""
            let parameters = tool["function"]?["parameters"]
            if tool["type"]?.string != "function" {
                fields.refuse(
                    "tools", item: index, code: "unsupported_value", zh: "仅支持 function 工具",
                    en: "only function tools are supported")
            } else if !ConversationReader.isName(name) {
                fields.refuse(
                    "tools", item: index, code: "malformed", zh: "function.name 应为 1–64 个字母、数字、_ 或 -",
                    en: "function.name must be 1–64 letters, digits, _ or -")
            } else if parameters.map({ $0.object == nil }) == true {
                fields.refuse("tools", item: index, code: "wrong_type", zh: "parameters 应为对象", en: "parameters must be an object")
            } else if let parameters, tool["function"]?["strict"]?.bool == true, !JSONSchema(parameters).isCheckable {
                refuseUncheckable("tools", item: index)
            }
        }
        guard !tools.isEmpty else { return }
        request.tools = tools
        request.bytesBesideText += JSONValue.array(tools).encode().count
        request.parallelToolCalls =
            fields.value("parallel_tool_calls") == nil ? nil : fields.bool("parallel_tool_calls", default: true)
        needs.insert(.tools)
        readToolChoice(tools)
    }

    private mutating func readToolChoice(_ tools: [JSONValue]) {
        switch fields.value("tool_choice") {
        case nil: break
        case .string(let word)? where ["none", "auto", "required"].contains(word): request.toolChoice = .string(word)
        case .object(let choice)?
        where choice["type"]?.string == "function"
            && tools.contains { $0["function"]?["name"]?.string == choice["function"]?["name"]?.string }:
            request.toolChoice = .object(choice)
            request.bytesBesideText += JSONValue.object(choice).encode().count
        case _?:
            fields.refuse(
                "tool_choice", code: "unknown_value", zh: "应为 none、auto、required 或 tools 中的一个函数",
                en: "must be none, auto, required, or a function that stands in tools")
        }
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }

    // MARK: The answer's form

    private mutating func readFormat() {
        guard let format = fields.value("response_format") else { return }
        switch format["type"]?.string {
        case "text": break
        case "json_object":
            request.wantsObject = true
            // The vendors' own rule: without the word a model may write white space until its limit.
            if !request.messages.contains(where: { $0.content.lowercased().contains("json") }) {
                fields.refuse(
                    "messages", code: "json_not_mentioned", zh: "使用 json_object 时消息中必须出现 json 一词",
                    en: "must contain the word 'json' in some form, to use 'response_format' of type 'json_object'")
            }
        case "json_schema":
            let wanted = format["json_schema"]
            guard let name = wanted?["name"]?.string, Self.isName(name), let schema = wanted?["schema"], schema.object != nil
            else {
                return fields.refuse(
                    "response_format", code: "malformed", zh: "json_schema 需要 name 与 schema",
                    en: "json_schema needs a name and a schema")
            }
            let isStrict = wanted?["strict"]?.bool ?? false
            guard !isStrict || JSONSchema(schema).isCheckable else { return refuseUncheckable("response_format") }
            request.answerSchema = AnswerSchema(name: name, schema: schema, isStrict: isStrict)
            request.bytesBesideText += schema.encode().count
        default:
            fields.refuse(
                "response_format", code: "unknown_value", zh: "type 应为 text、json_object 或 json_schema",
                en: "type must be text, json_object or json_schema")
        }
    }

    private mutating func refuseUncheckable(_ name: String, item: Int? = nil) {
        let zh = "schema 的引用成环，或分支相乘过多，无法检查"
        let en = "the schema's references form a circle, or its branches multiply too far to be checked"
        if let item {
            fields.refuse(name, item: item, code: "too_complex", zh: zh, en: en)
        } else {
            fields.refuse(name, code: "too_complex", zh: zh, en: en)
        }
    }

    private mutating func refuseUnserved() {
        if fields.bool("logprobs", default: false) {
            fields.refuse("logprobs", code: "unsupported_value", zh: "不支持", en: "is not supported")
        }
        if let modalities = fields.value("modalities"), modalities != ["text"] {
            fields.refuse("modalities", code: "unsupported_value", zh: "仅支持 text", en: "only text is supported")
        }
        for name in ["top_logprobs", "functions", "function_call", "audio", "prediction", "web_search_options"]
        where fields.value(name) != nil {
            fields.refuse(name, code: "unsupported_parameter", zh: "不支持这个参数", en: "is not supported")
        }
    }
}

/// Reads one message of a conversation. The message is kept as it came; only what the service must know is looked at.
struct MessageReader {
    struct Problem {
        /// Where inside the message, as the end of a JSON pointer.
        var at = ""
        let zh: String
        let en: String
    }

    private let message: JSONValue
    private(set) var role = ChatRequest.Message.Role.user
    private(set) var text = ""
    private(set) var pictures = 0
    private(set) var bytesBesideText = 0
    private(set) var raw: JSONObject?

    init(_ message: JSONValue) { self.message = message }

    mutating func read() -> Problem? {
        guard let object = message.object else { return Problem(zh: "应为对象", en: "must be an object") }
        raw = object
        switch object["role"]?.string {
        case "system", "developer": role = .instructions
        case "user": role = .user
        case "assistant": role = .assistant
        case "tool": role = .tool
        default:
            return Problem(
                at: "/role", zh: "role 应为 developer、system、user、assistant 或 tool",
                en: "role must be developer, system, user, assistant or tool")
        }
        if role == .tool, object["tool_call_id"]?.string == nil {
            return Problem(at: "/tool_call_id", zh: "tool 消息需要 tool_call_id", en: "a tool message needs tool_call_id")
        }
        if let calls = object["tool_calls"], !calls.isNull {
            guard role == .assistant, calls.array != nil else {
                return Problem(
                    at: "/tool_calls", zh: "tool_calls 只属于 assistant 消息", en: "tool_calls belong to assistant messages")
            }
            bytesBesideText += calls.encode().count
        }
        // Whatever else the message has goes to the vendor as it came: `name`, `refusal`, `reasoning_content`.
        bytesBesideText += Self.bytes(of: object, besides: ["role", "content", "tool_calls"])
        switch object["content"] {
        case .string(let content)?: text = content
        case .array(let parts)?: return read(parts)
        case nil, .null?:
            guard role == .assistant, object["tool_calls"]?.array?.isEmpty == false || object["refusal"]?.string != nil else {
                return Problem(at: "/content", zh: "缺少 content", en: "content is required")
            }
        case _?: return Problem(at: "/content", zh: "content 应为字符串或数组", en: "content must be a string or an array")
        }
        return nil
    }

    private mutating func read(_ parts: [JSONValue]) -> Problem? {
        guard !parts.isEmpty else {
            return Problem(at: "/content", zh: "content 不能为空数组", en: "content must not be an empty array")
        }
        var texts: [String] = []
        for part in parts {
            // So does whatever else a part has: `cache_control`, `annotations`.
            let type = part["type"]?.string
            bytesBesideText += Self.bytes(of: part.object, besides: ["type", type ?? ""])
            switch type {
            case "text":
                guard let text = part["text"]?.string else {
                    return Problem(at: "/content", zh: "text 部分缺少 text", en: "a text part needs text")
                }
                texts.append(text)
            case "refusal" where role == .assistant:
                guard let refusal = part["refusal"]?.string else {
                    return Problem(at: "/content", zh: "refusal 部分缺少 refusal", en: "a refusal part needs a refusal")
                }
                texts.append(refusal)
            case "image_url" where role == .user:
                guard part["image_url"]?["url"]?.string != nil else {
                    return Problem(at: "/content", zh: "image_url 部分缺少 url", en: "an image_url part needs a url")
                }
                pictures += 1
                bytesBesideText += Self.bytes(of: part["image_url"]?.object, besides: ["url"])
            default:
                return Problem(
                    at: "/content", zh: "不支持的 content 部分", en: "a content part is of a type that is not supported here")
            }
        }
        text = texts.joined(separator: "\n")
        return nil
    }

    /// What the members beside those that are counted for themselves may cost: names and values as they are sent.
    private static func bytes(of object: JSONObject?, besides counted: Set<String>) -> Int {
        guard let object else { return 0 }
        return object.reduce(0) { sum, member in
            sum + (counted.contains(member.name) ? 0 : member.name.utf8.count + member.value.encode().count)
        }
    }
}
