import HTTPCore

/// `POST /v1/embeddings` as OpenAI's clients send it.
enum EmbeddingsInput {
    enum Form: String, Sendable, CaseIterable {
        case float
        case base64
    }

    /// The highest number that a token of any vocabulary has.
    private static let highestToken = 10_000_000

    static func read(_ json: JSONValue) throws -> (question: EmbeddingQuestion, form: Form) {
        var fields = FieldReader(json)
        let model = fields.text("model", length: ModelNames.length)
        let inputs = Self.inputs(&fields)
        let form = fields.choice("encoding_format", of: Form.self, default: .float)
        let dimensions = fields.optionalInteger("dimensions", in: 1...16_384)
        // Taken and not passed on: the vendor is told of the tenant, in a way that says nothing.
        _ = fields.optionalText("user", length: 1...512)
        try fields.finish()
        return (EmbeddingQuestion(model: model, inputs: inputs, dimensions: dimensions), form)
    }

    /// A text, a list of texts, a list of tokens, or a list of such lists.
    private static func inputs(_ fields: inout FieldReader) -> [EmbeddingInput] {
        let name = "input"
        switch fields.value(name) {
        case nil:
            fields.refuse(name, code: "required", zh: "必填", en: "is required")
            return []
        case .string(let text)?:
            return input(text, nil, &fields)
        case .array(let items)? where items.isEmpty:
            fields.refuse(name, code: "too_few_items", zh: "至少 1 项", en: "must have at least 1 item")
            return []
        case .array(let items)?:
            if case .number = items[0] { return tokens(items, nil, &fields) }
            guard items.count <= Embeddings.mostInputs else {
                fields.refuse(
                    name, code: "too_many_items", zh: "最多 \(Embeddings.mostInputs) 项",
                    en: "must have at most \(Embeddings.mostInputs) items")
                return []
            }
            return list(items, &fields)
        case _?:
            fields.refuse(name, code: "wrong_type", zh: "应为字符串或数组", en: "must be a string or an array")
            return []
        }
    }

    private static func list(_ items: [JSONValue], _ fields: inout FieldReader) -> [EmbeddingInput] {
        let areTexts = items[0].string != nil
        return items.enumerated().flatMap { index, item -> [EmbeddingInput] in
            switch item {
            case .string(let text) where areTexts: return input(text, index, &fields)
            case .array(let numbers) where !areTexts: return tokens(numbers, index, &fields)
            default:
                fields.refuse(
                    "input", item: index, code: "wrong_type", zh: "各项应同为字符串，或同为词元数组",
                    en: "all items must be strings, or all arrays of tokens")
                return []
            }
        }
    }

    private static func input(_ text: String, _ index: Int?, _ fields: inout FieldReader) -> [EmbeddingInput] {
        guard text.isEmpty else { return [.text(text)] }
        fields.refuse("input", item: index, code: "too_short", zh: "不能为空", en: "must not be empty")
        return []
    }

    private static func tokens(_ items: [JSONValue], _ index: Int?, _ fields: inout FieldReader) -> [EmbeddingInput] {
        let numbers = items.compactMap(\.int).filter { (0...highestToken).contains($0) }
        guard numbers.count == items.count, !numbers.isEmpty else {
            fields.refuse(
                "input", item: index, code: "malformed", zh: "应为非空的词元编号数组", en: "must be a non-empty array of token numbers")
            return []
        }
        return [.tokens(numbers)]
    }
}
