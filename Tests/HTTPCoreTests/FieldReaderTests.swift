import Foundation
import HTTPCore
import Testing

@Suite struct FieldReaderTests {
    enum Platform: String, CaseIterable { case douyin, bilibili }

    private func issues(_ json: JSONValue, _ read: (inout FieldReader) -> Void) -> [String] {
        var fields = FieldReader(json)
        read(&fields)
        do {
            try fields.finish()
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch {
            return ["unexpected \(error)"]
        }
    }

    @Test func readsWhatIsThere() throws {
        let json: JSONValue = [
            "topic": "秋天的第一杯奶茶", "keywords": ["a", "b"], "count": 3, "platform": "bilibili", "deep": true,
            "id": "0190163d-8694-739b-aea5-966c26f8ad91", "at": "2026-11-20T08:30:00Z", "source": ["name": "n"],
            "items": [["n": 1], ["n": 2]],
            "raw": [1, nil],
        ]
        var fields = FieldReader(json)
        let topic = fields.text("topic", length: 1...500)
        let tone = fields.optionalText("tone", length: 1...50)
        let keywords = fields.textList("keywords", maxItems: 10, length: 1...50)
        let bannedWords = fields.textList("bannedWords", maxItems: 10, length: 1...50)
        let count = fields.integer("count", in: 1...20, default: 5)
        let maxLength = fields.integer("maxLength", in: 1...20, default: 5)
        let platform = fields.choice("platform", of: Platform.self, default: .douyin)
        let deep = fields.bool("deep", default: false)
        let id = fields.optionalUUID("id")
        let at = fields.optionalDate("at")
        let source = fields.object("source") { $0.text("name", length: 1...5) }
        let items = fields.objectList("items", maxItems: 5) { $0.integer("n", in: 0...9) }
        let raw = fields.value("raw")
        try fields.finish()
        #expect(topic == "秋天的第一杯奶茶" && tone == nil)
        #expect(keywords == ["a", "b"] && bannedWords == [])
        #expect(count == 3 && maxLength == 5)
        #expect(platform == .bilibili && deep)
        #expect(id == UUID(uuidString: "0190163d-8694-739b-aea5-966c26f8ad91"))
        #expect(at == Date(timeIntervalSince1970: 1_795_163_400))
        #expect(source == "n" && items == [1, 2] && raw == [1, nil])
    }

    @Test(
        "A name is one line in which everything can be seen",
        arguments: [
            ("客服预算", nil), ("QPS test-1", nil), ("👨‍👩‍👧 家庭 ❤️", nil), ("日本　語", nil), ("Ünïcode é", nil),
            ("客服\u{200B}预算", "invisible_character"), ("\u{202E}gpj.exe", "invisible_character"),
            ("a\u{200D}b", "invisible_character"),
            ("a\u{FE0F}", "invisible_character"), ("软\u{AD}连字", "invisible_character"), ("\u{3164}x", "invisible_character"),
            ("两\n行", "invisible_character"), ("\u{FEFF}头", "invisible_character"), ("尾\u{2060}", "invisible_character"),
            (" 前", "blank_edge"), ("后 ", "blank_edge"), ("后\u{3000}", "blank_edge"), ("", "too_short"),
            ("\u{7}", "control_character"),
        ] as [(String, String?)])
    func names(text: String, code: String?) {
        let found = issues(["name": .string(text), "list": ["好", .string(text)]]) { fields in
            _ = fields.name("name", length: 1...20)
            _ = fields.nameList("list", maxItems: 2, length: 1...20)
        }
        #expect(found == (code.map { ["/name \($0)", "/list/1 \($0)"] } ?? []))
    }

    @Test func collectsEveryIssueWithItsPointer() {
        let json: JSONValue = [
            "topic": 1, "keywords": ["ok", "", 7, "\u{7}"], "sellingPoints": "x", "count": 0, "platform": "tiktok", "deep": "yes",
            "a/b~c": 1,
            "source": ["name": "", "extra": 1], "items": [["n": 1], 5, [:]],
        ]
        let found = issues(json) { fields in
            _ = fields.text("topic", length: 1...500)
            _ = fields.text("title", length: 1...500)
            _ = fields.textList("keywords", maxItems: 10, length: 1...50)
            _ = fields.textList("sellingPoints", maxItems: 10, length: 1...50)
            _ = fields.integer("count", in: 1...20, default: 5)
            _ = fields.choice("platform", of: Platform.self, default: .douyin)
            _ = fields.bool("deep", default: false)
            _ = fields.object("source") { $0.text("name", length: 1...5) }
            _ = fields.objectList("items", maxItems: 5) { $0.integer("n", in: 0...9) }
        }
        #expect(
            found == [
                "/topic wrong_type", "/title required", "/keywords/1 too_short", "/keywords/2 wrong_type",
                "/keywords/3 control_character",
                "/sellingPoints wrong_type", "/count out_of_range", "/platform unknown_value", "/deep wrong_type",
                "/source/name too_short",
                "/source/extra unknown_field", "/items/1 wrong_type", "/items/2/n required", "/a~1b~0c unknown_field",
            ])
    }

