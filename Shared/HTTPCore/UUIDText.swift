public import FoundationEssentials

extension UUID {
    /// Reads what `init(uuidString:)` reads, without its detour over C's `sscanf`: every request has several.
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
