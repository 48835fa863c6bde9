import Archiving

/// What lies before an archive's table (APPNOTE.TXT 6.3 §4.3.7–9), against what the table says of it: the headers that archivers read which
/// take a file as it comes, and how much really comes out of the bytes.
///
/// It reads and inflates everything, a piece at a time, and of no file more than the table declared: it belongs on a thread that may block.
enum ZipData {
    private static let piece = 1 << 16

    /// - Throws: ``FileFlaw``, or what the source throws.
    static func check(_ entries: [ZipEntry], of file: some ByteSource, before table: Int) throws {
        var end = 0
        for entry in entries.sorted(by: { $0.place < $1.place }) {
            guard entry.place >= end else { throw FileFlaw.archiveBomb }
            try refuseRecords(in: end..<entry.place, of: file)
            let header = try header(of: entry, in: file)
            end = header.data + entry.packed
            guard end <= table else { throw FileFlaw.damaged }
            try checkBytes(of: entry, header, in: file)
        }
        try refuseRecords(in: end..<table, of: file)
    }

    private struct Header {
        /// Where the file's bytes begin.
        let data: Int
        /// The lengths stand behind the bytes, and not here.
        let endsUnsaid: Bool
    }

    /// Bit 3, the sizes behind the data, and bits 1 and 2, how hard the writer tried, say nothing of what it becomes.
    private static let telling = 0xFFFF & ~0b1110

    private static func header(of entry: ZipEntry, in file: some ByteSource) throws -> Header {
        let fixed = try file.read(at: entry.place, count: 30)
        guard fixed.number(at: 0, bytes: 4) == 0x0403_4B50, let flags = fixed.number(at: 6, bytes: 2),
            let checksum = fixed.number(at: 14, bytes: 4), let packed = fixed.number(at: 18, bytes: 4),
            let unpacked = fixed.number(at: 22, bytes: 4), let nameLength = fixed.number(at: 26, bytes: 2),
            let extraLength = fixed.number(at: 28, bytes: 2)
        else { throw FileFlaw.damaged }
        let rest = try file.read(at: entry.place + 30, count: nameLength + extraLength)
        guard rest.count == nameLength + extraLength else { throw FileFlaw.damaged }
        let extra = ZipExtra(rest[nameLength...])
        guard rest[..<nameLength].elementsEqual(entry.name), fixed.number(at: 8, bytes: 2) == entry.method,
            flags & telling == entry.flags & telling, extra.unicodeName.map(entry.names.contains) ?? true
        else { throw FileFlaw.archiveUnsafe }
        let sizes = try extra.large([unpacked, packed])
        let said = [sizes[0], sizes[1], checksum]
        let isSaid = said == [entry.unpacked, entry.packed, entry.checksum]
        // Written before they were known, they stand behind the data.
        let comesLater =
            flags & 0b1000 != 0 && zip(said, [entry.unpacked, entry.packed, entry.checksum]).allSatisfy { [0, $1].contains($0) }
        guard isSaid || comesLater else { throw FileFlaw.archiveUnsafe }
        return Header(data: entry.place + 30 + nameLength + extraLength, endsUnsaid: !isSaid && sizes[1] != entry.packed)
    }

    private static func checkBytes(of entry: ZipEntry, _ header: Header, in file: some ByteSource) throws {
        let range = header.data..<header.data + entry.packed
        let checksum: UInt32
        if entry.method == ZipEntry.deflated {
            let inflater = try Inflater()
            var offset = range.lowerBound
            while offset < range.upperBound, !inflater.isOver {
                let bytes = try file.read(at: offset, count: min(piece, range.upperBound - offset))
                guard !bytes.isEmpty else { throw FileFlaw.damaged }
                let taken: Int
                do { taken = try inflater.take(bytes, limit: entry.unpacked) } catch is ArchiveFailure { throw FileFlaw.damaged }
                // More than it says of itself: whatever it is, it wants to be taken for less.
                guard inflater.count <= entry.unpacked else { throw FileFlaw.archiveBomb }
                offset += taken
            }
            guard inflater.isOver, offset == range.upperBound, inflater.count == entry.unpacked else { throw FileFlaw.damaged }
            checksum = inflater.checksum
        } else {
            guard entry.packed == entry.unpacked else { throw FileFlaw.archiveBomb }
            // Whoever reads it as it comes ends it where its length seems to stand, and goes on with what seems to be the next file.
            if header.endsUnsaid, try holds(range, of: file, isEndOfData) { throw FileFlaw.archiveUnsafe }
            var sum: UInt32 = 0
            for offset in stride(from: range.lowerBound, to: range.upperBound, by: piece) {
                sum = Inflater.checksum(try file.read(at: offset, count: min(piece, range.upperBound - offset)), after: sum)
            }
            checksum = sum
        }
        guard Int(checksum) == entry.checksum else { throw FileFlaw.damaged }
    }

    // MARK: Records where none belongs

    /// Between two files may stand the sizes of the first, or nothing that means anything: no file that the table does not have, no other
    /// table.
    private static func refuseRecords(in range: Range<Int>, of file: some ByteSource) throws {
        if try holds(range, of: file, isRecord) { throw FileFlaw.archiveUnsafe }
    }

    private static func isRecord(_ bytes: [UInt8], _ offset: Int) -> Bool {
        [0x0403, 0x0201, 0x0605, 0x0606, 0x0706].contains(bytes.number(at: offset + 2, bytes: 2))
    }

    /// A length (§4.3.9), in 4 bytes or in 8, and right behind it the next record.
    private static func isEndOfData(_ bytes: [UInt8], _ offset: Int) -> Bool {
        guard bytes.number(at: offset + 2, bytes: 2) == 0x0807 else { return false }
        return [16, 24].contains { bytes.number(at: offset + $0, bytes: 2) == 0x4B50 }
    }

    /// - Parameter isThere: whether the record that is looked for begins at an offset at which `PK` stands.
    private static func holds(
        _ range: Range<Int>, of file: some ByteSource, _ isThere: ([UInt8], Int) -> Bool
    ) throws -> Bool {
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: piece) {
            let count = min(piece, range.upperBound - offset)
            // What begins in a piece may end in the next one.
            let bytes = try file.read(at: offset, count: count + 28)
            var index = 0
            while let found = bytes.firstIndex(of: [0x50, 0x4B], from: index), found < count {
                if isThere(bytes, found) { return true }
                index = found + 1
            }
        }
        return false
    }
}
