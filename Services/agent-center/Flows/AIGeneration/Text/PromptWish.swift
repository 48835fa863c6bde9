import DTO
import FoundationEssentials
import HTTPCore

/// Which prompt a caller of `POST /v1/ai/generate` wants, where it is not the task's own under `production`.
struct PromptWish: Sendable, Equatable {
    var name: String?
    var label: String?
    var variables: [String: JSONValue] = [:]
    /// Whom the text is for, opaque. It decides the arm of an experiment and nothing else; the caller's own subject when absent.
    var subject: String?

    /// The member `prompt` of a request.
    static func read(_ fields: inout FieldReader) -> PromptWish {
        var wish = PromptWish()
        wish.name = fields.optionalText("name", length: 1...64)
        wish.label = fields.optionalText("label", length: PromptInput.labelLength)
        wish.subject = fields.optionalText("subject", length: 1...128)
        if let subject = wish.subject, subject.contains(where: \.isWhitespace) {
            fields.refuse("subject", code: "malformed", zh: "不能包含空白字符", en: "must not contain white space")
        }
        guard let variables = fields.value("variables") else { return wish }
        guard let object = variables.object else {
            fields.refuse("variables", code: "wrong_type", zh: "应为对象", en: "must be an object")
            return wish
        }
        wish.variables = Dictionary(object.map { ($0.name, $0.value) }) { _, last in last }
        return wish
    }

    /// The version that writes.
    ///
    /// - Throws: `ValidationFailure` for a name or a label that leads nowhere, and for a prompt that this call has no use for: one that
    ///   would drop the caller's words, or whose answer is no text.
    func choice(for task: TextGenerationInput.Task, from prompts: PromptRepository, _ call: ModelCall) async throws
        -> PromptChoice
    {
        if variables["input"] != nil {
            throw ValidationFailure(
                pointer: "/prompt/variables/input", code: "not_wanted", zh: "变量 input 取自请求的 input",
                en: "the variable input is the request's input")
        }
        let wanted = name ?? TextTask.promptName(of: task)
        let isKnown = try await prompts.knows(wanted, for: call.tenantId)
        let choice = try await prompts.resolve(
            wanted, for: call, subject: subject, label: label, at: label != nil && isKnown ? "/prompt/label" : "/prompt/name")
        let takesInput = choice.version.variables.contains { $0.name == "input" }
        guard takesInput, choice.version.definition.gives("input") else {
            throw ValidationFailure(
                pointer: "/prompt/name", code: "takes_no_input", zh: "提示词“\(wanted)”没有变量 input，或没有把它放进 data",
                en: "the prompt \(wanted) has no variable input, or does not give it to the model in its data")
        }
        guard choice.version.definition.schema == nil else {
            throw ValidationFailure(
                pointer: "/prompt/name", code: "not_text", zh: "提示词“\(wanted)”的回答不是纯文本",
                en: "the prompt \(wanted) does not ask for plain text")
        }
        return choice
    }
}

extension TextGenerationInput {
    /// Where the request gives the value of a prompt's variable.
    func pointer(to variable: String, ofInput index: Int) -> String {
        let own = "/prompt/variables/" + JSONPointer.escape(variable)
        guard prompt.variables[variable] == nil else { return own }
        return switch variable {
        case "input": isList ? "/input/\(index)" : "/input"
        case "language", "languageTag": "/metadata/lang"
        case "maxCharacters": "/params/maxTokens"
        default: own
        }
    }
}
