/// Archives by their own table (APPNOTE.TXT 6.3 §4.3): what they would become, where they would write, and what is in them. Nothing is
/// unpacked.
enum ZipInspection {
    private static let endSize = 22
    private static let largestTable = 16 << 20
    private static let mostEntries = 10_000
    private static let largestUnpacked = 2 << 30
    /// Deflate itself cannot do better than 1,032.
    private static let highestRatio = 200

    private struct End {
        let entries: Int
        let tableSize: Int
        let tableOffset: Int
        let offset: Int
    }

    /// Whether some archiver might take the file for a ZIP, whatever stands before its table.
    ///
    /// They agree on the mark of the end alone. Some look for the table right before the end, some where the end says, some where a ZIP64
    /// record says; some ask whether what stands behind the end is its comment. So an end that could be meant is enough.
    ///
    /// - Parameter atItsEnd: only where nothing stands behind it but its comment: what holds other files as they are has their ends too.
    static func hasDirectory(_ file: some ByteSource, atItsEnd: Bool = false) throws -> Bool {
        // Twice as far back as a comment may be long: some pass over what stands behind it.
        let tail = try file.tail(2 * 65_536)
        var from = 0
        while let offset = tail.firstIndex(of: [0x50, 0x4B, 5, 6], from: from) {
            let isLast = tail.number(at: offset + 20, bytes: 2).map { offset + endSize + $0 } == tail.count
            if isLast || !atItsEnd, try isMeant(tail, offset, file) { return true }
            from = offset + 1
        }
        return false
    }

    private static func isMeant(_ tail: [UInt8], _ offset: Int, _ file: some ByteSource) throws -> Bool {
        func number(_ place: Int, _ bytes: Int) -> Int? { tail.number(at: offset + place, bytes: bytes) }
        // A ZIP64 record counts, whatever stands in the end.
        if offset >= 20, tail[offset - 20..<offset - 16].elementsEqual([0x50, 0x4B, 6, 7]) { return true }
        guard let disk = number(4, 2), let firstDisk = number(6, 2), let here = number(8, 2), let entries = number(10, 2),
            let size = number(12, 4), let start = number(16, 4), entries > 0
        else { return false }
        // By chance in one of 2^78 places.
        if [disk, firstDisk].allSatisfy([0, 0xFFFF].contains), here == entries { return true }
        let places = [file.size - tail.count + offset - size, start]
        return try places.contains { try $0 >= 0 && file.read(at: $0, count: 4) == [0x50, 0x4B, 1, 2] }
    }

    /// The end record: at the very end but for a comment, whose length it knows.
    private static func end(of file: some ByteSource) throws -> End? {
        guard file.size >= endSize else { return nil }
        let tail = try file.tail(endSize + 65_535)
        let mark: [UInt8] = [0x50, 0x4B, 5, 6]
        var offset = tail.count - endSize
        while offset >= 0 {
            if tail[offset] == mark[0], tail[offset..<offset + 4].elementsEqual(mark),
                let comment = tail.number(at: offset + 20, bytes: 2), offset + endSize + comment <= tail.count,
                let entries = tail.number(at: offset + 10, bytes: 2), let size = tail.number(at: offset + 12, bytes: 4),
                let start = tail.number(at: offset + 16, bytes: 4)
            {
                return End(entries: entries, tableSize: size, tableOffset: start, offset: file.size - tail.count + offset)
            }
            offset -= 1
        }
        return nil
    }

