import HTTPCalling
import Testing

@Suite struct SSEParserTests {
    private func parse(_ bytes: [UInt8], splitAt splits: [Int] = []) throws -> [SSEParser.Item] {
        var parser = SSEParser()
        var items: [SSEParser.Item] = []
        var start = 0
        for end in splits + [bytes.count] {
            items += try parser.feed(Array(bytes[start..<end]))
            start = end
        }
        return items
    }

    private func parse(_ text: String) throws -> [SSEParser.Item] { try parse(Array(text.utf8)) }

    private func event(_ data: String, id: String? = nil, event: String = "message", retry: Int? = nil) -> SSEParser.Item {
        .event(.init(id: id, event: event, data: data, retry: retry))
    }

    private static let text =
        "\u{FEFF}: keep-alive\n\nid: 爆1\nevent: delta\ndata: {\"t\":\"标题👍🏽\"}\ndata:second\n\ndata: [DONE]\n\n:x\n\ndata: dropped"

    private var expected: [SSEParser.Item] {
        [
            .comment("keep-alive"), event("{\"t\":\"标题👍🏽\"}\nsecond", id: "爆1", event: "delta"), event("[DONE]", id: "爆1"),
            .comment("x"),
        ]
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func everySplitIntoTwoOrThreePiecesReadsTheSame(lineEnd: String) throws {
        let bytes = Array(Self.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: lineEnd).utf8)
        for first in 0...bytes.count {
            #expect(try parse(bytes, splitAt: [first]) == expected)
            for second in stride(from: first, through: bytes.count, by: 3) {
                #expect(try parse(bytes, splitAt: [first, second]) == expected)
            }
        }
        #expect(try parse(bytes, splitAt: Array(0..<bytes.count)) == expected)
    }

    @Test func mixedLineEndsInOneStream() throws {
        #expect(try parse("data: a\r\n\rdata: b\n\ndata: c\r\r\n") == [event("a"), event("b"), event("c")])
    }

    @Test func fieldsFollowTheStandard() throws {
        #expect(try parse("data\n\n") == [event("")])
        #expect(try parse("data:  two spaces\n\n") == [event(" two spaces")])
        #expect(try parse("data:a\ndata\ndata:b\n\n") == [event("a\n\nb")])
        #expect(try parse("event: only\n\n") == [])
        #expect(try parse("event: once\ndata: a\n\ndata: b\n\n") == [event("a", event: "once"), event("b")])
        #expect(try parse("id: 1\ndata: a\n\nid\ndata: b\n\n") == [event("a", id: "1"), event("b", id: "")])
        #expect(try parse("id: 1\0\ndata: a\n\n") == [event("a")])
        #expect(try parse("retry: 250\ndata: a\n\nretry: 2s\ndata: b\n\n") == [event("a", retry: 250), event("b")])
        #expect(try parse("unknown: x\ndata: a\n\n") == [event("a")])
        #expect(try parse("data: a: b\n\n") == [event("a: b")])
    }

    @Test func anUnfinishedEventIsDropped() throws {
        #expect(try parse("data: a\n") == [])
        #expect(try parse("data: a") == [])
    }

    @Test func invalidUTF8BecomesReplacementCharactersAndHarmsNothingElse() throws {
        #expect(try parse(Array("data: a".utf8) + [0xFF] + Array("b\n\ndata: c\n\n".utf8)) == [event("a\u{FFFD}b"), event("c")])
    }

    @Test func endlessEventsAreRefused() throws {
        var parser = SSEParser(maxEventBytes: 100)
        #expect(throws: SSEParser.EventTooLarge.self) {
            for _ in 0..<20 { _ = try parser.feed(Array("data: 0123456789".utf8)) }
        }
        var lines = SSEParser(maxEventBytes: 100)
        #expect(throws: SSEParser.EventTooLarge.self) {
            for _ in 0..<20 { _ = try lines.feed(Array("data: 0123456789\n".utf8)) }
        }
    }
}
