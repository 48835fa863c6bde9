import Cryptography

/// Vectors of unit length that depend on nothing but the text: equal texts are equal, others are almost at right angles.
enum Embeddings {
    static func answer(_ json: JSON, seed: UInt64) -> Answer {
        let inputs: [String]
        switch json["input"] {
        case .string(let text): inputs = [text]
        case .array(let items) where items.allSatisfy({ $0.string != nil }): inputs = items.compactMap(\.string)
        case .array(let items) where items.allSatisfy({ $0.int != nil }): inputs = [JSON.array(items).text]
        case .array(let items) where items.allSatisfy({ $0.array != nil }): inputs = items.map(\.text)
        default: inputs = []
        }
        guard !inputs.isEmpty, inputs.count <= 2_048, inputs.allSatisfy({ !$0.isEmpty }) else {
            return ErrorAnswers.invalid("'$.input' is invalid. Please check the API reference.", param: "input")
        }
        guard let model = json["model"]?.string, model.hasPrefix("text-embedding-") || model.hasPrefix("fault:") else {
            return ErrorAnswers.invalid("The model does not exist.", param: "model", code: "model_not_found", status: 404)
        }
        let dimensions = json["dimensions"]?.int ?? (model.hasSuffix("-large") ? 3_072 : 1_536)
        guard (1...3_072).contains(dimensions) else { return ErrorAnswers.invalid("invalid dimensions", param: "dimensions") }
        let isBase64 = json["encoding_format"]?.string == "base64"
        let data = inputs.enumerated().map { index, text -> JSON in
            let vector = vector(of: text, dimensions: dimensions, seed: seed)
            let embedding: JSON = isBase64 ? .string(base64(vector)) : .array(vector.map { .number("\($0)") })
            return .make(["object": .string("embedding"), "index": .int(index), "embedding": embedding])
        }
        let tokens = inputs.reduce(0) { $0 + tokenCount(bytes: $1.utf8.count) }
        return Answer(
            status: 200,
            json: .make([
                "object": .string("list"), "data": .array(data), "model": .string(model),
                "usage": .make(["prompt_tokens": .int(tokens), "total_tokens": .int(tokens)]),
            ]))
    }

    static func vector(of text: String, dimensions: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed, Array(text.utf8))
        let raw = (0..<dimensions).map { _ in Float(Int(generator.next() % 2_001) - 1_000) / 1_000 }
        let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? raw.map { $0 / length } : raw
    }

    private static func base64(_ vector: [Float]) -> String {
        Base64.encode(vector.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) } })
    }
}
