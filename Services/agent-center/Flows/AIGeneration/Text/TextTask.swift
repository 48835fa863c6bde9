import DTO
import FoundationEssentials
import HTTPCore

/// One text of `POST /v1/ai/generate` as a task for models: the task's prompt, with the caller's words as data.
struct TextTask: GenerationTask {
    /// Named `ai-<task>` in the prompt repository.
    static func promptName(of task: TextGenerationInput.Task) -> String { "ai-\(task.rawValue)" }

    let question: ChatRequest
    private let prompt: RenderedPrompt

    /// - Throws: ``PromptVariableError`` where the version does not take the input.
    init(_ text: String, of input: TextGenerationInput, version: PromptVersion, customer: String?) throws(PromptVariableError) {
        let base = input.language.prefix { $0 != "-" }
        let given: [String: JSONValue] = [
            "language": .string(["zh", "en"].contains(base) ? String(base) : "other"), "input": .string(text),
            "languageTag": .string(input.language),
            // What is cut off at the token limit is no answer: the model is told where to end. A Chinese character is a token, and
            // some take two.
            "maxCharacters": input.maxTokens.map { .number(String(max(1, $0 * 2 / 3))) } ?? .null,
        ]
        // A prompt of the tenant's own takes what it declares.
        let taken = Set(version.variables.map(\.name))
        let prompt = try version.render(given.filter { taken.contains($0.key) }.merging(input.prompt.variables) { $1 })
        self.prompt = prompt
        question = ChatRequest(
            messages: prompt.messages, maxTokens: input.maxTokens ?? prompt.maxTokens ?? 1_000,
            temperature: input.temperature ?? prompt.temperature, topP: input.topP, customer: customer)
    }

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        again.messages = prompt.messages(afterRejected: answer, correction: problem)
        return again
    }

    /// Any whole text will do.
    func verdict(on answers: [String]) -> GenerationVerdict<String> {
        .accepted(Self.trimmed(answers.last ?? ""))
    }

    static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
