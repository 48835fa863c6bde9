import FoundationEssentials
import HTTPCore
import Observability

/// Answers as OpenAI writes them (openapi 2.3.0: `CreateChatCompletionResponse`, `CreateChatCompletionStreamResponse`). Beside its members
/// there are `provider`, `degraded` and `degraded_reason`, and in `usage` the cost; its SDKs pass over members that they do not know.
struct ConversationWire: Sendable {
    private let id: String
    private let created: Int
    private let includesUsage: Bool
    /// `data: {"id":…,"model":"…","choices":[{"index":0,"delta":` – the same for every chunk of a stream.
    private var opening: [UInt8] = []
    private var closing: [UInt8] = []

    init(id: UUID, includesUsage: Bool, created: Int = Int(Date().timeIntervalSince1970)) {
        self.id = "chatcmpl-" + id.text.filter { $0 != "-" }
        self.created = created
        self.includesUsage = includesUsage
    }

    // MARK: Whole

    func whole(_ answer: Conversation.Answer) -> JSONValue {
        var message: JSONObject = JSONObject()
        let chat = answer.answer
        message["role"] = "assistant"
        message["content"] = chat.content.isEmpty && !chat.toolCalls.isEmpty ? .null : .string(chat.content)
        if let thoughts = chat.thoughts { message["reasoning_content"] = .string(thoughts) }
        message["refusal"] = chat.refusal.map { .string($0) } ?? .null
        if !chat.toolCalls.isEmpty { message["tool_calls"] = .array(chat.toolCalls.map(Self.call)) }
        var body = head("chat.completion", model: chat.model)
        body["choices"] = [
            ["index": 0, "message": .object(message), "logprobs": nil, "finish_reason": .string(chat.finish)]
        ]
        body["usage"] = Self.usage(answer)
        add(answer, to: &body)
        return .object(body)
    }

    private func head(_ object: String, model: String) -> JSONObject {
        var body = JSONObject()
        body["id"] = .string(id)
        body["object"] = .string(object)
        body["created"] = .number(String(created))
        body["model"] = .string(model)
        return body
    }

    private func add(_ answer: Conversation.Answer, to body: inout JSONObject) {
        body["provider"] = .string(answer.provider)
        guard answer.isDegraded else { return }
        body["degraded"] = true
        body["degraded_reason"] = answer.reason.map { .string($0) } ?? .null
    }

    private static func call(_ call: ChatAnswer.ToolCall) -> JSONValue {
        [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
        ]
    }

    private static func usage(_ answer: Conversation.Answer) -> JSONValue {
        let usage = answer.usage
        return [
            "prompt_tokens": .number(String(usage.promptTokens)), "completion_tokens": .number(String(usage.completionTokens)),
            "total_tokens": .number(String(usage.promptTokens + usage.completionTokens)),
            "prompt_tokens_details": ["cached_tokens": .number(String(usage.cachedPromptTokens))],
            "cost_nano": .string(String(answer.costNano)), "currency": .string(answer.currency),
        ]
    }

    // MARK: Streamed

    /// The chunk before all others.
    mutating func beginning(model: String) -> [UInt8] {
        var body = head("chat.completion.chunk", model: model)
        body["system_fingerprint"] = .null
        var start = JSONValue.object(body).encode()
        start.removeLast()
        opening = Array("data: ".utf8) + start + Array(#","choices":[{"index":0,"delta":"#.utf8)
        closing = Array((#","logprobs":null,"finish_reason":null}]"# + (includesUsage ? #","usage":null}"# : "}") + "\n\n").utf8)
        return opening + Array(#"{"role":"assistant","content":"","refusal":null}"#.utf8) + closing
    }

    func delta(_ text: String) -> [UInt8] { delta(#"{"content":"#, text) }

    /// DeepSeek's member; OpenAI keeps its models' thoughts.
    func thought(_ text: String) -> [UInt8] { delta(#"{"reasoning_content":"#, text) }

    private func delta(_ member: String, _ text: String) -> [UInt8] {
        var bytes = opening
        bytes.reserveCapacity(opening.count + text.utf8.count + closing.count + 32)
        bytes.append(contentsOf: member.utf8)
        bytes.append(contentsOf: JSONValue.string(text).encode())
        bytes.append(UInt8(ascii: "}"))
        bytes.append(contentsOf: closing)
        return bytes
    }

    /// What is left to say once the answer is whole: calls of tools, a refusal, the finish reason, usage if it was asked for, and the end.
    func ending(_ answer: Conversation.Answer) -> [UInt8] {
        let chat = answer.answer
        var bytes: [UInt8] = []
        if let refusal = chat.refusal { bytes += chunk(delta: ["refusal": .string(refusal)], finish: .null, chat.model) }
        if !chat.toolCalls.isEmpty {
            let calls = chat.toolCalls.enumerated().map { index, call in
                var object: JSONObject = Self.call(call).object ?? JSONObject()
                object["index"] = .number(String(index))
                return JSONValue.object(object)
            }
            bytes += chunk(delta: ["tool_calls": .array(calls)], finish: .null, chat.model)
        }
        bytes += chunk(delta: [:], finish: .string(chat.finish), chat.model, answer)
        if includesUsage {
            var body = head("chat.completion.chunk", model: chat.model)
            body["choices"] = []
            body["usage"] = Self.usage(answer)
            bytes += Self.event(.object(body))
        }
        return bytes + Array("data: [DONE]\n\n".utf8)
    }

    private func chunk(
        delta: JSONValue, finish: JSONValue, _ model: String, _ answer: Conversation.Answer? = nil
    ) -> [UInt8] {
        var body = head("chat.completion.chunk", model: model)
        body["choices"] = [["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish]]
        if includesUsage { body["usage"] = .null }
        if let answer { add(answer, to: &body) }
        return Self.event(.object(body))
    }

    /// The event that ends a stream which broke off; nothing follows it.
    static func failure(message: String, type: String, code: String) -> [UInt8] {
        event(["error": ["message": .string(message), "type": .string(type), "param": nil, "code": .string(code)]])
    }

    private static func event(_ json: JSONValue) -> [UInt8] { Array("data: ".utf8) + json.encode() + Array("\n\n".utf8) }
}
