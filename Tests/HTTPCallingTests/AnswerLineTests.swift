import Testing

@testable import HTTPCalling

@Suite struct AnswerLineTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", AnswerLine.status(200)), ("HTTP/1.1  404\r\n", .status(404)), ("HTTP/2 503\n", .status(503)),
        ("HTTP/1.1 abc\r\n", .status(0)), ("HTTP/1.1\r\n", .status(0)), ("\r\n", .end), ("", .end), ("nonsense\r\n", .other),
        ("ETag: \"1\"\r\n", .field(name: "ETag", value: "\"1\"")), ("X-A:b\r\n", .field(name: "X-A", value: "b")),
        ("  X-B \t: \t c d \t\r\n", .field(name: "X-B \t", value: "c d")), ("Empty:\r\n", .field(name: "Empty", value: "")),
        ("Blank:  \r\n", .field(name: "Blank", value: "")), ("时: 间\r\n", .field(name: "时", value: "间")),
    ])
    func readsWhatServersSend(text: String, expected: AnswerLine) {
        #expect(Array(text.utf8).withUnsafeBytes { AnswerLine($0) } == expected)
    }
}
