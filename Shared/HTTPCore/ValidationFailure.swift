/// 422 `request.invalid`: the request was understood and these fields of it were refused.
public struct ValidationFailure: HTTPFailure {
    public let issues: [FieldIssue]

    public init(_ issues: [FieldIssue]) { self.issues = issues }

    /// For the rule that no reader knows, e.g. a domain rule over two fields.
    public init(pointer: String, code: String, zh: String, en: String) {
        self.init([FieldIssue(pointer: pointer, code: code, message: LocalizedText(zh: zh, en: en))])
    }

    public var problem: ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: "request.invalid",
            title: LocalizedText(zh: "请求内容不符合要求", en: "The request is not valid"), issues: issues)
    }
}

/// A member of a merge patch (RFC 7396): left out, set to null, or given a value.
public enum Field<Value> {
    case absent
    case null
    case value(Value)

    /// What the stored value becomes.
    public func merged(into current: Value?) -> Value? {
        switch self {
        case .absent: current
        case .null: nil
        case .value(let value): value
        }
    }
}

extension Field: Sendable where Value: Sendable {}
extension Field: Equatable where Value: Equatable {}

/// The refusals that the readers share.
enum Refusal {
    static func issue(_ pointer: String, _ code: String, _ zh: String, _ en: String) -> FieldIssue {
        FieldIssue(pointer: pointer, code: code, message: LocalizedText(zh: zh, en: en))
    }

    static func required(_ pointer: String) -> FieldIssue { issue(pointer, "required", "必填", "is required") }

    static func wrongType(_ pointer: String, expected: LocalizedText) -> FieldIssue {
        issue(pointer, "wrong_type", "应为\(expected.zh)", "must be \(expected.en)")
    }

    static func unknownField(_ pointer: String) -> FieldIssue {
        issue(pointer, "unknown_field", "没有这个字段", "is not a known field")
    }

    static func unknownParameter(_ pointer: String, known: [String]) -> FieldIssue {
        guard !known.isEmpty else { return issue(pointer, "unknown_field", "没有这个参数", "is not a known parameter") }
        let list = known.joined(separator: ", ")
        return issue(pointer, "unknown_field", "没有这个参数，可用：\(list)", "is not a known parameter; known: \(list)")
    }

    static func outOfRange(_ pointer: String, _ range: ClosedRange<Int>) -> FieldIssue {
        issue(
            pointer, "out_of_range", "应在 \(range.lowerBound) 到 \(range.upperBound) 之间",
            "must be between \(range.lowerBound) and \(range.upperBound)")
    }

    static func unknownValue(_ pointer: String, allowed: [String]) -> FieldIssue {
        let list = allowed.joined(separator: ", ")
        return issue(pointer, "unknown_value", "可选值：\(list)", "must be one of: \(list)")
    }

    static func malformed(_ pointer: String, expected: LocalizedText) -> FieldIssue {
        issue(pointer, "malformed", "应为\(expected.zh)", "must be \(expected.en)")
    }

    /// `1 item`, `2 items`.
    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    static func tooLong(_ pointer: String, _ limit: Int) -> FieldIssue {
        issue(pointer, "too_long", "最多 \(limit) 个字", "must have at most \(counted(limit, "character"))")
    }

    static func tooShort(_ pointer: String, _ limit: Int) -> FieldIssue {
        issue(pointer, "too_short", "至少 \(limit) 个字", "must have at least \(counted(limit, "character"))")
    }

    static func tooManyItems(_ pointer: String, _ limit: Int) -> FieldIssue {
        issue(pointer, "too_many_items", "最多 \(limit) 项", "must have at most \(counted(limit, "item"))")
    }

    static func tooFewItems(_ pointer: String, _ limit: Int) -> FieldIssue {
        issue(pointer, "too_few_items", "至少 \(limit) 项", "must have at least \(counted(limit, "item"))")
    }
}

/// How long a text is and what may stand in it: N characters as people count them (grapheme clusters), at most 8 N code points,
/// because one grapheme can be 200 kB; no control characters but newline and tab.
public enum TextRule {
    public static func check(
        _ text: String, length: ClosedRange<Int>, pointer: @autoclosure () -> String
    ) -> FieldIssue? {
        // Counting code points first keeps the count of characters from running over a huge text.
        var codePoints = 0
        var eachIsACharacter = true
        for scalar in text.unicodeScalars {
            codePoints += 1
            if codePoints > length.upperBound * 8 { return Refusal.tooLong(pointer(), length.upperBound) }
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            if isControl, scalar != "\n", scalar != "\t" {
                return Refusal.issue(pointer(), "control_character", "不能包含控制字符", "must not contain control characters")
            }
            eachIsACharacter = eachIsACharacter && scalar.standsAlone
        }
        let count = eachIsACharacter ? codePoints : text.count
        if count > length.upperBound { return Refusal.tooLong(pointer(), length.upperBound) }
        if count < length.lowerBound { return Refusal.tooShort(pointer(), length.lowerBound) }
        if length.lowerBound > 0, text.isBlank {
            return Refusal.issue(pointer(), "blank", "不能为空白", "must not be blank")
        }
        return nil
    }
}

/// What people tell things apart by: a text of one line in which everything can be seen, and which begins and ends with something. Two
/// names that look the same are the same.
public enum NameRule {
    public static func check(_ text: String, length: ClosedRange<Int>, pointer: @autoclosure () -> String) -> FieldIssue? {
        if let issue = TextRule.check(text, length: length, pointer: pointer()) { return issue }
        if text.hasInvisibleCharacters {
            return Refusal.issue(pointer(), "invisible_character", "不能含有不可见字符", "must not contain invisible characters")
        }
        if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            return Refusal.issue(pointer(), "blank_edge", "首尾不能有空白", "must not begin or end with a blank")
        }
        return nil
    }
}

extension String {
    /// Whether it holds something that no reader sees: control characters, line ends, zero-width characters and fillers, marks of
    /// direction. What makes one picture of several emoji is none of them where it does so.
    public var hasInvisibleCharacters: Bool {
        guard unicodeScalars.contains(where: \.isInvisible) else { return false }
        let scalars = Array(unicodeScalars)
        return scalars.indices.contains { index in
            guard scalars[index].isInvisible else { return false }
            let before = index > 0 ? scalars[index - 1] : nil
            switch scalars[index].value {
            case 0xFE0E, 0xFE0F: return before?.properties.isEmoji != true
            case 0x200D:
                let after = index + 1 < scalars.count ? scalars[index + 1] : nil
                return before.map { $0.properties.isEmoji || $0.value == 0xFE0F } != true || after?.properties.isEmoji != true
            default: return true
            }
        }
    }

    /// Whether there is nothing to see in it. The first code point tells of nearly every text; white space ends with U+3000.
    fileprivate var isBlank: Bool {
        guard let first = unicodeScalars.first else { return true }
        return first.value <= 0x3000 && first.properties.isWhitespace && allSatisfy(\.isWhitespace)
    }
}

extension Unicode.Scalar {
    fileprivate var isInvisible: Bool {
        switch value {
        case 0x20...0x7E, 0x4E00...0x9FFF, 0x3000...0x30FF: return false
        // A cell of braille without dots.
        case 0x2800: return true
        default: break
        }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }
}
