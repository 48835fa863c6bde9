import FoundationEssentials
import HTTPCore

/// A conversation of the caller's own as a task for models. What passes: tools that were offered, called with JSON arguments; the JSON
/// that was asked for; and everything else that the vendor calls whole.
struct ConversationTask: GenerationTask {
    let question: ChatRequest

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        if !answer.isEmpty { again.messages.append(.init(role: .assistant, content: String(answer.prefix(8_000)))) }
        again.messages.append(
            .init(role: .user, content: "Your last answer was not valid: \(problem). Give the whole answer again, corrected."))
        return again
    }

    func verdict(on answers: [String]) -> GenerationVerdict<ChatAnswer> { .rejected("a conversation is judged whole") }

    func verdict(onWhole answers: [ChatAnswer]) -> GenerationVerdict<ChatAnswer> {
        guard var answer = answers.last else { return .rejected("there is no answer") }
        // Cut or filtered, and says so: the caller's to judge.
        guard answer.finish == "stop" || answer.finish == "tool_calls" else { return .accepted(answer) }
        // Not every vendor knows the member.
        if question.parallelToolCalls == false, answer.toolCalls.count > 1 {
            return .rejected("only one tool may be called at a time")
        }
        for call in answer.toolCalls { if let problem = problem(with: call) { return .rejected(problem) } }
        guard question.answerSchema != nil || question.wantsObject, answer.toolCalls.isEmpty, answer.refusal == nil else {
            return .accepted(answer)
        }
        let strict = try? JSONValue(parsing: Array(answer.content.utf8))
        guard let json = strict ?? ModelJSON.parse(answer.content) else { return .rejected("it is not JSON") }
        if question.wantsObject, json.object == nil { return .rejected("it is not a JSON object") }
        if let schema = question.answerSchema, schema.isStrict {
            let problems = JSONSchema(schema.schema).problems(in: json)
            guard problems.isEmpty else { return .rejected(problems.prefix(4).joined(separator: "; ")) }
        }
        if strict == nil { answer.content = String(decoding: json.encode(), as: UTF8.self) }
        return .accepted(answer)
    }

    private func problem(with call: ChatAnswer.ToolCall) -> String? {
        guard let tool = question.tools.first(where: { $0["function"]?["name"]?.string == call.name }) else {
            return "there is no tool named \(call.name.prefix(64))"
        }
        guard let arguments = try? JSONValue(parsing: Array((call.arguments.isEmpty ? "{}" : call.arguments).utf8)),
            arguments.object != nil
        else { return "the arguments of \(call.name) are not a JSON object" }
        guard tool["function"]?["strict"]?.bool == true, let schema = tool["function"]?["parameters"] else { return nil }
        return JSONSchema(schema).problems(in: arguments).first.map { "the arguments of \(call.name): \($0)" }
    }
}
