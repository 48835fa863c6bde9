import Glibc

/// Why a text is not JSON that we take, and where.
public struct JSONParsingError: HTTPFailure, Equatable {
    public enum Reason: String, Sendable {
        // Not JSON at all: 400 `request.malformed_json`.
        case empty
        case byteOrderMark = "byte_order_mark"
        case unexpectedCharacter = "unexpected_character"
        case unexpectedEnd = "unexpected_end"
        case trailingCharacters = "trailing_characters"
        case malformedNumber = "malformed_number"
        case malformedEscape = "malformed_escape"
        case controlCharacter = "control_character"
        // JSON by its grammar, yet nothing one can store or agree upon: 422 `request.invalid`.
        case duplicateKey = "duplicate_key"
        case invalidUTF8 = "invalid_utf8"
        case nullCharacter = "null_character"
        case loneSurrogate = "lone_surrogate"
        case tooDeep = "too_deep"

        var isSyntax: Bool {
            switch self {
            case .empty, .byteOrderMark, .unexpectedCharacter, .unexpectedEnd, .trailingCharacters, .malformedNumber,
                .malformedEscape, .controlCharacter:
                true
            case .duplicateKey, .invalidUTF8, .nullCharacter, .loneSurrogate, .tooDeep: false
            }
        }
    }

    public let reason: Reason
    /// Byte offset into the text.
    public let offset: Int
    /// RFC 6901 pointer to the innermost value that was being read.
    public private(set) var pointer: String

    init(_ reason: Reason, at offset: Int, pointer: String = "") {
        self.reason = reason
        self.offset = offset
        self.pointer = pointer
    }

    func inside(_ component: String) -> JSONParsingError {
        JSONParsingError(reason, at: offset, pointer: "/" + JSONPointer.escape(component) + pointer)
    }

    /// What is wrong, and where.
    public var message: LocalizedText {
        LocalizedText(zh: "第 \(offset) 字节处：\(wording.zh)", en: "At byte \(offset): \(wording.en)")
    }

    public var problem: ProblemDescription {
        let issue = FieldIssue(pointer: pointer, code: reason.rawValue, message: message)
        guard reason.isSyntax else { return ValidationFailure([issue]).problem }
        return ProblemDescription(
            status: .badRequest, code: "request.malformed_json",
            title: LocalizedText(zh: "请求体不是合法的 JSON", en: "The body is not valid JSON"), detail: issue.message, issues: [issue])
    }

    private var wording: LocalizedText {
        switch reason {
        case .empty: LocalizedText(zh: "内容为空", en: "the text is empty")
        case .byteOrderMark: LocalizedText(zh: "不接受字节顺序标记，请使用 UTF-8", en: "byte order marks and UTF-16/32 are not accepted")
        case .unexpectedCharacter: LocalizedText(zh: "出现意外字符", en: "unexpected character")
        case .unexpectedEnd: LocalizedText(zh: "内容提前结束", en: "unexpected end")
        case .trailingCharacters: LocalizedText(zh: "JSON 之后还有多余内容", en: "something follows the JSON value")
        case .malformedNumber: LocalizedText(zh: "数字格式不正确", en: "malformed number")
        case .malformedEscape: LocalizedText(zh: "转义序列不正确", en: "malformed escape sequence")
        case .controlCharacter: LocalizedText(zh: "字符串中有未转义的控制字符", en: "unescaped control character in a string")
        case .duplicateKey: LocalizedText(zh: "对象中有重复的字段名", en: "a name stands twice in one object")
        case .invalidUTF8: LocalizedText(zh: "不是合法的 UTF-8", en: "invalid UTF-8")
        case .nullCharacter: LocalizedText(zh: "不接受 U+0000", en: "U+0000 is not accepted")
        case .loneSurrogate: LocalizedText(zh: "代理项不成对", en: "unpaired surrogate")
        case .tooDeep: LocalizedText(zh: "嵌套超过 \(JSONParser.maximumDepth) 层", en: "nested deeper than \(JSONParser.maximumDepth)")
        }
    }
}

