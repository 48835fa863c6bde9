import HTTPCore

/// Something that a prompt is told: a name, a type, and whether it may be left out.
struct PromptVariable: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// At most `maxLength` grapheme clusters, and 8 times as many code points (design §9).
        case text(maxLength: Int)
        case textList(maxItems: Int, maxLength: Int)
        case integer(ClosedRange<Int>)
        case choice([String])
        case boolean
        /// Any JSON object of at most `maxBytes` bytes of text.
        case object(maxBytes: Int)

        /// Whether its values are made of our own words and digits alone. Only such may stand inside instructions: whatever else
        /// somebody writes is data.
        var isClosed: Bool {
            switch self {
            case .integer, .choice, .boolean: true
            case .text, .textList, .object: false
            }
        }

        var name: String {
            switch self {
            case .text: "text"
            case .textList: "textList"
            case .integer: "integer"
            case .choice: "choice"
            case .boolean: "boolean"
            case .object: "object"
            }
        }
    }

    let name: String
    let kind: Kind
    var isRequired: Bool
    var description: String

    /// - Returns: what is wrong with the value, or `nil`.
    func objection(to value: JSONValue) -> PromptVariableError.Problem? {
        switch (kind, value) {
        case (_, .null): isRequired ? .required : nil
        case (.text(let limit), .string(let text)): fits(text, limit) ? nil : .tooLong(limit)
        case (.textList(let items, let limit), .array(let values)):
            if values.count > items {
                .tooManyItems(items)
            } else if !values.allSatisfy({ $0.string != nil }) {
                .wrongType(kind.name)
            } else {
                values.allSatisfy { fits($0.string ?? "", limit) } ? nil : .tooLong(limit)
            }
        case (.integer(let range), .number):
            value.int.map { range.contains($0) ? nil : .outOfRange(range) } ?? .wrongType(kind.name)
        case (.choice(let choices), .string(let text)): choices.contains(text) ? nil : .unknownChoice(choices)
        case (.boolean, .bool): nil
        case (.object(let limit), .object): value.encode().count <= limit ? nil : .tooLong(limit)
        default: .wrongType(kind.name)
        }
    }

    private func fits(_ text: String, _ limit: Int) -> Bool {
        text.utf8.count <= limit || text.count <= limit && text.unicodeScalars.count <= 8 * limit
    }
}

/// Why a prompt could not be rendered: the caller's values do not fit its variables.
struct PromptVariableError: Error, Sendable, Equatable {
    enum Problem: Sendable, Equatable {
        case unknown
        case required
        case wrongType(String)
        case tooLong(Int)
        case tooManyItems(Int)
        case outOfRange(ClosedRange<Int>)
        case unknownChoice([String])
    }

    struct Fault: Sendable, Equatable {
        let variable: String
        let problem: Problem
    }

    /// In the order of the prompt's variables, unknown ones last by name.
    let faults: [Fault]
}
