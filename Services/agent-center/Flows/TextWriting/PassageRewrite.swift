import HTTPCore

/// The targeted rewrite: a model is shown nothing but the sentences in which forbidden words stand, with those words, and asked for just
/// these anew.
struct PassageRewrite: GenerationTask {
    static let prompt = "rewrite"

    /// In the order of the passages.
    typealias Product = [String]

    let question: ChatRequest
    private let rendered: RenderedPrompt
    private let count: Int

    /// - Throws: ``PromptVariableError`` where the passages are longer than the prompt takes.
    init(_ passages: [(text: String, words: [String])], version: PromptVersion, customer: String?) throws(PromptVariableError) {
        count = passages.count
        var object = JSONObject()
        for (index, passage) in passages.enumerated() {
            object["p\(index + 1)"] = [
                "text": .string(passage.text), "forbidden": .array(passage.words.map { .string($0) }),
            ]
        }
        let length = passages.reduce(0) { $0 + $1.text.count }
        rendered = try version.render(["passages": .object(object), "length": .number(String(min(length, 60_000)))])
        question = ChatRequest(
            messages: rendered.messages, maxTokens: rendered.maxTokens ?? 4_096, temperature: rendered.temperature,
            answerSchema: rendered.schema, customer: customer)
    }

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        again.messages = rendered.messages(
            afterRejected: answer, correction: "上一次的回答不合格：\(problem)。请重新给出全部 \(count) 段，只输出 JSON。")
        return again
    }

    /// Only the form is judged: whether the words are gone is seen when the whole text is checked again.
    func verdict(on answers: [String]) -> GenerationVerdict<[String]> {
        guard let items = answers.last.flatMap(ModelJSON.parse)?["passages"]?.array else { return .rejected("缺少 passages 数组") }
        var texts: [String: String] = [:]
        for item in items {
            if let id = item["id"]?.string, let text = item["text"]?.string, !text.allSatisfy(\.isWhitespace) { texts[id] = text }
        }
        let rewritten = (1...max(count, 1)).compactMap { texts["p\($0)"] }
        return rewritten.count == count ? .accepted(rewritten) : .rejected("应有 \(count) 段，只有 \(rewritten.count) 段")
    }
}
