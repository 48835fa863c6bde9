import HTTPCore

/// A prompt as its author wrote it, checked. The same for prompts that ship with the service and for tenants' versions.
///
/// The template is what the model is told to do. It may name only variables whose values are closed (integers, choices, booleans);
/// everything that a customer wrote goes into the data, one JSON object in the last message.
struct PromptDefinition: Sendable, Equatable {
    /// What one member of the data object holds.
    enum Datum: Sendable, Equatable {
        case variable(String)
        case constant(JSONValue)
    }

    enum Segment: Sendable, Equatable {
        case text(String)
        case placeholder(String)
    }

    struct Member: Sendable, Equatable {
        let name: String
        let datum: Datum
    }

    /// The use it is made for, e.g. `title-zh`; routing policies go by it.
    var scene: String
    /// `zh` or `en`: the language of the standing instruction.
    var language: String
    var description: String
    var variables: [PromptVariable]
    var template: String
    /// In the order in which they stand in the object.
    var data: [Member]
    /// `nil`: the answer is plain text.
    var schema: AnswerSchema?
    var maxTokens: TokenFormula?
    var temperature: Double?

    /// The name that a second question uses for what was wrong with the first answer.
    static let correctionMember = "correction"

    static func == (lhs: PromptDefinition, rhs: PromptDefinition) -> Bool {
        PromptFile.text(of: lhs) == PromptFile.text(of: rhs)
    }

    /// Whether the data holds the value of this variable.
    func gives(_ variable: String) -> Bool { data.contains { $0.datum == .variable(variable) } }

    /// Splits a template at its `{{placeholders}}`.
    ///
    /// - Throws: ``MalformedPlaceholder`` for `{{` that no name and `}}` follow.
    static func segments(of template: String) throws(MalformedPlaceholder) -> [Segment] {
        var segments: [Segment] = []
        var rest = template[...]
        while let open = rest.firstRange(of: "{{") {
            let behind = rest[open.upperBound...]
            guard let close = behind.firstRange(of: "}}"), isName(behind[..<close.lowerBound]) else {
                let line = 1 + template[..<open.lowerBound].count { $0.isNewline }
                throw MalformedPlaceholder(line: line, excerpt: String(rest[open.lowerBound...].prefix(20)))
            }
            if open.lowerBound > rest.startIndex { segments.append(.text(String(rest[..<open.lowerBound]))) }
            segments.append(.placeholder(String(behind[..<close.lowerBound])))
            rest = behind[close.upperBound...]
        }
        if !rest.isEmpty { segments.append(.text(String(rest))) }
        return segments
    }

    struct MalformedPlaceholder: Error, Equatable {
        let line: Int
        let excerpt: String
    }

    /// Names of variables and of data members: a letter, then letters, digits and `_`; at most 64.
    static func isName(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter, text.utf8.count <= 64 else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// Names of prompts: lower case, digits, `_`, `-`, `.`; at most 64; a letter first.
    static func isPromptName(_ text: String) -> Bool {
        guard let first = text.first, ("a"..."z").contains(first), text.utf8.count <= 64 else { return false }
        return text.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || "_-.".contains($0) }
    }
}
