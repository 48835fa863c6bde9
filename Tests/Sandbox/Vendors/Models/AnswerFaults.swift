import Cryptography

/// Faults in what the model says, before it is put on the wire, and answers that a test has written itself.
enum AnswerFaults {
    static func apply(
        _ rule: FaultRule?, use: Int, request: ChatRequest, answer: inout ChatAnswer, wire: inout ChatWire
    ) {
        guard let rule else { return }
        let parameters = rule.parameters
        answer.cachedTokens = min(answer.promptTokens, parameters.int("cachedTokens") ?? 0)
        switch rule.fault {
        case .blankContent:
            answer.content = parameters.string("content") ?? "   \n"
            answer.reasoning = nil
        case .insufficientSystemResource, .contentFilter:
            answer.finishReason = rule.fault == .contentFilter ? "content_filter" : "insufficient_system_resource"
            answer.content = answer.content.map { String($0.prefix($0.count / 2)) }
        case .lengthCutJSON:
            answer.finishReason = "length"
            answer.content = answer.content.map { String($0.prefix(max(1, $0.count / 2))) }
        case .brokenJSON: answer.content = parameters.string("content") ?? "好的，以下是结果：\n```json\n{\"titles\": [{\"title\": \"未完"
        case .wrongSchema: answer.content = parameters.string("content") ?? "{\"headlines\":[\"甲\",\"乙\"],\"note\":1}"
        case .usageMissing: wire.usagePlacement = .missing
        case .usageInFinishChunk: (wire.usagePlacement, wire.includesUsage) = (.finishChunk, true)
        case .usageChunkThenDone: (wire.usagePlacement, wire.includesUsage) = (.ownChunk, true)
        case .hugeChunk:
            // White space in front: JSON stays JSON, and everything travels in one delta.
            answer.content = String(repeating: " ", count: parameters.int("bytes") ?? 1 << 20) + (answer.content ?? "")
            wire.pieceLength = .max
        case .otherModel: answer.model = parameters.string("returnedModel") ?? "gpt-3.5-turbo-0125"
        case .invalidToolArguments: callTools(request, &answer, count: 1, arguments: "{\"topic\": \"夏季防晒\", \"limit\": ")
        case .unknownTool: callTools(request, &answer, count: 1, name: "no_such_tool")
        case .endlessToolCall: callTools(request, &answer, count: 1, id: "call_same")
        case .interleavedToolCalls: callTools(request, &answer, count: 2)
        case .scripted: if let script = scripted(rule, use: use) { take(script, &answer) }
        default: break
        }
        if parameters.json["usage"] != nil { takeUsage(parameters.json, &answer) }
    }

    /// The answer of a `scripted` rule whose turn it is: the `answers` in order, the last one for ever.
    static func scripted(_ rule: FaultRule?, use: Int) -> JSON? {
        guard let rule, rule.fault == .scripted else { return nil }
        guard let answers = rule.parameters.json["answers"]?.array, !answers.isEmpty else { return rule.parameters.json }
        return answers[min(use, answers.count - 1)]
    }

    private static func take(_ script: JSON, _ answer: inout ChatAnswer) {
        if let text = script["content"]?.string ?? script.string { answer.content = text }
        if script["content"]?.isNull == true { answer.content = nil }
        if case .object? = script["content"] { answer.content = script["content"]?.text }
        if let reasoning = script["reasoning"] { answer.reasoning = reasoning.string }
        answer.toolCalls = (script["toolCalls"]?.array ?? []).enumerated().map { index, call in
            ChatAnswer.ToolCall(
                id: call["id"]?.string ?? "call_\(index)", name: call["name"]?.string ?? "",
                arguments: call["arguments"]?.string ?? call["arguments"]?.text ?? "{}")
        }
        answer.finishReason = script["finishReason"]?.string ?? (answer.toolCalls.isEmpty ? "stop" : "tool_calls")
        answer.fixedCompletionTokens = nil
        if let model = script["model"]?.string { answer.model = model }
        takeUsage(script, &answer)
    }

    private static func takeUsage(_ json: JSON, _ answer: inout ChatAnswer) {
        if let tokens = json["usage"]?["promptTokens"]?.int { answer.promptTokens = tokens }
        if let tokens = json["usage"]?["completionTokens"]?.int { answer.fixedCompletionTokens = tokens }
        if let tokens = json["usage"]?["cachedTokens"]?.int { answer.cachedTokens = tokens }
    }

    private static func callTools(
        _ request: ChatRequest, _ answer: inout ChatAnswer, count: Int, name: String? = nil, id: String? = nil,
        arguments: String? = nil
    ) {
        let known = request.tools.compactMap { $0["function"]?["name"]?.string }
        let old = answer.toolCalls.first
        answer.toolCalls = (0..<count).map { index in
            ChatAnswer.ToolCall(
                id: id ?? "call_\(index)_\(answer.id.suffix(8))",
                name: name ?? (known.isEmpty ? "lookup" : known[index % known.count]),
                arguments: arguments ?? old?.arguments ?? "{\"query\":\"第\(index + 1)个\"}")
        }
        answer.content = nil
        answer.finishReason = "tool_calls"
    }
}

/// Exact bytes with pauses, as a test wrote them: `steps` of `text`, `base64` or `hex`, each after its `delayMs`; then `ending`.
enum RawBytes {
    static func plan(_ parameters: FaultParameters, use: Int) -> WirePlan {
        let answers = parameters.json["answers"]?.array ?? []
        let script = answers.isEmpty ? parameters.json : answers[min(use, answers.count - 1)]
        var steps: [WirePlan.Step] = []
        for step in script["steps"]?.array ?? [] {
            if let delay = step["delayMs"]?.int, delay > 0 { steps.append(.wait(milliseconds: delay)) }
            if let text = step["text"]?.string { steps.append(.send(Array(text.utf8))) }
            if let text = step["base64"]?.string, let bytes = Base64.decode(text) { steps.append(.send(bytes)) }
            if let text = step["hex"]?.string, let bytes = Hex.decode(text) { steps.append(.send(bytes)) }
            if step["halfClose"]?.bool == true { steps.append(.halfClose) }
        }
        let ending: WirePlan.Ending =
            switch script["ending"]?.string {
            case "keep-alive": .keepAlive
            case "reset": .reset
            case "hold": .hold
            default: .close
            }
        return WirePlan(steps: steps, ending: ending)
    }
}
