public import FoundationEssentials
import Observability

/// Reads the members of a JSON object and collects every refusal, so that a client learns all of them at once.
///
/// Each method returns a stand-in value where it recorded an issue; ``finish()`` throws then, so no stand-in gets further.
/// `null` counts as a wrong type except for ``patchField(_:_:)``. Members that nobody asked for are refused.
///
/// ```swift
/// var fields = FieldReader(try request.json())
/// let topic = fields.text("topic", length: 1...500)
/// let count = fields.integer("count", in: 1...20, default: 5)
/// try fields.finish()
/// ```
public struct FieldReader {
    private let object: JSONObject
    private let pointer: String
    /// Which of the object's members somebody asked for.
    private var asked: [Bool]
    public private(set) var issues: [FieldIssue] = []

    public init(_ json: JSONValue) { self.init(json, pointer: "") }

    private init(_ json: JSONValue, pointer: String) {
        self.pointer = pointer
        if case .object(let object) = json {
            self.object = object
        } else {
            self.object = JSONObject()
            issues.append(Refusal.wrongType(pointer, expected: LocalizedText(zh: "对象", en: "an object")))
        }
        asked = Array(repeating: false, count: object.count)
    }

    /// - Throws: ``ValidationFailure`` with all issues, unknown members included.
    public mutating func finish() throws {
        collectUnknownFields()
        if !issues.isEmpty { throw ValidationFailure(issues) }
    }

    private mutating func collectUnknownFields() {
        for (place, member) in object.enumerated() where !asked[place] {
            asked[place] = true
            issues.append(Refusal.unknownField(path(member.name)))
        }
    }

    /// Records a refusal of the caller's own.
    ///
    /// - Parameter item: which element of the array `name`, where it is about one.
    public mutating func refuse(_ name: String, item: Int? = nil, code: String, zh: String, en: String) {
        issues.append(Refusal.issue(path(name, item: item), code, zh, en))
    }

    // MARK: Text

    /// A required text of `length` characters; see ``TextRule``.
    public mutating func text(_ name: String, length: ClosedRange<Int>) -> String {
        guard let value = required(name) else { return "" }
        return text(value, name, length: length) ?? ""
    }

    public mutating func optionalText(_ name: String, length: ClosedRange<Int>) -> String? {
        take(name).flatMap { text($0, name, length: length) }
    }

    /// An array of texts; left out = empty.
    public mutating func textList(_ name: String, minItems: Int = 0, maxItems: Int, length: ClosedRange<Int>) -> [String] {
        guard let value = minItems > 0 ? required(name) : take(name) else { return [] }
        return items(value, name, minItems...maxItems).enumerated().compactMap {
            text($0.element, name, item: $0.offset, length: length)
        }
    }

    private mutating func text(
        _ value: JSONValue, _ name: String, item: Int? = nil, length: ClosedRange<Int>, isName: Bool = false
    ) -> String? {
        guard case .string(let text) = value else {
            issues.append(Refusal.wrongType(path(name, item: item), expected: LocalizedText(zh: "字符串", en: "a string")))
            return nil
        }
        let issue =
            isName
            ? NameRule.check(text, length: length, pointer: path(name, item: item))
            : TextRule.check(text, length: length, pointer: path(name, item: item))
        guard let issue else { return text }
        issues.append(issue)
        return nil
    }

    // MARK: Names

    /// A required name of `length` characters; see ``NameRule``.
    public mutating func name(_ name: String, length: ClosedRange<Int>) -> String {
        guard let value = required(name) else { return "" }
        return text(value, name, length: length, isName: true) ?? ""
    }

    public mutating func optionalName(_ name: String, length: ClosedRange<Int>) -> String? {
        take(name).flatMap { text($0, name, length: length, isName: true) }
    }

    /// An array of names; left out = empty.
    public mutating func nameList(_ name: String, minItems: Int = 0, maxItems: Int, length: ClosedRange<Int>) -> [String] {
        guard let value = minItems > 0 ? required(name) : take(name) else { return [] }
        return items(value, name, minItems...maxItems).enumerated().compactMap {
            text($0.element, name, item: $0.offset, length: length, isName: true)
        }
    }

    // MARK: Numbers and truth

    public mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int {
        guard let value = required(name) else { return range.lowerBound }
        return integer(value, name, range) ?? range.lowerBound
    }

