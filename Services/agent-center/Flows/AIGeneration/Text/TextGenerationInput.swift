import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `POST /v1/ai/generate` (seed 001 §5.1, §10.1).
struct TextGenerationInput: Sendable {
    typealias Task = AIGenerateTask

    static let mostInputs = 20
    /// Characters of one input.
    static let longestInput = 8_000

    let task: Task
    let model: String
    let inputs: [String]
    /// Whether the input was a list, so that the output is one too.
    let isList: Bool
    let temperature: Double?
    let topP: Double?
    let maxTokens: Int?
    let scene: String
    let language: String
    /// As the caller claims it.
    let tenantId: String?
    let prompt: PromptWish

    /// - Throws: `ValidationFailure` with every refusal.
    static func read(_ json: JSONValue, knows isKnown: (String) -> Bool) throws -> TextGenerationInput {
        var fields = FieldReader(json)
        let task = fields.choice("task", of: Task.self) ?? .copy
        let model = fields.optionalText("model", length: ModelNames.length) ?? ModelNames.auto
        if !isKnown(model) {
            fields.refuse("model", code: "unknown_model", zh: "没有名为“\(model)”的模型", en: "there is no model named \(model)")
        }
        let isList = json["input"]?.array != nil
        // An embedding's limits are its own.
        let (most, longest) = task == .embed ? (2_048, 32_000) : (mostInputs, longestInput)
        let inputs =
            isList
            ? fields.textList("input", minItems: 1, maxItems: most, length: 1...longest)
            : [fields.text("input", length: 1...longest)]
        var (temperature, topP): (Double?, Double?)
        var maxTokens: Int?
        _ = fields.optionalObject("params") { params in
            temperature = params.optionalNumber("temperature", in: 0...2)
            topP = params.optionalNumber("top_p", in: 0...1)
            maxTokens = params.optionalInteger("maxTokens", in: 1...8_192)
        }
        var (tenantId, scene, language): (String?, String?, String?)
        _ = fields.optionalObject("metadata") { metadata in
            tenantId = metadata.optionalText("tenantId", length: 1...64)
            scene = metadata.optionalText("scene", length: 1...64)
            language = metadata.optionalText("lang", length: 2...35)?.lowercased()
            if let language, !LanguageTag.isWellFormed(language) {
                metadata.refuse(
                    "lang", code: "malformed", zh: "应为语言标签，如 zh、en-US", en: "must be a language tag such as zh or en-US")
            }
        }
        let prompt = fields.optionalObject("prompt", PromptWish.read)
        if prompt != nil, task == .embed {
            fields.refuse("prompt", code: "not_wanted", zh: "向量不用提示词", en: "vectors are made without a prompt")
        }
        try fields.finish()
        return TextGenerationInput(
            task: task, model: model, inputs: inputs, isList: isList, temperature: temperature, topP: topP, maxTokens: maxTokens,
            scene: scene ?? "\(task.rawValue)-\((language ?? "zh").prefix { $0 != "-" })", language: language ?? "zh",
            tenantId: tenantId, prompt: prompt ?? PromptWish())
    }
}

/// BCP 47 (RFC 5646, section 2.1): parts of 1–8 letters and digits, of which the first is a language of 2–8 letters, or a private use's `x`.
enum LanguageTag {
    static func isWellFormed(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let areParts = parts.allSatisfy { part in
            (1...8).contains(part.utf8.count) && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        }
        guard areParts, let first = parts.first, parts.last?.utf8.count != 1 else { return false }
        return first.allSatisfy(\.isLetter) && (first.utf8.count > 1 || (parts.count > 1 && "xXiI".contains(first)))
    }
}

extension FieldReader {
    /// A number with or without a fraction; `nil` where it is left out, or where an issue was recorded.
    mutating func optionalNumber(_ name: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = value(name) else { return nil }
        guard value.kind == "number" else {
            refuse(name, code: "wrong_type", zh: "应为数字", en: "must be a number")
            return nil
        }
        guard let number = value.double, range.contains(number) else {
            let (low, high) = (range.lowerBound.formattedShort, range.upperBound.formattedShort)
            refuse(name, code: "out_of_range", zh: "应在 \(low) 到 \(high) 之间", en: "must be between \(low) and \(high)")
            return nil
        }
        return number
    }
}

extension Double {
    /// `2` instead of `2.0`.
    fileprivate var formattedShort: String { rounded() == self ? String(Int(self)) : description }
}
