/// The table at an archive's end (APPNOTE.TXT 6.3 §4.3.12–16), with the records of ZIP64 where it has them.
///
/// It is taken only where nothing of it is left to choice: one end, whose comment ends the file, and before it the table, whole, with as many
/// lines as the end says.
struct ZipTable {
    private static let endSize = 22
    private static let largestTable = 16 << 20
    private static let mostEntries = 10_000

    let list: [ZipEntry]
    /// Where the table begins: the data lies before it.
    let end: Int

    /// - Throws: ``FileFlaw``, or what the source throws.
    static func entries(of file: some ByteSource) throws -> ZipTable {
        let (count, place) = try place(in: file)
        let table = try file.read(at: place.lowerBound, count: place.count)
        guard table.count == place.count else { throw FileFlaw.damaged }
        var (offset, entries) = (0, [ZipEntry]())
        for _ in 0..<count {
            let entry = try ZipEntry(table, at: offset)
            offset += entry.length
            entries.append(entry)
        }
        // A line more would be a file that only some archivers find.
        guard offset == table.count else { throw FileFlaw.damaged }
        return ZipTable(list: entries, end: place.lowerBound)
    }

    private static func place(in file: some ByteSource) throws -> (entries: Int, table: Range<Int>) {
        let tail = try file.tail(endSize + 65_535)
        guard let offset = tail.lastRecord([0x50, 0x4B, 5, 6], length: endSize) else { throw FileFlaw.damaged }
        let mark = file.size - tail.count + offset
        let record = Array(tail[offset..<offset + endSize])
        guard record.number(at: 20, bytes: 2) == tail.count - offset - endSize else { throw FileFlaw.damaged }
        var (numbers, end) = (try Numbers(record), mark)
        if let (larger, place) = try zip64(before: mark, of: file) {
            guard numbers.agree(with: larger) else { throw FileFlaw.damaged }
            (numbers, end) = (larger, place)
        }
        guard numbers.entries <= mostEntries, numbers.size <= largestTable else { throw FileFlaw.archiveBomb }
        guard numbers.isOneDisk, (0...end).contains(numbers.offset), numbers.offset + numbers.size == end else {
            throw FileFlaw.damaged
        }
        return (numbers.entries, numbers.offset..<end)
    }

    /// Where the end has a locator before it, what the record says that it locates, and where that begins.
    private static func zip64(before end: Int, of file: some ByteSource) throws -> (Numbers, place: Int)? {
        guard end >= 20 else { return nil }
        let locator = try file.read(at: end - 20, count: 20)
        guard locator.number(at: 0, bytes: 4) == 0x0706_4B50 else { return nil }
        guard let place = locator.number(at: 8, bytes: 8), place >= 0, place <= end - 76 else { throw FileFlaw.damaged }
        let record = try file.read(at: place, count: 56)
        guard record.number(at: 0, bytes: 4) == 0x0606_4B50, let length = record.number(at: 4, bytes: 8),
            length == end - 20 - place - 12
        else { throw FileFlaw.damaged }
        return (try Numbers(zip64: record), place)
    }

    /// What an end says of its table.
    private struct Numbers {
        private let disks: [Int]
        private let entriesHere: Int
        let entries: Int
        let size: Int
        let offset: Int

        init(_ end: [UInt8]) throws { try self.init(end, disks: (4, 2), counts: (8, 2), places: (12, 4)) }
        init(zip64 record: [UInt8]) throws { try self.init(record, disks: (16, 4), counts: (24, 8), places: (40, 8)) }

        private typealias Pair = (at: Int, bytes: Int)

        /// Each of them is two numbers, one behind the other.
        private init(_ record: [UInt8], disks: Pair, counts: Pair, places: Pair) throws {
            func two(_ pair: Pair) throws -> (Int, Int) {
                guard let first = record.number(at: pair.at, bytes: pair.bytes),
                    let second = record.number(at: pair.at + pair.bytes, bytes: pair.bytes), first >= 0, second >= 0
                else { throw FileFlaw.damaged }
                return (first, second)
            }
            let (disk, firstDisk) = try two(disks)
            self.disks = [disk, firstDisk]
            (entriesHere, entries) = try two(counts)
            (size, offset) = try two(places)
        }

        var isOneDisk: Bool { disks == [0, 0] && entriesHere == entries }

