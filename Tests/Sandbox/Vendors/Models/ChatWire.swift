/// Writes a ``ChatAnswer`` as OpenAI or DeepSeek does: one JSON body, or the payloads of the stream's events.
struct ChatWire: Sendable {
    enum UsagePlacement: Sendable {
        /// A chunk of its own with `choices: []`, only when asked for (OpenAI).
        case ownChunk
        /// On the chunk that has the finish reason (DeepSeek).
        case finishChunk
        case missing
    }

    var dialect: Dialect
    var usagePlacement: UsagePlacement
    var includesUsage: Bool
    var includesObfuscation: Bool
    /// Characters per delta.
    var pieceLength = 4

    init(dialect: Dialect, request: ChatRequest) {
        self.dialect = dialect
        usagePlacement = dialect == .openAI ? .ownChunk : .finishChunk
        includesUsage = dialect == .deepSeek || request.includesUsage
        includesObfuscation = request.includesObfuscation
    }

    func headers(id: String) -> [(String, String)] {
        switch dialect {
        case .openAI:
            [
                ("x-request-id", "req_\(id.suffix(16))"), ("openai-organization", "sandbox"), ("openai-processing-ms", "1"),
                ("openai-version", "2020-10-01"), ("x-ratelimit-limit-requests", "10000"),
                ("x-ratelimit-limit-tokens", "2000000"),
                ("x-ratelimit-remaining-requests", "9999"), ("x-ratelimit-remaining-tokens", "1999000"),
                ("x-ratelimit-reset-requests", "6ms"), ("x-ratelimit-reset-tokens", "1ms"),
            ]
        case .deepSeek: [("x-ds-trace-id", String(id.filter { $0 != "-" }))]
        }
    }

    // MARK: One body

    func body(_ answer: ChatAnswer) -> JSON {
        var message: [JSON.Member] = [
            .init(name: "role", value: .string("assistant")),
            .init(name: "content", value: answer.content.map { .string($0) } ?? .null),
        ]
        if dialect == .openAI { message.append(.init(name: "refusal", value: .null)) }
        if let reasoning = answer.reasoning { message.append(.init(name: "reasoning_content", value: .string(reasoning))) }
        if !answer.toolCalls.isEmpty {
            message.append(.init(name: "tool_calls", value: .array(answer.toolCalls.map { Self.toolCall($0) })))
        }
        let choices = (0..<answer.choices).map { index in
            JSON.make([
                "index": .int(index), "message": .object(message), "logprobs": .null,
                "finish_reason": .string(answer.finishReason),
            ])
        }
        var members = common(answer, object: "chat.completion")
        members.append(.init(name: "choices", value: .array(choices)))
        if usagePlacement != .missing { members.append(.init(name: "usage", value: usage(answer))) }
        return .object(members)
    }

    private func common(_ answer: ChatAnswer, object: String) -> [JSON.Member] {
        var members: [JSON.Member] = [
            .init(name: "id", value: .string(answer.id)), .init(name: "object", value: .string(object)),
            .init(name: "created", value: .int(answer.created)), .init(name: "model", value: .string(answer.model)),
        ]
        if dialect == .openAI { members.append(.init(name: "service_tier", value: .string("default"))) }
        members.append(.init(name: "system_fingerprint", value: .string("fp_\(answer.id.suffix(10))")))
        return members
    }

    private static func toolCall(_ call: ChatAnswer.ToolCall) -> JSON {
        .make([
            "id": .string(call.id), "type": .string("function"),
            "function": .make(["name": .string(call.name), "arguments": .string(call.arguments)]),
        ])
    }

    func usage(_ answer: ChatAnswer) -> JSON {
        let total = answer.promptTokens + answer.completionTokens
        var members = [
            JSON.Member(name: "prompt_tokens", value: .int(answer.promptTokens)),
            JSON.Member(name: "completion_tokens", value: .int(answer.completionTokens)),
            JSON.Member(name: "total_tokens", value: .int(total)),
            JSON.Member(name: "prompt_tokens_details", value: .make(["cached_tokens": .int(answer.cachedTokens)])),
            JSON.Member(name: "completion_tokens_details", value: .make(["reasoning_tokens": .int(answer.reasoningTokens)])),
        ]
        if dialect == .deepSeek {
            members.append(.init(name: "prompt_cache_hit_tokens", value: .int(answer.cachedTokens)))
            members.append(.init(name: "prompt_cache_miss_tokens", value: .int(answer.promptTokens - answer.cachedTokens)))
        }
        return .object(members)
    }

