/// Bytes that are looked at without holding them all.
protocol ByteSource {
    var size: Int { get }

    /// At most `count` bytes from `offset` on: fewer at the end.
    func read(at offset: Int, count: Int) throws -> [UInt8]
}

extension ByteSource {
    /// The first `count` bytes.
    func head(_ count: Int) throws -> [UInt8] { try read(at: 0, count: min(count, size)) }

    /// The last `count` bytes.
    func tail(_ count: Int) throws -> [UInt8] { try read(at: max(0, size - count), count: min(count, size)) }
}

extension [UInt8]: ByteSource {
    var size: Int { count }

    func read(at offset: Int, count: Int) -> [UInt8] { Array(dropFirst(offset).prefix(count)) }
}

/// Little-endian numbers, as ZIP has them.
extension [UInt8] {
    func number(at offset: Int, bytes: Int) -> Int? {
        guard offset >= 0, offset + bytes <= count else { return nil }
        return self[offset..<offset + bytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Where the pattern stands first.
    func firstIndex(of pattern: [UInt8], from start: Int = 0) -> Int? {
        guard count >= pattern.count, let first = pattern.first else { return nil }
        var index = start
        while index <= count - pattern.count {
            if self[index] == first, self[index..<index + pattern.count].elementsEqual(pattern) { return index }
            index += 1
        }
        return nil
    }
}
