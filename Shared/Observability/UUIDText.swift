public import FoundationEssentials

/// How ids are written everywhere: lower case, with hyphens. Foundation goes through C's `sscanf` and `snprintf` for it, which costs as
/// much as the rest of a log line; every request reads and writes several.
extension UUID {
    /// `3f2c9a51-…`: 36 characters, lower case.
    public var text: String {
        let digits: StaticString = "0123456789abcdef"
        return withUnsafeBytes(of: uuid) { bytes in
            String(unsafeUninitializedCapacity: 36) { text in
                var position = 0
                for (index, byte) in bytes.enumerated() {
                    if index == 4 || index == 6 || index == 8 || index == 10 {
                        text[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    text[position] = digits.utf8Start[Int(byte >> 4)]
                    text[position + 1] = digits.utf8Start[Int(byte & 15)]
                    position += 2
                }
                return position
            }
        }
    }

    /// Reads what `init(uuidString:)` reads.
    public init?(text: String) {
        var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        let isRead = withUnsafeMutableBytes(of: &bytes) { bytes in
            var text = text.utf8.makeIterator()
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10, text.next() != UInt8(ascii: "-") { return false }
                guard let high = text.next().flatMap(Self.hexDigit), let low = text.next().flatMap(Self.hexDigit) else {
                    return false
                }
                bytes[index] = high << 4 | low
            }
            return text.next() == nil
        }
        guard isRead else { return nil }
        self.init(uuid: bytes)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