    /// - Throws: ``FileFlaw``.
    static func check(_ file: some ByteSource, as type: FileType) throws {
        guard let end = try end(of: file) else { throw FileFlaw.damaged }
        // ZIP64 is for more than we take.
        guard end.entries <= mostEntries, end.tableSize <= largestTable, end.tableOffset != 0xFFFF_FFFF else {
            throw FileFlaw.archiveBomb
        }
        guard end.tableOffset + end.tableSize == end.offset else { throw FileFlaw.damaged }
        let table = try file.read(at: end.tableOffset, count: end.tableSize)
        var (offset, unpacked, names, places) = (0, 0, Set<String>(), [Range<Int>]())
        for _ in 0..<end.entries {
            let entry = try Entry(table, at: offset)
            offset += entry.length
            guard entry.isSafe, names.insert(entry.name).inserted else { throw FileFlaw.archiveUnsafe }
            unpacked += entry.unpacked
            let isOutOfProportion = entry.unpacked > 1 << 20 && entry.unpacked / max(1, entry.packed) > highestRatio
            guard !isOutOfProportion, unpacked <= largestUnpacked else { throw FileFlaw.archiveBomb }
            guard entry.place + 30 + entry.packed <= end.tableOffset else { throw FileFlaw.damaged }
            places.append(entry.place..<entry.place + 30 + entry.packed)
        }
        // One piece of data that stands for many files is a bomb that no ratio shows.
        places.sort { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(places, places.dropFirst()) where first.upperBound > second.lowerBound {
            throw FileFlaw.archiveBomb
        }
        if unpacked > 100 << 20, unpacked / max(1, file.size) > highestRatio { throw FileFlaw.archiveBomb }
        try checkContent(names, as: type)
    }

    private static func checkContent(_ names: Set<String>, as type: FileType) throws {
        let part: String
        switch type {
        case .word: part = "word/document.xml"
        case .excel: part = "xl/workbook.xml"
        case .powerPoint: part = "ppt/presentation.xml"
        default:
            let isOffice = names.contains("[Content_Types].xml")
            let nested = names.contains { name in
                [".zip", ".jar", ".rar", ".7z", ".gz"].contains { name.lowercased().hasSuffix($0) }
            }
            let program = names.contains { name in
                [".exe", ".dll", ".bat", ".cmd", ".scr", ".js", ".vbs", ".msi", ".apk", ".lnk", ".class"].contains {
                    name.lowercased().hasSuffix($0)
                }
            }
            if isOffice { throw FileFlaw.otherType(found: "Office Open XML") }
            if nested || program { throw FileFlaw.archiveUnsafe }
            return
        }
        guard names.contains("[Content_Types].xml"), names.contains(part) else {
            throw FileFlaw.otherType(found: "application/zip")
        }
        // Macros, and programs within the document.
        if names.contains(where: { $0.lowercased().hasSuffix("vbaproject.bin") || $0.lowercased().contains("/activex/") }) {
            throw FileFlaw.script
        }
    }

    /// One line of the table.
    private struct Entry {
        let name: String
        let packed: Int
        let unpacked: Int
        let place: Int
        let length: Int
        private let isEncrypted: Bool
        private let isLink: Bool

        init(_ table: [UInt8], at offset: Int) throws {
            guard table.number(at: offset, bytes: 4) == 0x0201_4B50, let flags = table.number(at: offset + 8, bytes: 2),
                let packed = table.number(at: offset + 20, bytes: 4), let unpacked = table.number(at: offset + 24, bytes: 4),
                let nameLength = table.number(at: offset + 28, bytes: 2), let extra = table.number(at: offset + 30, bytes: 2),
                let comment = table.number(at: offset + 32, bytes: 2), let attributes = table.number(at: offset + 38, bytes: 4),
                let place = table.number(at: offset + 42, bytes: 4), offset + 46 + nameLength <= table.count
            else { throw FileFlaw.damaged }
            // 0xFFFFFFFF: the sizes stand in a ZIP64 field.
            guard packed != 0xFFFF_FFFF, unpacked != 0xFFFF_FFFF, place != 0xFFFF_FFFF else { throw FileFlaw.archiveBomb }
            name = String(decoding: table[offset + 46..<offset + 46 + nameLength], as: UTF8.self)
            (self.packed, self.unpacked, self.place) = (packed, unpacked, place)
            length = 46 + nameLength + extra + comment
            isEncrypted = flags & 1 != 0
            isLink = attributes >> 28 == 0xA
        }

        /// Unpacked anywhere, it stays below.
        var isSafe: Bool {
            !isEncrypted && !isLink && !name.isEmpty && !name.hasPrefix("/") && !name.contains("\\") && !name.contains(":")
                && !name.unicodeScalars.contains { $0.value < 0x20 }
                && !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
        }
    }
}
