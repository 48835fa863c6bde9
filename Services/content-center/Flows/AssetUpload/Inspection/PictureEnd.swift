/// Where a picture says that it is over. What stands behind that is no picture, whoever reads it.
enum PictureEnd {
    /// As many chunks as no honest picture has.
    private static let mostChunks = 100_000

    /// - Returns: `nil` for a JPEG, behind which cameras put films, second pictures and notes of their own, though it has an end; and for what
    ///   is no picture.
    /// - Throws: ``FileFlaw/damaged`` where the picture breaks off before its end.
    static func place(in file: some ByteSource, of type: FileType) throws -> Int? {
        switch type {
        case .png: return try ofPNG(file)
        case .gif: return try ofGIF(file)
        case .webp: return try ofWebP(file)
        case .jpeg:
            try checkJPEG(file)
            return nil
        default: return nil
        }
    }

    /// From segment to segment (ITU-T T.81 B.1), over what is packed between them, to the mark of the end: a preview in a segment has one of
    /// its own.
    private static func checkJPEG(_ file: some ByteSource) throws {
        var offset = 2
        for _ in 0..<mostChunks {
            // Bytes that belong nowhere are passed over, as readers do.
            offset = try nextMark(in: file, from: offset)
            let mark = try file.read(at: offset, count: 4)
            guard mark.count >= 2 else { throw FileFlaw.damaged }
            if mark[1] == 0xD9 { return }
            // Marks without a segment.
            if mark[1] == 0x01 || mark[1] == 0xD8 {
                offset += 2
                continue
            }
            guard mark.count == 4 else { throw FileFlaw.damaged }
            offset += 2 + max(2, Int(mark[2]) << 8 | Int(mark[3]))
        }
        throw FileFlaw.damaged
    }

    /// Neither a packed 255 nor a mark to begin anew at.
    private static func nextMark(in file: some ByteSource, from start: Int) throws -> Int {
        var offset = start
        while true {
            let piece = try file.read(at: offset, count: 1 << 16)
            guard piece.count >= 2 else { throw FileFlaw.damaged }
            var place = 0
            while let found = piece[place...].firstIndex(of: 0xFF), found + 1 < piece.count {
                let next = piece[found + 1]
                if next != 0, next != 0xFF, !(0xD0...0xD7).contains(next) { return offset + found }
                place = found + 1
            }
            // The last byte may be the first of a mark.
            offset += piece.count - 1
        }
    }

    /// From chunk to chunk; `IEND` is the end.
    private static func ofPNG(_ file: some ByteSource) throws -> Int {
        var offset = 8
        for _ in 0..<mostChunks {
            let chunk = try file.read(at: offset, count: 8)
            guard chunk.count == 8 else { throw FileFlaw.damaged }
            let length = chunk[0..<4].reduce(0) { $0 << 8 | Int($1) }
            offset += 12 + length
            guard offset <= file.size else { throw FileFlaw.damaged }
            if chunk[4..<8].elementsEqual("IEND".utf8) { return offset }
        }
        throw FileFlaw.damaged
    }

    /// The size that stands in it is the file's.
    private static func ofWebP(_ file: some ByteSource) throws -> Int {
        guard let length = try file.head(8).number(at: 4, bytes: 4), length + 8 <= file.size else { throw FileFlaw.damaged }
        return min(file.size, length + 8 + length % 2)
    }

    /// From block to block (GIF89a §§17–27); a semicolon is the end.
    private static func ofGIF(_ file: some ByteSource) throws -> Int {
        func tableSize(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }
        guard let flags = file.size > 13 ? try file.read(at: 10, count: 1).first : nil else { throw FileFlaw.damaged }
        var cursor = ByteCursor(file, at: 13 + tableSize(flags))
        while let block = try cursor.next() {
            switch block {
            // Some programs write one terminator too many.
            case 0: continue
            case 0x3B: return cursor.place
            case 0x21: cursor.skip(1)
            case 0x2C:
                cursor.skip(8)
                guard let flags = try cursor.next() else { throw FileFlaw.damaged }
                // The table of colours, and the size of the codes.
                cursor.skip(tableSize(flags) + 1)
            default: throw FileFlaw.damaged
            }
            while let count = try cursor.next(), count > 0 { cursor.skip(Int(count)) }
        }
        throw FileFlaw.damaged
    }
}
