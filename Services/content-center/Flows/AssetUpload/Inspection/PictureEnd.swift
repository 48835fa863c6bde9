/// Where a picture says that it is over. What stands behind that is no picture, whoever reads it.
enum PictureEnd {
    /// As many chunks as no honest picture has.
    private static let mostChunks = 100_000

    /// - Returns: `nil` for a JPEG, behind which cameras put films, second pictures and notes of their own, and for what is no picture.
    /// - Throws: ``FileFlaw/damaged`` where the picture breaks off before its end.
    static func place(in file: some ByteSource, of type: FileType) throws -> Int? {
        switch type {
        case .png: try ofPNG(file)
        case .gif: try ofGIF(file)
        case .webp: try ofWebP(file)
        default: nil
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