    // MARK: A stream

    /// The payloads of the `data:` lines, without `[DONE]`.
    func chunks(_ answer: ChatAnswer, interleavesToolCalls: Bool = false) -> [String] {
        var deltas: [[JSON.Member]] = []
        let isDeepSeek = dialect == .deepSeek
        var first: [JSON.Member] = [.init(name: "role", value: .string("assistant"))]
        first.append(.init(name: "content", value: answer.toolCalls.isEmpty && answer.reasoning == nil ? .string("") : .null))
        if isDeepSeek, answer.reasoning != nil { first.append(.init(name: "reasoning_content", value: .string(""))) }
        deltas.append(first)
        for piece in (answer.reasoning ?? "").pieces(of: 4) {
            deltas.append([.init(name: "content", value: .null), .init(name: "reasoning_content", value: .string(piece))])
        }
        for piece in (answer.content ?? "").pieces(of: pieceLength) {
            var delta = [JSON.Member(name: "content", value: .string(piece))]
            if answer.reasoning != nil { delta.append(.init(name: "reasoning_content", value: .null)) }
            deltas.append(delta)
        }
        deltas += toolDeltas(answer, interleaves: interleavesToolCalls)
        var chunks = deltas.map { chunk(answer, delta: $0, finishReason: nil, usage: nil) }
        let last: [JSON.Member] = isDeepSeek && answer.toolCalls.isEmpty ? [.init(name: "content", value: .string(""))] : []
        let onFinish = usagePlacement == .finishChunk ? usage(answer) : nil
        chunks.append(chunk(answer, delta: last, finishReason: answer.finishReason, usage: onFinish))
        if usagePlacement == .ownChunk, includesUsage {
            var members = common(answer, object: "chat.completion.chunk")
            members.append(.init(name: "choices", value: .array([])))
            members.append(.init(name: "usage", value: usage(answer)))
            chunks.append(JSON.object(members).text)
        }
        return chunks
    }

    private func chunk(_ answer: ChatAnswer, delta: [JSON.Member], finishReason: String?, usage: JSON?) -> String {
        let choice = JSON.make([
            "index": .int(0), "delta": .object(delta), "logprobs": .null,
            "finish_reason": finishReason.map { .string($0) } ?? .null,
        ])
        var members = common(answer, object: "chat.completion.chunk")
        members.append(.init(name: "choices", value: .array([choice])))
        if includesUsage, usagePlacement != .missing { members.append(.init(name: "usage", value: usage ?? .null)) }
        if includesObfuscation {
            let padding = String("aXk39dLq0".prefix(1 + members.count % 8))
            members.append(.init(name: "obfuscation", value: .string(padding)))
        }
        return JSON.object(members).text
    }

    /// The head of each call with its id and name, then its arguments in pieces: call after call, or all calls in turn.
    private func toolDeltas(_ answer: ChatAnswer, interleaves: Bool) -> [[JSON.Member]] {
        func delta(_ index: Int, _ members: KeyValuePairs<String, JSON>) -> [JSON.Member] {
            var call = [JSON.Member(name: "index", value: .int(index))]
            call += members.map { JSON.Member(name: $0.key, value: $0.value) }
            return [.init(name: "tool_calls", value: .array([.object(call)]))]
        }
        let calls = answer.toolCalls.enumerated().map { index, call -> [[JSON.Member]] in
            let head = delta(
                index,
                [
                    "id": .string(call.id), "type": .string("function"),
                    "function": .make(["name": .string(call.name), "arguments": .string("")]),
                ])
            let pieces = call.arguments.pieces(of: 8)
            return [head] + pieces.map { delta(index, ["function": .make(["arguments": .string($0)])]) }
        }
        guard interleaves else { return calls.flatMap(\.self) }
        let longest = calls.map(\.count).max() ?? 0
        return (0..<longest).flatMap { round in calls.compactMap { round < $0.count ? $0[round] : nil } }
    }
}