/// RFC 6901.
public enum JSONPointer {
    /// `~` and `/` inside one component.
    public static func escape(_ component: String) -> String {
        guard component.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return component }
        var escaped = ""
        for character in component.unicodeScalars {
            switch character {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

extension JSONValue {
    /// Reads RFC 8259 JSON and nothing else; see ``JSONParsingError/Reason`` for what is refused.
    public init(parsing text: [UInt8]) throws(JSONParsingError) {
        let result = text.withUnsafeBufferPointer { bytes -> Result<JSONValue, JSONParsingError> in
            var parser = JSONParser(bytes)
            do throws(JSONParsingError) { return .success(try parser.parse()) } catch { return .failure(error) }
        }
        self = try result.get()
    }
}

/// A recursive-descent reader over borrowed bytes; recursion is bounded by ``maximumDepth``.
struct JSONParser {
    static let maximumDepth = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func parse() throws(JSONParsingError) -> JSONValue {
        // UTF-16 and UTF-32 have a zero among the first two bytes, or a mark that is no UTF-8.
        if bytes.count >= 2, bytes[0] == 0 || bytes[1] == 0 || (bytes[0] >= 0xFE && bytes[1] >= 0xFE) {
            throw JSONParsingError(.byteOrderMark, at: 0)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONParsingError(.byteOrderMark, at: 0) }
        skipSpace()
        guard position < bytes.count else { throw JSONParsingError(bytes.isEmpty ? .empty : .unexpectedEnd, at: position) }
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw JSONParsingError(.trailingCharacters, at: position) }
        return value
    }

    private mutating func parseValue(depth: Int) throws(JSONParsingError) -> JSONValue {
        guard position < bytes.count else { throw JSONParsingError(.unexpectedEnd, at: position) }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): return try parseArray(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: throw JSONParsingError(.unexpectedCharacter, at: position)
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONParsingError) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw JSONParsingError(.tooDeep, at: position) }
        position += 1
        var members: [(name: String, value: JSONValue)] = []
        var seen: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(JSONObject()) }
        while true {
            let start = position
            guard position < bytes.count else { throw JSONParsingError(.unexpectedEnd, at: position) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw JSONParsingError(.unexpectedCharacter, at: position) }
            let name = try parseString()
            // A set pays off only for long objects; short ones are compared directly.
            let isNew: Bool
            if members.count < 12 {
                isNew = !members.contains { $0.name == name }
            } else {
                if seen.isEmpty { seen = Set(members.map(\.name)) }
                isNew = seen.insert(name).inserted
            }
            guard isNew else { throw JSONParsingError(.duplicateKey, at: start).inside(name) }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            do { members.append((name, try parseValue(depth: depth))) } catch { throw error.inside(name) }
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(JSONObject(uniqueMembers: members)) }
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONParsingError) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw JSONParsingError(.tooDeep, at: position) }
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            do { items.append(try parseValue(depth: depth)) } catch { throw error.inside(String(items.count)) }
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(items) }
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONParsingError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw JSONParsingError(.unexpectedEnd, at: position) }
            guard bytes[position] == word.utf8Start[index] else { throw JSONParsingError(.unexpectedCharacter, at: position) }
            position += 1
        }
        return value
    }

    private mutating func parseNumber() throws(JSONParsingError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            // No digit may follow a leading zero.
            if position < bytes.count, isDigit(bytes[position]) { throw JSONParsingError(.malformedNumber, at: position) }
        } else {
            try digits()
        }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(JSONParsingError) {
        let start = position
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        guard position > start else { throw JSONParsingError(.malformedNumber, at: position) }
    }

    private mutating func parseString() throws(JSONParsingError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return try text(UnsafeBufferPointer(rebasing: bytes[start..<position]), at: start)
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            guard byte >= 0x20 else { throw JSONParsingError(.controlCharacter, at: position) }
            position += 1
        }
        throw JSONParsingError(.unexpectedEnd, at: position)
    }

    /// The slow way, from the first backslash on.
    private mutating func parseEscapedString(from start: Int) throws(JSONParsingError) -> String {
        var unescaped = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: unescaped, as: UTF8.self) else {
                    throw JSONParsingError(.invalidUTF8, at: start)
                }
                return string
            case UInt8(ascii: "\\"):
                try appendEscape(to: &unescaped)
            default:
                guard byte >= 0x20 else { throw JSONParsingError(.controlCharacter, at: position) }
                unescaped.append(byte)
                position += 1
            }
        }
        throw JSONParsingError(.unexpectedEnd, at: position)
    }

    private mutating func appendEscape(to unescaped: inout [UInt8]) throws(JSONParsingError) {
        let start = position
        guard position + 1 < bytes.count else { throw JSONParsingError(.unexpectedEnd, at: bytes.count) }
        position += 2
        switch bytes[start + 1] {
        case UInt8(ascii: "\""): unescaped.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): unescaped.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): unescaped.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try fourHexDigits())
            if (0xD800..<0xDC00).contains(code) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
                else { throw JSONParsingError(.loneSurrogate, at: start) }
                position += 2
                let low = UInt32(try fourHexDigits())
                guard (0xDC00..<0xE000).contains(low) else { throw JSONParsingError(.loneSurrogate, at: start) }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            }
            guard code != 0 else { throw JSONParsingError(.nullCharacter, at: start) }
            guard let scalar = Unicode.Scalar(code) else { throw JSONParsingError(.loneSurrogate, at: start) }
            unescaped.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        default: throw JSONParsingError(.malformedEscape, at: start)
        }
    }

    private mutating func fourHexDigits() throws(JSONParsingError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw JSONParsingError(.unexpectedEnd, at: bytes.count) }
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = hexValue(bytes[position]) else { throw JSONParsingError(.malformedEscape, at: position) }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private func text(_ slice: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONParsingError) -> String {
        // `String(validating:)` looks up generic metadata each time, which takes as long as the rest: a repaired text shows that it was.
        var string = String(decoding: slice, as: UTF8.self)
        let isValid = string.withUTF8 { utf8 in
            guard utf8.count == slice.count, let own = utf8.baseAddress, let given = slice.baseAddress else {
                return slice.isEmpty
            }
            return memcmp(own, given, slice.count) == 0
        }
        guard isValid else { throw JSONParsingError(.invalidUTF8, at: start) }
        return string
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONParsingError) {
        guard position < bytes.count else { throw JSONParsingError(.unexpectedEnd, at: position) }
        guard take(byte) else { throw JSONParsingError(.unexpectedCharacter, at: position) }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
}

/// 0…15 for a hexadecimal digit of either case.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
