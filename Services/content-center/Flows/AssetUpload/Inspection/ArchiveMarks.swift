import Glibc

/// Archives that are found by the mark with which they begin, wherever it stands: unpackers look for it far into a file, since programs that
/// unpack themselves have one too. No picture, sound or video has such a mark by chance.
enum ArchiveMarks {
    private static let marks: [(type: String, bytes: [UInt8])] = [
        ("application/vnd.rar", Array("Rar!".utf8) + [0x1A, 0x07]),
        ("application/x-7z-compressed", Array("7z".utf8) + [0xBC, 0xAF, 0x27, 0x1C]),
    ]
    private static let length = 6
    private static let piece = 1 << 20
    /// As far as unpackers look for it.
    static let reach = 4 << 20

    /// The media type of the archive that stands exactly there.
    static func type(at place: Int, of file: some ByteSource) throws -> String? {
        let bytes = try file.read(at: place, count: length)
        return marks.first { $0.bytes == bytes }?.type
    }

    /// That of one whose mark stands in the range.
    static func type(in range: Range<Int>, of file: some ByteSource) throws -> String? {
        var place = range.lowerBound
        while place < range.upperBound {
            let bytes = try file.read(at: place, count: min(piece, range.upperBound - place))
            if let found = marks.first(where: { contains(bytes, $0.bytes) }) { return found.type }
            // A mark may begin in this piece and end in the next.
            guard bytes.count == piece else { return nil }
            place += piece - length + 1
        }
        return nil
    }

    private static func contains(_ bytes: [UInt8], _ mark: [UInt8]) -> Bool {
        guard let first = mark.first else { return false }
        return bytes.withUnsafeBytes { bytes in
            var place = 0
            while place + mark.count <= bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
                guard let start = rest.baseAddress, let found = memchr(start, Int32(first), rest.count) else { return false }
                place += UnsafeRawPointer(found) - start
                if bytes[place...].starts(with: mark) { return true }
                place += 1
            }
            return false
        }
    }
}
