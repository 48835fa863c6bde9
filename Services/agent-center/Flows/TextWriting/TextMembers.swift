import HTTPCore

/// A text seen as its members: every string in it, named by its JSON pointer.
enum TextMembers {
    struct Member: Sendable, Equatable {
        let pointer: String
        let text: String
    }

    static func all(of text: some Encodable) throws -> [Member] {
        var members: [Member] = []
        _ = mapped(try JSONValue(encoding: text), at: "") { pointer, text in
            members.append(Member(pointer: pointer, text: text))
            return text
        }
        return members
    }

    /// The same text with other members where `changes` names them.
    static func replacing<Text: Codable>(_ changes: [String: String], in text: Text) throws -> Text {
        guard !changes.isEmpty else { return text }
        let changed = mapped(try JSONValue(encoding: text), at: "") { pointer, text in changes[pointer] ?? text }
        return try JSON.decode(Text.self, from: changed)
    }

    private static func mapped(
        _ value: JSONValue, at pointer: String, _ change: (_ pointer: String, _ text: String) -> String
    ) -> JSONValue {
        switch value {
        case .string(let text): return .string(change(pointer, text))
        case .array(let items):
            return .array(items.enumerated().map { mapped($0.element, at: "\(pointer)/\($0.offset)", change) })
        case .object(let object):
            var changed = JSONObject()
            for (name, value) in object {
                changed[name] = mapped(value, at: "\(pointer)/\(JSONPointer.escape(name))", change)
            }
            return .object(changed)
        case .null, .bool, .number: return value
        }
    }
}
