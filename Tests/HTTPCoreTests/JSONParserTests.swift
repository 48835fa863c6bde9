import HTTPCore
import Testing

@Suite struct JSONParserTests {
    private func refusal(_ bytes: [UInt8]) -> JSONParsingError? {
        do throws(JSONParsingError) {
            _ = try JSONValue(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    private func refusal(_ text: String) -> JSONParsingError? { refusal(Array(text.utf8)) }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-1.5e-3", "1E+2", "18446744073709551616", "1e400", #""""#, #""é 秋 👨‍👩‍👧""#, "[]", "{}",
        #"{"b":1e3,"a":[1.0,true,null,{"":"x"}]}"#,
    ]) func givesBackWhatItRead(_ text: String) throws {
        let value = try JSONValue(parsing: Array(" \n\t\(text)\r ".utf8))
        #expect(String(decoding: value.encode(), as: UTF8.self) == text)
    }

    @Test func unescapes() throws {
        let value = try JSONValue(parsing: Array(#""\"\\\/\b\f\n\r\t\u79cb\uD83D\uDE00\u00e9""#.utf8))
        #expect(value == "\"\\/\u{8}\u{c}\n\r\t秋😀é")
        #expect(String(decoding: value.encode(), as: UTF8.self) == #""\"\\/\u0008\u000c\n\r\t秋😀é""#)
    }

    @Test(arguments: [
        ("", JSONParsingError.Reason.empty), ("  ", .unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd),
        ("\"a", .unexpectedEnd),
        ("tru", .unexpectedEnd), ("trux", .unexpectedCharacter), ("nul1", .unexpectedCharacter), ("NaN", .unexpectedCharacter),
        ("'a'", .unexpectedCharacter), ("[1,]", .unexpectedCharacter), ("{\"a\":1,}", .unexpectedCharacter),
        ("{a:1}", .unexpectedCharacter),
        ("{\"a\" 1}", .unexpectedCharacter), ("1 2", .trailingCharacters), ("{}x", .trailingCharacters), ("01", .malformedNumber),
        ("-", .malformedNumber), ("1.", .malformedNumber), (".5", .unexpectedCharacter), ("1e", .malformedNumber),
        ("+1", .unexpectedCharacter),
        (#""\x""#, .malformedEscape), (#""\u12g4""#, .malformedEscape), ("\"a\nb\"", .controlCharacter),
        ("\"\u{1}\"", .controlCharacter),
        ("/* */1", .unexpectedCharacter),
    ]) func refusesWhatIsNoJSON(_ text: String, _ reason: JSONParsingError.Reason) throws {
        let error = try #require(refusal(text))
        #expect(error.reason == reason)
        #expect(error.problem.status == .badRequest)
        #expect(error.problem.code == "request.malformed_json")
    }

    @Test(
        arguments: [
            [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0xFE, 0xFF, 0x00, 0x7B], [0xFF, 0xFE, 0x7B, 0x00], [0x7B, 0x00, 0x7D, 0x00],
            [0x00, 0x7B, 0x00, 0x7D],
            [0x00, 0x00, 0x00, 0x7B],
        ] as [[UInt8]]) func refusesByteOrderMarksAndWideEncodings(_ bytes: [UInt8])
    {
        #expect(refusal(bytes)?.reason == .byteOrderMark)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xF0, 0x9F, 0x98, 0x22], [0x22, 0xC0, 0x80, 0x22],
            [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
        ] as [[UInt8]]) func refusesInvalidUTF8(_ bytes: [UInt8])
    {
        #expect(refusal(bytes)?.reason == .invalidUTF8)
        #expect(refusal(bytes)?.problem.status == .unprocessableContent)
    }

    @Test(arguments: [
        (#"{"a":{"b":1,"c":2,"b":3}}"#, JSONParsingError.Reason.duplicateKey, "/a/b"),
        (#"{"a":1,"\u0061":2}"#, .duplicateKey, "/a"),
        (#"{"x":[0,"a\u0000b"]}"#, .nullCharacter, "/x/1"), (#"["\ud800"]"#, .loneSurrogate, "/0"),
        (#"["\ud800\u0041"]"#, .loneSurrogate, "/0"),
        (#"["\udc00"]"#, .loneSurrogate, "/0"), (#"{"a/b":{"c~d":"\u0000"}}"#, .nullCharacter, "/a~1b/c~0d"),
    ]) func pointsAtWhatNobodyCouldStore(_ text: String, _ reason: JSONParsingError.Reason, _ pointer: String) throws {
        let error = try #require(refusal(text))
        #expect(error.reason == reason)
        #expect(error.problem.status == .unprocessableContent)
        #expect(error.problem.code == "request.invalid")
        #expect(error.problem.issues.map(\.pointer) == [pointer])
    }

    @Test func findsDuplicatesInLongObjects() {
        let members = (0..<5_000).map { "\"k\($0)\":\($0)" }
        #expect(refusal("{\(members.joined(separator: ","))}") == nil)
        #expect(refusal("{\(members.joined(separator: ",")),\"k3\":0}")?.pointer == "/k3")
    }

    @Test func allows64LevelsAndNoMore() {
        #expect(refusal(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)) == nil)
        #expect(refusal(String(repeating: "[", count: 65) + String(repeating: "]", count: 65))?.reason == .tooDeep)
        #expect(refusal(String(repeating: #"{"a":"#, count: 100_000))?.reason == .tooDeep)
    }

    @Test func readsNumbersExactlyOrNotAtAll() throws {
        func number(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }
        #expect(try number("9223372036854775807").int == Int.max)
        #expect(try number("9223372036854775808").int == nil)
        #expect(try number("2.0").int == 2)
        #expect(try number("2e3").int == 2_000)
        #expect(try number("2.5").int == nil)
        #expect(try number("1e400").double == nil)
        #expect(try number("1e400").int == nil)
        #expect(try number("0.1").double == 0.1)
    }

    /// Cutting a text anywhere, or flipping any byte of it, never crashes, and what is taken is written back as the same value.
    @Test func survivesEveryCutAndFlip() throws {
        let text = Array(#"{"topic":"秋天\n\ud83d\ude00","n":[-1.5e3,true,null,{"":""}]}"#.utf8)
        for end in 0..<text.count { #expect(refusal(Array(text[..<end])) != nil) }
        var taken = 0
        for index in text.indices {
            for bit in 0..<8 {
                var flipped = text
                flipped[index] ^= 1 << UInt8(bit)
                guard let value = try? JSONValue(parsing: flipped) else { continue }
                taken += 1
                #expect(try JSONValue(parsing: value.encode()) == value)
            }
        }
        #expect(taken > 20)
    }
}