        /// A number that is all ones stands in the larger record alone.
        func agree(with larger: Numbers) -> Bool {
            func same(_ number: Int, _ ones: Int, _ other: Int) -> Bool { number == ones || number == other }
            return zip(disks, larger.disks).allSatisfy { same($0, 0xFFFF, $1) } && same(entriesHere, 0xFFFF, larger.entriesHere)
                && same(entries, 0xFFFF, larger.entries) && same(size, 0xFFFF_FFFF, larger.size)
                && same(offset, 0xFFFF_FFFF, larger.offset)
        }
    }
}

/// One line of the table: a file, as it says.
struct ZipEntry {
    /// As it stands there: its encoding may be any.
    let name: [UInt8]
    let flags: Int
    let method: Int
    let checksum: Int
    let packed: Int
    let unpacked: Int
    /// Where its own header is.
    let place: Int
    /// Of the line.
    let length: Int
    private let isLink: Bool
    private let otherName: String?

    init(_ table: [UInt8], at offset: Int) throws {
        func number(_ place: Int, _ bytes: Int = 2) throws -> Int {
            guard let number = table.number(at: offset + place, bytes: bytes) else { throw FileFlaw.damaged }
            return number
        }
        guard try number(0, 4) == 0x0201_4B50 else { throw FileFlaw.damaged }
        let (nameLength, extraLength) = (try number(28), try number(30))
        length = try 46 + nameLength + extraLength + number(32)
        guard offset + length <= table.count, [0, 0xFFFF].contains(try number(34)) else { throw FileFlaw.damaged }
        let nameEnd = offset + 46 + nameLength
        name = Array(table[offset + 46..<nameEnd])
        (flags, method, checksum) = (try number(8), try number(10), try number(16, 4))
        isLink = try number(38, 4) >> 28 == 0xA
        let extra = ZipExtra(table[nameEnd..<nameEnd + extraLength])
        let sizes = try extra.large([try number(24, 4), try number(20, 4), try number(42, 4)])
        (unpacked, packed, place) = (sizes[0], sizes[1], sizes[2])
        otherName = extra.unicodeName
    }

    /// Under each of them some archiver would write it.
    var names: [String] { [String(decoding: name, as: UTF8.self)] + (otherName.map { [$0] } ?? []) }

    var isEncrypted: Bool { flags & 0x2041 != 0 }
    var isKnownMethod: Bool { method == Self.stored || method == Self.deflated }

    static let stored = 0
    static let deflated = 8

    /// Unpacked anywhere, it stays below.
    var isSafe: Bool { !isEncrypted && !isLink && names.allSatisfy(Self.isSafe) }

    private static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.contains("\\") && !name.contains(":")
            && !name.unicodeScalars.contains { $0.value < 0x20 }
            && !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
    }
}

/// The extra fields of a header (§4.5): what some archivers read in place of the header's own.
struct ZipExtra {
    private var fields: [Int: [UInt8]] = [:]

    init(_ bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        var offset = 0
        // Some writers fill up with what is no field.
        while let id = bytes.number(at: offset, bytes: 2), let size = bytes.number(at: offset + 2, bytes: 2),
            offset + 4 + size <= bytes.count
        {
            if fields[id] == nil { fields[id] = Array(bytes[offset + 4..<offset + 4 + size]) }
            offset += 4 + size
        }
    }

    /// ZIP64 (§4.5.3): those of the numbers that are all ones stand here, in their order.
    func large(_ numbers: [Int]) throws -> [Int] {
        var offset = 0
        return try numbers.map { number in
            guard number == 0xFFFF_FFFF else { return number }
            // No file that we take has 2^40 bytes: sums of these never overflow.
            guard let large = fields[1]?.number(at: offset, bytes: 8), (0..<1 << 40).contains(large) else {
                throw FileFlaw.damaged
            }
            offset += 8
            return large
        }
    }

    /// Info-ZIP's (§4.6.9): behind a version and a checksum.
    var unicodeName: String? { fields[0x7075].map { String(decoding: $0.dropFirst(5), as: UTF8.self) } }
}

extension [UInt8] {
    /// Where the last record with this mark begins that is whole.
    func lastRecord(_ mark: [UInt8], length: Int) -> Int? {
        stride(from: count - length, through: 0, by: -1).first { self[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