    @Test func refusesABodyThatIsNoObjectOnce() {
        for json in [[1], "x", nil, 5] as [JSONValue] {
            #expect(issues(json) { _ = $0.text("topic", length: 1...5) } == [" wrong_type"])
        }
    }

    @Test func saysOneAndMany() {
        func words(_ length: ClosedRange<Int>, _ items: Int) -> [String?] {
            var fields = FieldReader(["t": "", "l": []])
            _ = fields.text("t", length: length)
            _ = fields.textList("l", minItems: items, maxItems: 9, length: 1...5)
            return fields.issues.map(\.message.en)
        }
        #expect(words(1...5, 1) == ["must have at least 1 character", "must have at least 1 item"])
        #expect(words(2...5, 2) == ["must have at least 2 characters", "must have at least 2 items"])
    }

    @Test func countsCharactersAsPeopleDo() {
        let family = "👨‍👩‍👧‍👦"
        func check(_ text: String) -> [String] { issues(["t": .string(text)]) { _ = $0.text("t", length: 2...4) } }
        #expect(check(String(repeating: family, count: 4)) == [])
        #expect(check(String(repeating: family, count: 5)) == ["/t too_long"])
        #expect(check("秋天快乐") == [])
        #expect(check("秋天快乐啊") == ["/t too_long"])
        // One grapheme may be as long as it likes; eight code points per character are enough for people.
        #expect(check("aa" + String(repeating: "\u{301}", count: 30)) == [])
        #expect(check("aa" + String(repeating: "\u{301}", count: 31)) == ["/t too_long"])
        #expect(check("a") == ["/t too_short"])
        #expect(check(" \n\u{3000}") == ["/t blank"])
        #expect(check("a\tb\n") == [])
        #expect(check("a\rb") == ["/t control_character"])
        #expect(check("a\u{85}b") == ["/t control_character"])
    }

    @Test(arguments: [
        ("1.5", "wrong_type"), ("\"1\"", "wrong_type"), ("null", "wrong_type"), ("1e400", "out_of_range"),
        ("99999999999999999999", "out_of_range"), ("-1", "out_of_range"), ("21", "out_of_range"), ("true", "wrong_type"),
    ]) func refusesOtherIntegers(_ text: String, _ code: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(issues(["n": value]) { _ = $0.integer("n", in: 0...20) } == ["/n \(code)"])
    }

    @Test func tellsAbsentNullAndValueApart() throws {
        func read(_ json: JSONValue) throws -> Field<String> {
            var fields = FieldReader(json)
            let field = fields.patchField("tone") { $0.optionalText($1, length: 1...5) }
            try fields.finish()
            return field
        }
        #expect(try read([:]) == .absent)
        #expect(try read(["tone": nil]) == .null)
        #expect(try read(["tone": "x"]) == .value("x"))
        #expect(throws: ValidationFailure.self) { try read(["tone": "123456"]) }
        #expect(Field.absent.merged(into: "old") == "old")
        #expect(Field<String>.null.merged(into: "old") == nil)
        #expect(Field.value("new").merged(into: "old") == "new")
    }

