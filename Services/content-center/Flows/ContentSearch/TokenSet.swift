/// Tokens, each once.
///
/// A text has hundreds of them, nearly all short: what takes up to eight bytes of UTF-8 is kept as the integer that the bytes spell (`防晒` as
/// 0xE998B2E69992), since sets tell integers apart at a fraction of what strings cost. Strings are made once, of what is left in the end.
struct TokenSet {
    private var short: Set<UInt64>
    private var long: Set<String> = []

    init(minimumCapacity: Int = 0) { short = Set(minimumCapacity: minimumCapacity) }

    /// - Parameters:
    ///   - scalars: without U+0000.
    ///   - mark: stands before them.
    mutating func insert(_ scalars: some Collection<Unicode.Scalar>, mark: String = "") {
        var spelling: UInt64 = 0
        for byte in mark.utf8 { spelling = spelling << 8 | UInt64(byte) }
        for scalar in scalars {
            guard spelling.leadingZeroBitCount >= scalar.utf8.count * 8 else {
                long.insert(mark + SearchTokens.Run.text(scalars))
                return
            }
            for byte in scalar.utf8 { spelling = spelling << 8 | UInt64(byte) }
        }
        short.insert(spelling)
    }

    mutating func formUnion(_ other: TokenSet) {
        short.formUnion(other.short)
        long.formUnion(other.long)
    }

    mutating func subtract(_ other: TokenSet) {
        short.subtract(other.short)
        long.subtract(other.long)
    }

    /// In no order.
    var texts: [String] { short.map(Self.text) + long }

    /// The same and some more as one text, for which no strings are made of them.
    func joined(with more: [String] = [], separator: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 * (short.count + more.count))
        for spelling in short {
            if !bytes.isEmpty { bytes += separator.utf8 }
            withUnsafeBytes(of: spelling.bigEndian) { bytes += $0.dropFirst(spelling.leadingZeroBitCount / 8) }
        }
        for token in [Array(long), more].joined() {
            if !bytes.isEmpty { bytes += separator.utf8 }
            bytes += token.utf8
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func text(_ spelling: UInt64) -> String {
        withUnsafeBytes(of: spelling.bigEndian) { bytes in
            String(decoding: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(spelling.leadingZeroBitCount / 8)), as: UTF8.self)
        }
    }
}
