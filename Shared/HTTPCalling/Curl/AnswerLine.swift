/// One line of an answer's head, as curl hands it over.
enum AnswerLine: Equatable {
    case status(Int)
    case field(name: String, value: String)
    /// The empty line after the head.
    case end
    /// Nothing that we could read.
    case other

    init(_ bytes: UnsafeRawBufferPointer) {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0x0D || bytes[end - 1] == 0x0A { end -= 1 }
        let line = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        if line.isEmpty {
            self = .end
        } else if line.starts(with: "HTTP/".utf8) {
            self = .status(Self.code(of: line))
        } else if let colon = line.firstIndex(of: 0x3A) {
            self = .field(
                name: Self.text(line, Self.afterSpaces(line, from: 0, to: colon)..<colon),
                value: Self.trimmed(line, from: colon + 1))
        } else {
            self = .other
        }
    }

    /// The second word; 0 where that is no number.
    private static func code(of line: UnsafeRawBufferPointer) -> Int {
        guard let space = line.firstIndex(of: 0x20) else { return 0 }
        let start = afterSpaces(line, from: space, to: line.count)
        let end = line[start...].firstIndex(of: 0x20) ?? line.count
        return Int(text(line, start..<end)) ?? 0
    }

    private static func trimmed(_ line: UnsafeRawBufferPointer, from start: Int) -> String {
        let start = afterSpaces(line, from: start, to: line.count)
        var end = line.count
        while end > start, isSpace(line[end - 1]) { end -= 1 }
        return text(line, start..<end)
    }

    private static func afterSpaces(_ line: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, isSpace(line[index]) { index += 1 }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// From memory in one piece, which is copied at once.
    private static func text(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: line[range]), as: UTF8.self)
    }
}