    @Test func limitsLists() {
        let json: JSONValue = ["a": ["1", "2", "3"], "b": []]
        let found = issues(json) { fields in
            _ = fields.textList("a", maxItems: 2, length: 1...5)
            _ = fields.textList("b", minItems: 1, maxItems: 2, length: 1...5)
            _ = fields.textList("c", minItems: 1, maxItems: 2, length: 1...5)
        }
        #expect(found == ["/a too_many_items", "/b too_few_items", "/c required"])
    }
}

@Suite struct QueryReaderTests {
    private static let kind = PageCursor.Kind("contents", of: Position.self)

    struct Position: Codable, Equatable {
        var at: Date
        var id: UUID
    }

    private func issues(_ query: [(name: String, value: String)]) -> [String] {
        var reader = QueryReader(query)
        _ = reader.integer("limit", in: 1...100, default: 20)
        _ = reader.optionalChoice("kind", of: FieldReaderTests.Platform.self)
        _ = reader.optionalText("q", length: 1...10)
        _ = reader.bool("all", default: false)
        _ = reader.cursor(Self.kind)
        do {
            try reader.finish()
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch {
            return ["unexpected \(error)"]
        }
    }

    @Test func collectsEveryIssue() {
        #expect(issues([("limit", "5"), ("kind", "douyin"), ("q", "秋"), ("all", "true")]) == [])
        #expect(
            issues([("limit", "0"), ("kind", "x"), ("q", ""), ("all", "1"), ("cursor", "%"), ("page", "1")]) == [
                "?limit out_of_range", "?kind unknown_value", "?q too_short", "?all wrong_type", "?cursor malformed",
                "?page unknown_field",
            ])
        #expect(issues([("limit", "1"), ("limit", "2")]) == ["?limit repeated"])
        for limit in ["", "+1", "1.0", "x", "１"] { #expect(issues([("limit", limit)]) == ["?limit wrong_type"]) }
        #expect(issues([("limit", "99999999999999999999")]) == ["?limit out_of_range"])
    }

    @Test func theRefusalOfAnUnknownParameterNamesTheKnownOnes() throws {
        var reader = QueryReader([("page", "1")])
        _ = reader.integer("limit", in: 1...100, default: 20)
        _ = reader.cursor(Self.kind)
        let failure = #expect(throws: ValidationFailure.self) { try reader.finish() }
        #expect(failure?.issues.map(\.message.en) == ["is not a known parameter; known: cursor, limit"])
    }

    @Test func cursorsComeBackAsTheyWent() throws {
        let position = Position(at: Date(timeIntervalSince1970: 1_795_163_400.5), id: UUID())
        let cursor = try PageCursor.encode(position, as: Self.kind)
        #expect(cursor.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        #expect(PageCursor.decode(cursor, as: Self.kind) == position)
        #expect(PageCursor.decode(cursor, as: PageCursor.Kind("assets", of: Position.self)) == nil)
        for text in ["", "x", cursor + "A", String(cursor.dropLast(2)), "e30", String(repeating: "A", count: 4_000)] {
            #expect(PageCursor.decode(text, as: Self.kind) == nil)
        }
    }
}

@Suite struct AcceptLanguageTests {
    @Test(arguments: [
        (nil, LocalizedText.Language.zh), ("", .zh), ("en", .en), ("en-GB,en;q=0.9", .en), ("zh-CN,zh;q=0.9,en;q=0.8", .zh),
        ("en;q=0.5, zh;q=0.4", .en), ("fr, en;q=0.1", .en), ("fr", .zh), ("*", .zh), ("en;q=0", .zh), ("EN-us", .en),
        (";;,q=", .zh),
    ]) func choosesTheLanguage(_ header: String?, _ language: LocalizedText.Language) {
        #expect(LocalizedText.Language(acceptLanguage: header) == language)
    }
}
