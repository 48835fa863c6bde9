import COpenSSL

/// RFC 4648 §5 without padding, as JWTs write bytes.
public enum Base64URL {
    public static func encode(_ bytes: [UInt8]) -> String { Base64Coding.url.encode(bytes) }

    /// `nil` for padding, foreign characters, impossible lengths and unused bits that are not zero: each value has one spelling only.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? { Base64Coding.url.decode(Array(text.utf8)) }
}

/// RFC 4648 §4 with padding, as settings write keys and vendors write vectors.
public enum Base64 {
    public static func encode(_ bytes: [UInt8]) -> String {
        // OpenSSL ends the text with a zero.
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { text in
            Int(EVP_EncodeBlock(text.baseAddress, bytes, Int32(bytes.count)))
        }
    }

    /// `nil` unless it is exactly what ``encode(_:)`` writes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        if characters.isEmpty { return [] }
        let padding = characters.suffix(2).count { $0 == UInt8(ascii: "=") }
        let length = characters.count / 4 * 3
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            isWhole = Int(EVP_DecodeBlock(buffer.baseAddress, characters, Int32(characters.count))) == length
            count = isWhole ? length - padding : 0
        }
        // OpenSSL takes blanks, and bits that nobody uses.
        return isWhole && encode(bytes).utf8.elementsEqual(characters) ? bytes : nil
    }
}

/// Lower-case hexadecimal digits.
public enum Hex {
    public static func encode(_ bytes: [UInt8]) -> String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digits.utf8Start[Int(byte >> 4)]
                text[2 * index + 1] = digits.utf8Start[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }

    /// Takes both cases; `nil` for an odd length or another character.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 2)
        for index in stride(from: 0, to: characters.count, by: 2) {
            guard let high = digit(characters[index]), let low = digit(characters[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

private struct Base64Coding: Sendable {
    static let url = Base64Coding(alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    private let characters: [UInt8]
    /// By character; 0xFF for those outside the alphabet.
    private let values: [UInt8]

    private init(alphabet: String) {
        characters = Array(alphabet.utf8)
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0...group.count { text.append(characters[Int(bits >> UInt32(18 - 6 * index) & 63)]) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bits & ((1 << count) - 1) == 0 ? bytes : nil
    }
}
