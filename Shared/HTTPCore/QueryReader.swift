public import FoundationEssentials
import Observability

/// ``FieldReader``'s sister for query parameters; pointers are `?name`. Unknown and repeated parameters are refused; the refusal of an
/// unknown one names those that are read, so that callers, and the test of the documents, hear from the code what it takes.
public struct QueryReader {
    private let parameters: [(name: String, value: String)]
    private var asked: Set<String> = []
    public private(set) var issues: [FieldIssue] = []

    public init(_ parameters: [(name: String, value: String)]) { self.parameters = parameters }

    /// - Throws: ``ValidationFailure`` with all issues.
    public mutating func finish() throws {
        let known = asked.sorted()
        for name in parameters.map(\.name) where asked.insert(name).inserted {
            issues.append(Refusal.unknownParameter("?" + name, known: known))
        }
        if !issues.isEmpty { throw ValidationFailure(issues) }
    }

    public mutating func optionalText(_ name: String, length: ClosedRange<Int>) -> String? {
        guard let text = take(name) else { return nil }
        guard let issue = TextRule.check(text, length: length, pointer: "?" + name) else { return text }
        issues.append(issue)
        return nil
    }

    public mutating func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let text = take(name) else { return fallback }
        guard isDecimal(text) else {
            issues.append(Refusal.wrongType("?" + name, expected: LocalizedText(zh: "整数", en: "an integer")))
            return fallback
        }
        guard let number = Int(text), range.contains(number) else {
            issues.append(Refusal.outOfRange("?" + name, range))
            return fallback
        }
        return number
    }

    public mutating func bool(_ name: String, default fallback: Bool) -> Bool {
        switch take(name) {
        case nil: return fallback
        case "true": return true
        case "false": return false
        default:
            issues.append(Refusal.wrongType("?" + name, expected: LocalizedText(zh: "布尔值", en: "a boolean")))
            return fallback
        }
    }

    public mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(_ name: String, of type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = take(name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        issues.append(Refusal.unknownValue("?" + name, allowed: Choice.allCases.map(\.rawValue)))
        return nil
    }

    public mutating func optionalUUID(_ name: String) -> UUID? {
        guard let text = take(name) else { return nil }
        if let uuid = UUID(text: text) { return uuid }
        issues.append(Refusal.malformed("?" + name, expected: LocalizedText(zh: " UUID", en: "a UUID")))
        return nil
    }

    public mutating func optionalDate(_ name: String) -> Date? {
        guard let text = take(name) else { return nil }
        if let date = RFC3339.parse(text) { return date }
        issues.append(Refusal.malformed("?" + name, expected: LocalizedText(zh: " RFC 3339 时间", en: "an RFC 3339 time")))
        return nil
    }

    /// A keyset cursor of the given kind; a malformed one is refused with the pointer `?cursor`.
    public mutating func cursor<Position: Codable>(_ kind: PageCursor.Kind<Position>, name: String = "cursor") -> Position? {
        guard let text = take(name) else { return nil }
        if let position = PageCursor.decode(text, as: kind) { return position }
        issues.append(Refusal.malformed("?" + name, expected: LocalizedText(zh: "上一页返回的游标", en: "a cursor from the page before")))
        return nil
    }

    private mutating func take(_ name: String) -> String? {
        asked.insert(name)
        let values = parameters.filter { $0.name == name }
        if values.count > 1 { issues.append(Refusal.issue("?" + name, "repeated", "不能重复", "must not be repeated")) }
        return values.first?.value
    }

    private func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    }
}
