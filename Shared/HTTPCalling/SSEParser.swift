/// Reads `text/event-stream` (WHATWG HTML §9.2.6) from bytes cut anywhere: inside a line end, a field name or a UTF-8 character.
///
/// Lines end with CR, LF or CRLF. An event that is not closed by an empty line is dropped, as the standard says.
public struct SSEParser: Sendable {
    public struct Event: Sendable, Equatable {
        /// The last `id` that the stream has set, also by an earlier event.
        public var id: String?
        /// `message` unless the stream named it.
        public var event: String
        /// All `data` lines, joined with LF.
        public var data: String
        /// Milliseconds to wait before a reconnect, if this event said so.
        public var retry: Int?

        public init(id: String? = nil, event: String = "message", data: String, retry: Int? = nil) {
            self.id = id
            self.event = event
            self.data = data
            self.retry = retry
        }
    }

    public enum Item: Sendable, Equatable {
        case event(Event)
        /// A line that begins with a colon, e.g. `: keep-alive`; its text without the colon and one space.
        case comment(String)
    }

    /// One event (or line) is longer than the parser's limit.
    public struct EventTooLarge: Error, Equatable {}

    private let maxEventBytes: Int
    private var line: [UInt8] = []
    private var skipLineFeed = false
    private var isFirstLine = true
    private var data: [UInt8] = []
    private var hasData = false
    private var eventName: String?
    private var lastId: String?
    private var retry: Int?

    public init(maxEventBytes: Int = 4 << 20) {
        self.maxEventBytes = maxEventBytes
    }

    public mutating func feed(_ bytes: [UInt8]) throws(EventTooLarge) -> [Item] {
        var items: [Item] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if skipLineFeed {
                skipLineFeed = false
                if byte == Self.lineFeed {
                    index += 1
                    start = index
                    continue
                }
            }
            if byte == Self.lineFeed || byte == Self.carriageReturn {
                line += bytes[start..<index]
                skipLineFeed = byte == Self.carriageReturn
                try checkSize()
                if let item = endLine() { items.append(item) }
                start = index + 1
            }
            index += 1
        }
        line += bytes[start...]
        try checkSize()
        return items
    }

    private func checkSize() throws(EventTooLarge) {
        guard line.count + data.count <= maxEventBytes else { throw EventTooLarge() }
    }

    private mutating func endLine() -> Item? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard let first = line.first else { return dispatch() }
        let colon = line.firstIndex(of: Self.colon)
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if first == Self.colon { return .comment(String(decoding: value, as: UTF8.self)) }
        let name = line[..<(colon ?? line.endIndex)]
        if name.elementsEqual("data".utf8) {
            if hasData { data.append(Self.lineFeed) }
            data += value
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            eventName = String(decoding: value, as: UTF8.self)
        } else if name.elementsEqual("id".utf8) {
            if !value.contains(0) { lastId = String(decoding: value, as: UTF8.self) }
        } else if name.elementsEqual("retry".utf8), !value.isEmpty, value.allSatisfy({ (0x30...0x39).contains($0) }) {
            retry = Int(String(decoding: value, as: UTF8.self))
        }
        return nil
    }

    private mutating func dispatch() -> Item? {
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
            eventName = nil
            retry = nil
        }
        guard hasData else { return nil }
        let name = eventName.flatMap { $0.isEmpty ? nil : $0 } ?? "message"
        return .event(Event(id: lastId, event: name, data: String(decoding: data, as: UTF8.self), retry: retry))
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let colon = UInt8(ascii: ":")
}