    public mutating func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        take(name).flatMap { integer($0, name, range) } ?? fallback
    }

    public mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
        take(name).flatMap { integer($0, name, range) }
    }

    private mutating func integer(_ value: JSONValue, _ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard case .number = value else {
            issues.append(Refusal.wrongType(path(name), expected: LocalizedText(zh: "整数", en: "an integer")))
            return nil
        }
        guard let number = value.int else {
            // A fraction is of the wrong type; a whole number beyond 64 bits is out of range.
            let isFraction = value.double.map { $0.rounded() != $0 } ?? false
            issues.append(
                isFraction
                    ? Refusal.wrongType(path(name), expected: LocalizedText(zh: "整数", en: "an integer"))
                    : Refusal.outOfRange(path(name), range))
            return nil
        }
        guard range.contains(number) else {
            issues.append(Refusal.outOfRange(path(name), range))
            return nil
        }
        return number
    }

    public mutating func bool(_ name: String, default fallback: Bool) -> Bool {
        guard let value = take(name) else { return fallback }
        guard case .bool(let flag) = value else {
            issues.append(Refusal.wrongType(path(name), expected: LocalizedText(zh: "布尔值", en: "a boolean")))
            return fallback
        }
        return flag
    }

    // MARK: Choices, identifiers, instants

    /// A required choice; `nil` only where an issue was recorded.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, of type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        required(name).flatMap { choice($0, name, type) }
    }

    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        take(name).flatMap { choice($0, name, type) } ?? fallback
    }

    public mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(_ name: String, of type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        take(name).flatMap { choice($0, name, type) }
    }

    /// An array of choices, each at most once; left out = empty where `minItems` is 0.
    public mutating func choices<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ name: String, of type: Choice.Type, minItems: Int = 0
    ) -> [Choice] where Choice.RawValue == String {
        guard let value = minItems > 0 ? required(name) : take(name) else { return [] }
        var choices: [Choice] = []
        for (index, item) in items(value, name, minItems...Choice.allCases.count).enumerated() {
            guard let choice = choice(item, "\(name)/\(index)", type) else { continue }
            if choices.contains(choice) {
                refuse(name, item: index, code: "duplicate", zh: "不能重复", en: "is there already")
            } else {
                choices.append(choice)
            }
        }
        return choices
    }

    /// - Parameter member: the name, or that and an index.
    private mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue, _ member: String, _ type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        let pointer = pointer + "/" + member
        guard case .string(let text) = value else {
            issues.append(Refusal.wrongType(pointer, expected: LocalizedText(zh: "字符串", en: "a string")))
            return nil
        }
        guard let choice = Choice(rawValue: text) else {
            issues.append(Refusal.unknownValue(pointer, allowed: Choice.allCases.map(\.rawValue)))
            return nil
        }
        return choice
    }

    /// `nil` where it is left out, or where an issue was recorded.
    public mutating func optionalUUID(_ name: String) -> UUID? {
        parsed(name, expected: LocalizedText(zh: " UUID", en: "a UUID")) { UUID(text: $0) }
    }

    /// `nil` where it is left out, or where an issue was recorded.
    public mutating func optionalDate(_ name: String) -> Date? {
        parsed(name, expected: LocalizedText(zh: " RFC 3339 时间", en: "an RFC 3339 time"), RFC3339.parse)
    }

    private mutating func parsed<Value>(_ name: String, expected: LocalizedText, _ parse: (String) -> Value?) -> Value? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value, let result = parse(text) else {
            issues.append(Refusal.malformed(path(name), expected: expected))
            return nil
        }
        return result
    }

    // MARK: Structure

    /// A nested object; `nil` only where it is left out or an issue was recorded.
    public mutating func optionalObject<Value>(_ name: String, _ read: (inout FieldReader) -> Value) -> Value? {
        take(name).flatMap { nested($0, at: path(name), read) }
    }

    /// A required nested object; `nil` only where an issue was recorded.
    public mutating func object<Value>(_ name: String, _ read: (inout FieldReader) -> Value) -> Value? {
        required(name).flatMap { nested($0, at: path(name), read) }
    }

    /// An array of objects; left out = empty where `minItems` is 0.
    public mutating func objectList<Value>(
        _ name: String, minItems: Int = 0, maxItems: Int, _ read: (inout FieldReader) -> Value
    ) -> [Value] {
        guard let value = minItems > 0 ? required(name) : take(name) else { return [] }
        return items(value, name, minItems...maxItems).enumerated().compactMap {
            nested($0.element, at: path(name, item: $0.offset), read)
        }
    }

    /// A member that a merge patch may leave out, clear with `null`, or set. `read` gets this reader and the name.
    public mutating func patchField<Value>(
        _ name: String, _ read: (inout FieldReader, String) -> Value?
    ) -> Field<Value> {
        switch object[name] {
        case nil: return .absent
        case .null?:
            _ = take(name)
            return .null
        case _?: return read(&self, name).map(Field.value) ?? .absent
        }
    }

    /// Whether the member is there.
    public func has(_ name: String) -> Bool { object[name] != nil }

    /// Any JSON, taken as it is; the caller checks it.
    public mutating func value(_ name: String) -> JSONValue? { take(name) }

    private mutating func nested<Value>(
        _ value: JSONValue, at pointer: String, _ read: (inout FieldReader) -> Value
    ) -> Value? {
        var reader = FieldReader(value, pointer: pointer)
        let result = reader.issues.isEmpty ? read(&reader) : nil
        reader.collectUnknownFields()
        issues.append(contentsOf: reader.issues)
        return reader.issues.isEmpty ? result : nil
    }

    private mutating func items(_ value: JSONValue, _ name: String, _ count: ClosedRange<Int>) -> [JSONValue] {
        guard case .array(let items) = value else {
            issues.append(Refusal.wrongType(path(name), expected: LocalizedText(zh: "数组", en: "an array")))
            return []
        }
        guard items.count <= count.upperBound else {
            issues.append(Refusal.tooManyItems(path(name), count.upperBound))
            return []
        }
        if items.count < count.lowerBound { issues.append(Refusal.tooFewItems(path(name), count.lowerBound)) }
        return items
    }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let place = object.place(of: name) else { return nil }
        asked[place] = true
        return object[place].value
    }

    private mutating func required(_ name: String) -> JSONValue? {
        if let value = take(name) { return value }
        // A body that is no object has been refused as a whole already.
        let isWholeRefused = issues.contains { $0.pointer == pointer && $0.code == "wrong_type" }
        if !isWholeRefused { issues.append(Refusal.required(path(name))) }
        return nil
    }

    /// - Parameter item: which element of the array `name`.
    private func path(_ name: String, item: Int? = nil) -> String {
        let path = pointer + "/" + JSONPointer.escape(name)
        return item.map { path + "/\($0)" } ?? path
    }
}
