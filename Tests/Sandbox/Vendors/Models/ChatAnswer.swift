/// What the model says, before it is written in a vendor's form.
struct ChatAnswer: Sendable {
    struct ToolCall: Sendable {
        var id: String
        var name: String
        var arguments: String
    }

    var id = ""
    var created = 0
    var model = ""
    var content: String?
    var reasoning: String?
    var toolCalls: [ToolCall] = []
    var finishReason = "stop"
    var promptTokens = 0
    var cachedTokens = 0
    /// Overrides the counting rule.
    var fixedCompletionTokens: Int?
    /// Extra choices for `n` above 1; the first choice's text again.
    var choices = 1

    var reasoningTokens: Int { tokenCount(bytes: reasoning?.utf8.count ?? 0) }

    var completionTokens: Int {
        if let fixedCompletionTokens { return fixedCompletionTokens }
        let bytes = (content?.utf8.count ?? 0) + (reasoning?.utf8.count ?? 0)
        return tokenCount(bytes: bytes + toolCalls.reduce(0) { $0 + $1.arguments.utf8.count }) * choices
    }
}

extension ChatAnswer {
    /// The normal answer: a function of the seed and the request's body, nothing else.
    init(to request: ChatRequest, body: [UInt8], dialect: Dialect, seed: UInt64) {
        var generator = SeededGenerator(seed: seed, body)
        id = dialect == .openAI ? "chatcmpl-" + generator.hex(24) : generator.uuid()
        created = 1_790_000_000 + Int(generator.next() % 1_000_000)
        model = dialect == .openAI ? Self.snapshot(of: request.model) : request.model
        promptTokens = request.promptTokens
        choices = request.choices
        if request.thinks { reasoning = TextWriter.reasoning(generator: &generator) }
        let lastRole = request.messages.last?["role"]?.string
        if !request.tools.isEmpty, lastRole == "user" {
            callTools(request, dialect: dialect, generator: &generator)
        } else {
            content = Self.content(for: request, dialect: dialect, generator: &generator)
        }
        cut(to: request.maxTokens)
    }

    private static func content(for request: ChatRequest, dialect: Dialect, generator: inout SeededGenerator) -> String {
        let subject = request.lastUserText
        let wantsJSON = if case .text = request.format { false } else { true }
        let wantsTitles = wantsJSON || request.messages.contains { ChatRequest.text(of: $0).contains("\"titles\"") }
        if wantsTitles, let brief = TitleWriter.Brief(in: subject) {
            return TitleWriter.write(brief, generator: &generator).text
        }
        if wantsJSON, let written = flowText(for: subject, generator: &generator) {
            guard case .jsonSchema(let schema) = request.format else { return written.text }
            return written.fitted(to: schema, root: schema, generator: &generator).text
        }
        switch request.format {
        case .text: return TextWriter.text(about: subject, generator: &generator)
        case .jsonSchema(let schema): return TextWriter.sample(schema, root: schema, generator: &generator).text
        case .jsonObject:
            // DeepSeek's documented trap: JSON mode without the word gives white space up to the limit.
            if !request.mentionsJSON { return String(repeating: " \n", count: 2 * (request.maxTokens ?? 64)) }
            return JSON.make(["answer": .string(TextWriter.text(about: subject, generator: &generator))]).text
        }
    }

    /// The texts of the flows that ask for more than titles, told by what their briefs say.
    private static func flowText(for subject: String, generator: inout SeededGenerator) -> JSON? {
        if let brief = VideoScriptWriter.Brief(in: subject) { return VideoScriptWriter.write(brief, generator: &generator) }
        if let brief = ImageTextWriter.Brief(in: subject) { return ImageTextWriter.write(brief, generator: &generator) }
        if let brief = CopyWriter.Brief(in: subject) { return CopyWriter.write(brief, generator: &generator) }
        return PassageWriter(in: subject)?.write()
    }

    /// One call of the first function, or of the one that `tool_choice` names.
    private mutating func callTools(_ request: ChatRequest, dialect: Dialect, generator: inout SeededGenerator) {
        let named = request.json["tool_choice"]?["function"]?["name"]?.string
        let functions = request.tools.compactMap { $0["function"] }
        guard let function = functions.first(where: { named == nil || $0["name"]?.string == named }) else { return }
        let schema = function["parameters"] ?? .make([:])
        let arguments = TextWriter.sample(schema, root: schema, generator: &generator)
        let id = dialect == .openAI ? "call_" + generator.hex(24) : "call_00_" + generator.hex(20)
        toolCalls = [ToolCall(id: id, name: function["name"]?.string ?? "", arguments: arguments.text)]
        finishReason = "tool_calls"
    }

    /// The limit counts reasoning first, as DeepSeek does.
    private mutating func cut(to limit: Int?) {
        guard let limit, completionTokens > limit * choices else { return }
        finishReason = "length"
        toolCalls = []
        let room = max(0, limit - reasoningTokens)
        content = (content ?? "").prefix(bytes: room * 4)
        fixedCompletionTokens = limit * choices
    }

    /// OpenAI answers with a dated name.
    private static func snapshot(of model: String) -> String {
        let isDated = model.split(separator: "-").suffix(3).allSatisfy { $0.allSatisfy(\.isNumber) }
        return isDated ? model : model + "-2026-08-21"
    }
}
