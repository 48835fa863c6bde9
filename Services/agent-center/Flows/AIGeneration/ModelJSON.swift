import HTTPCore

/// Reads the JSON that a model wrote, mending what can be mended without guessing: text around it, a code fence, commas before
/// a closing bracket. An object that was cut off stays unread: to close it would be to invent its end.
enum ModelJSON {
    static func parse(_ text: String) -> JSONValue? {
        let bytes = Array(text.utf8)
        if let value = try? JSONValue(parsing: bytes), isStructure(value) { return value }
        for start in bytes.indices where bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") {
            guard let end = endOfStructure(bytes, from: start) else { continue }
            let piece = Array(bytes[start...end])
            if let value = try? JSONValue(parsing: piece) { return value }
            if let value = try? JSONValue(parsing: withoutTrailingCommas(piece)) { return value }
            // What looked like a structure was prose: `{见下文}`. Look behind its beginning.
        }
        return nil
    }

    private static func isStructure(_ value: JSONValue) -> Bool { value.object != nil || value.array != nil }

    /// The index of the bracket that closes the one at `start`; brackets inside strings do not count.
    private static func endOfStructure(_ bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var inString = false
        var escaped = false
        for index in start..<bytes.count {
            let byte = bytes[index]
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
        }
        return nil
    }

    private static func withoutTrailingCommas(_ bytes: [UInt8]) -> [UInt8] {
        var mended: [UInt8] = []
        var inString = false
        var escaped = false
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                let lastInk = mended.lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
                if let lastInk, mended[lastInk] == UInt8(ascii: ",") { mended.remove(at: lastInk) }
            }
            mended.append(byte)
        }
        return mended
    }
}
