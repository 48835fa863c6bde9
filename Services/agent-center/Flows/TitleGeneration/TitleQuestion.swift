import DTO
import HTTPCore

/// A brief as the prompt `title` is asked with it.
enum TitlePrompt {
    static let name = "title"

    /// The question in the words of the version that ships with the service.
    static func question(for brief: TitleBrief, customer: String?) -> ChatRequest {
        guard let shipped = ShippedPrompts.all[name], let rendered = try? shipped.render(values(of: brief)) else {
            preconditionFailure("the shipped prompt takes every brief that the input rules let in")
        }
        return question(rendered, for: brief, customer: customer)
    }

    static func question(_ prompt: RenderedPrompt, for brief: TitleBrief, customer: String?) -> ChatRequest {
        ChatRequest(
            messages: prompt.messages,
            // A title of n characters costs about n tokens; the JSON around it and a generous margin come on top.
            maxTokens: prompt.maxTokens ?? 200 + brief.count * (brief.maxLength * 2 + 40), temperature: prompt.temperature,
            answerSchema: prompt.schema ?? schema, customer: customer)
    }

    static let schema: AnswerSchema = {
        guard let schema = ShippedPrompts.all[name]?.definition.schema else {
            preconditionFailure("the shipped prompt has a schema")
        }
        return schema
    }()

    static func values(of brief: TitleBrief) -> [String: JSONValue] {
        func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        return [
            "topic": .string(brief.topic), "platform": .string(brief.platform.rawValue),
            "audience": brief.audience.map { .string($0) } ?? .null, "sellingPoints": list(brief.sellingPoints),
            "tone": brief.tone.map { .string($0) } ?? .null, "keywords": list(brief.keywords),
            "bannedWords": list(Array(brief.bannedWords.prefix(WritingBrief.bannedWordsTold))),
            "brandWords": list(brief.brandWords), "count": .number(String(brief.count)),
            "maxLength": .number(String(brief.maxLength)), "previous": list(brief.revision?.previous ?? []),
            "feedback": brief.revision.map { .string($0.feedback) } ?? .null,
        ]
    }

    /// What a second question says of an answer that did not pass.
    static func correction(for brief: TitleBrief, because problem: String) -> String {
        "上一次的回答不合格：\(problem)。请重新给出完整的 \(brief.count) 个标题，只输出 JSON。"
    }
}
