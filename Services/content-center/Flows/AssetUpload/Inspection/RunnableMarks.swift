import Glibc

/// What PHP and browsers run wherever it stands, if they are given the file as theirs.
enum RunnableMarks {
    /// In small letters, and with one of ``separators`` behind them. So many bytes stand in compressed data by chance once in some hundred
    /// thousand pictures of 20 MB; shorter ones, as `<svg` or `<?=`, would be found in ordinary pictures.
    private static let marks: [(name: String, bytes: [UInt8])] = [
        ("PHP", Array("<?php".utf8)), ("text/html", Array("<script".utf8)), ("text/html", Array("<html".utf8)),
        ("text/html", Array("<iframe".utf8)), ("text/html", Array("<!doctype html".utf8)),
    ]
    private static let separators = Set(" \t\n\r\u{0C}/>".utf8)
    private static let longest = 15
    private static let pieceSize = 1 << 20

    /// What the first mark in the file belongs to.
    static func name(in file: some ByteSource) throws -> String? {
        var place = 0
        while place < file.size {
            let bytes = try file.read(at: place, count: pieceSize)
            if let name = name(in: bytes) { return name }
            // A mark may begin in this piece and end in the next.
            guard bytes.count == pieceSize else { return nil }
            place += pieceSize - longest
        }
        return nil
    }

    private static func name(in bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { bytes -> String? in
            guard let base = bytes.baseAddress else { return nil }
            var place = 0
            while place < bytes.count, let found = memchr(base + place, Int32(UInt8(ascii: "<")), bytes.count - place) {
                place = UnsafeRawPointer(found) - base
                let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
                if let mark = marks.first(where: { begins(rest, with: $0.bytes) }) { return mark.name }
                place += 1
            }
            return nil
        }
    }

    private static func begins(_ text: UnsafeRawBufferPointer, with mark: [UInt8]) -> Bool {
        guard text.count > mark.count, separators.contains(text[mark.count]) else { return false }
        for (byte, wanted) in zip(text, mark) {
            let small = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if small != wanted { return false }
        }
        return true
    }
}
