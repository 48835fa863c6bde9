import DTO
import HTTPCore

/// One kind of text: what a model is asked for, what its answer is held against, and who writes where no model can.
protocol TextWriter: Sendable {
    associatedtype Text: Codable & Sendable & Equatable

    /// Name of the shipped prompt.
    static var prompt: String { get }
    /// `promptVersion` of an answer that was written without a model, e.g. `copy.template@1`.
    static var templateVersion: String { get }
    /// `modelName` of such an answer.
    static var templateModel: String { get }

    var brief: WritingBrief { get }
    /// For all variables of the prompt.
    var values: [String: JSONValue] { get }
    /// What the templates' dice are cast with beside the operation, so that another wish gives another text.
    var seeds: [String] { get }

    /// The text that a model's answer holds, with slips mended that can be mended without guessing.
    func read(_ answer: JSONValue) throws(TextFaults) -> Text
    /// Everything the text is held against but compliance.
    func rules(for text: Text) -> [TextVerdict]
    /// A text without a model, free of forbidden words; `nil` where limits and words leave nothing.
    func template(seed: UInt64) -> Text?
}

/// What is wrong with an answer, in Chinese words that a model can act on.
struct TextFaults: Error, Equatable {
    let faults: [String]

    init(_ faults: [String]) { self.faults = faults }
}

/// A rule with what came of it. A text that breaks a binding one is not used; the others are advice for the editor.
struct TextVerdict: Sendable, Equatable {
    let check: TextCheck
    let isBinding: Bool

    init(_ name: String, _ passed: Bool, binding isBinding: Bool = true, _ detail: String) {
        check = TextCheck(rule: name, passed: passed, detail: detail)
        self.isBinding = isBinding
    }

    var isBroken: Bool { isBinding && !check.passed }
}

/// A text as a task for models.
struct WritingTask<Writer: TextWriter>: GenerationTask {
    let writer: Writer
    let question: ChatRequest
    private let prompt: RenderedPrompt

    /// - Throws: ``PromptVariableError`` where the version does not take the brief.
    init(_ writer: Writer, version: PromptVersion, customer: String?) throws(PromptVariableError) {
        self.writer = writer
        prompt = try version.render(writer.values)
        question = ChatRequest(
            messages: prompt.messages, maxTokens: prompt.maxTokens ?? 4_096, temperature: prompt.temperature,
            answerSchema: prompt.schema ?? ShippedPrompts.all[Writer.prompt]?.definition.schema, customer: customer)
    }

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        again.messages = prompt.messages(
            afterRejected: answer, correction: "上一次的回答不合格：\(problem)。请重新给出完整的回答，只输出 JSON。")
        return again
    }

    /// Forbidden words are no reason for a new text: they are mended where they stand (``ComplianceReview``).
    func verdict(on answers: [String]) -> GenerationVerdict<Writer.Text> {
        guard let json = answers.last.flatMap(ModelJSON.parse) else { return .rejected("不是合法的 JSON") }
        let text: Writer.Text
        do { text = try writer.read(json) } catch { return .rejected(error.faults.prefix(6).joined(separator: "；")) }
        let broken = writer.rules(for: text).filter(\.isBroken)
        guard broken.isEmpty else { return .rejected(broken.prefix(6).map(\.check.detail).joined(separator: "；")) }
        return .accepted(text)
    }
}
