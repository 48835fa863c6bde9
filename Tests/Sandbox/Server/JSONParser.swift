extension JSON {
    struct Malformed: Error {
        var offset: Int
    }

    init(parsing bytes: [UInt8]) throws(Malformed) {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw Malformed(offset: parser.position) }
        self = value
    }

    /// The first complete object of a text, wherever it begins, that the condition accepts.
    static func firstObject(in text: String, where accepts: (JSON) -> Bool) -> JSON? {
        let bytes = Array(text.utf8)
        for start in bytes.indices where bytes[start] == UInt8(ascii: "{") {
            var parser = JSONParser(bytes: bytes)
            parser.position = start
            if let value = try? parser.value(), accepts(value) { return value }
        }
        return nil
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    private var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private var failure: JSON.Malformed { JSON.Malformed(offset: position) }

    private func peek() throws(JSON.Malformed) -> UInt8 {
        guard position < bytes.count else { throw failure }
        return bytes[position]
    }

    mutating func value() throws(JSON.Malformed) -> JSON {
        skipSpace()
        depth += 1
        defer { depth -= 1 }
        guard depth < 128 else { throw failure }
        switch try peek() {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSON.Malformed) -> JSON {
        for index in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[index] else { throw failure }
            position += 1
        }
        return value
    }

    private mutating func number() throws(JSON.Malformed) -> JSON {
        let start = position
        while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard Double(text) != nil else { throw failure }
        return .number(text)
    }

    private mutating func array() throws(JSON.Malformed) -> JSON {
        position += 1
        var items: [JSON] = []
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(items)
        }
        while true {
            items.append(try value())
            if try endOfItem(closing: UInt8(ascii: "]")) { return .array(items) }
        }
    }

    private mutating func object() throws(JSON.Malformed) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw failure }
            let name = try string()
            skipSpace()
            guard try peek() == UInt8(ascii: ":") else { throw failure }
            position += 1
            members.append(JSON.Member(name: name, value: try value()))
            if try endOfItem(closing: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    private mutating func endOfItem(closing: UInt8) throws(JSON.Malformed) -> Bool {
        skipSpace()
        let byte = try peek()
        guard byte == closing || byte == UInt8(ascii: ",") else { throw failure }
        position += 1
        return byte == closing
    }

    private mutating func string() throws(JSON.Malformed) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
            position += 1
        }
        var output = bytes[start..<min(position, bytes.count)]
        while try peek() != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") {
                position += 1
                try escape(&output)
            } else {
                output.append(bytes[position])
                position += 1
            }
        }
        position += 1
        return String(decoding: output, as: UTF8.self)
    }

    private mutating func escape(_ output: inout ArraySlice<UInt8>) throws(JSON.Malformed) {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if (0xD800..<0xDC00).contains(units[0]), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                units.append(try unit())
            }
            output += String(decoding: units, as: UTF16.self).utf8
        default: throw failure
        }
    }

    private mutating func unit() throws(JSON.Malformed) -> UInt16 {
        guard position + 4 <= bytes.count,
            let value = UInt16(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        else { throw failure }
        position += 4
        return value
    }
}
