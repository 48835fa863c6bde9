import HTTPCore

/// Puts a streamed answer together, event by event. Pure: bytes, clocks and sockets are others' business.
struct ChatStreamDecoder: Sendable {
    private let askedModel: String
    private let rules: AnswerRules
    private var content = ""
    private var toolCalls: [Int: ChatAnswer.ToolCall] = [:]
    private var refusal = ""
    /// Of the reasoning, which is billed as if it were said.
    private var hiddenBytes = 0
    /// The same as a text, for whoever relays it.
    private var thoughts = ""
    private var waitingThoughts = ""
    private var finish: String?
    private var model: String?
    private var usage: ChatUsage?
    /// Text that ``takeText()`` has not handed out.
    private var waiting = ""
    /// Whether any ink has been handed out.
    private var hasInk = false
    /// The sentinel has come; nothing after it counts.
    private(set) var isDone = false
    /// The model has begun to write (or to think). Keep-alive comments do not count.
    private(set) var hasBegun = false

    init(askedModel: String, rules: AnswerRules = .own) {
        self.askedModel = askedModel
        self.rules = rules
    }

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
            throw broken(
                ChatFailure(.malformed, .retry(after: nil), .count, message: "a chunk is not JSON: \(error.reason.rawValue)"))
        }
        if let inBand = json["error"], !inBand.isNull { throw broken(ChatFailure.inBand(inBand)) }
        if model == nil, let name = json["model"]?.string, !name.isEmpty { model = name }
        // OpenAI sends usage in a chunk of its own without choices, DeepSeek on the last choice: the last one that is there
        // counts.
        if let counted = ChatWire.usage(json["usage"]) { usage = counted }
        guard let choice = json["choices"]?[0] else { return }
        if let delta = choice["delta"] { feed(delta: delta) }
        // A vendor that says it twice has not changed its mind: the first counts.
        if finish == nil, let reason = choice["finish_reason"]?.string { finish = reason }
    }

    private mutating func feed(delta: JSONValue) {
        if let text = delta["content"]?.string, !text.isEmpty {
            content += text
            waiting += text
            hasBegun = true
        }
        if let text = ChatWire.thoughts(in: delta) {
            hiddenBytes += text.utf8.count
            hasBegun = true
            if rules.isRelayed {
                thoughts += text
                waitingThoughts += text
            }
        }
        if let text = delta["refusal"]?.string, !text.isEmpty {
            refusal += text
            hasBegun = true
        }
        for (position, piece) in (delta["tool_calls"]?.array ?? []).enumerated() {
            hasBegun = true
            // Pieces of parallel calls may come in turn; only the index tells whose they are.
            let index = piece["index"]?.int ?? position
            var call = toolCalls[index] ?? ChatAnswer.ToolCall(id: "", name: "", arguments: "")
            if let id = piece["id"]?.string, call.id.isEmpty { call.id = id }
            if let name = piece["function"]?["name"]?.string { call.name += name }
            if let arguments = piece["function"]?["arguments"]?.string { call.arguments += arguments }
            toolCalls[index] = call
        }
    }

    /// What has come since the last time; `nil` where there is nothing, and while the text is all white space: a blank answer is a failure, of
    /// which nobody shall have seen the beginning. Thoughts that were asked for are shown at once; others wait for the text.
    mutating func takeText() -> ChatDelta? {
        if !hasInk { hasInk = waiting.contains { !$0.isWhitespace } }
        guard hasInk else {
            guard rules.thinks, !waitingThoughts.isEmpty else { return nil }
            defer { waitingThoughts = "" }
            return ChatDelta(text: "", thoughts: waitingThoughts, model: model ?? askedModel)
        }
        guard !waiting.isEmpty || !waitingThoughts.isEmpty else { return nil }
        defer { (waiting, waitingThoughts) = ("", "") }
        return ChatDelta(text: waiting, thoughts: waitingThoughts, model: model ?? askedModel)
    }

    /// The answer once the stream has ended, with or without the sentinel: a finish reason is what makes it whole.
    func finished() throws(ChatFailure) -> ChatAnswer {
        do {
            var answer = try rules.judge(
                content: content, toolCalls: toolCalls.sorted { $0.key < $1.key }.map(\.value),
                refusal: refusal.isEmpty ? nil : refusal, finish: finish, model: model ?? askedModel, usage: usage,
                hidden: hiddenBytes)
            if !thoughts.isEmpty { answer.thoughts = thoughts }
            return answer
        } catch {
            throw error.usage == nil ? broken(error) : error
        }
    }

    /// What has been written so far, as the vendor counts it or as it is counted here; `nil` for nothing.
    var usageSoFar: ChatUsage? {
        if let usage { return usage }
        guard !content.isEmpty || !toolCalls.isEmpty || !refusal.isEmpty || hiddenBytes > 0 else { return nil }
        let calls = toolCalls.values.map { $0 }
        return ChatUsage(
            promptTokens: 0, cachedPromptTokens: 0,
            completionTokens: ChatWire.estimatedTokens(content + refusal, calls, hidden: hiddenBytes), isEstimated: true)
    }

    /// The failure for a stream that broke, with what it had used.
    func broken(_ failure: ChatFailure) -> ChatFailure {
        var failure = failure
        failure.usage = usageSoFar
        return failure
    }
}
