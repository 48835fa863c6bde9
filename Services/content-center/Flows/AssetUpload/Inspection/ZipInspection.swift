/// Archives (APPNOTE.TXT 6.3 §4.3): what they would become, where they would write, and what is in them, by their own table and by what
/// lies before it. Some archivers read the one and some the other: an archive in which they do not agree is refused. Nothing is kept of what
/// is unpacked.
enum ZipInspection {
    private static let endSize = 22
    private static let largestUnpacked = 2 << 30
    /// Deflate itself cannot do better than 1,032.
    private static let highestRatio = 200

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

    /// - Throws: ``FileFlaw``, or what the source throws.
    static func check(_ file: some ByteSource, as type: FileType) throws {
        let entries = try ZipTable.entries(of: file)
        var (unpacked, names, places) = (0, Set<[UInt8]>(), [Range<Int>]())
        for entry in entries.list {
            guard entry.isSafe, names.insert(entry.name).inserted else { throw FileFlaw.archiveUnsafe }
            unpacked += entry.unpacked
            let isOutOfProportion = entry.unpacked > 1 << 20 && entry.unpacked / max(1, entry.packed) > highestRatio
            guard !isOutOfProportion, unpacked <= largestUnpacked else { throw FileFlaw.archiveBomb }
            guard entry.isKnownMethod else { throw FileFlaw.archiveMethod }
            guard entry.place + 30 + entry.packed <= entries.end else { throw FileFlaw.damaged }
            places.append(entry.place..<entry.place + 30 + entry.packed)
        }
        // One piece of data that stands for many files is a bomb that no ratio shows.
        places.sort { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(places, places.dropFirst()) where first.upperBound > second.lowerBound {
            throw FileFlaw.archiveBomb
        }
        if unpacked > 100 << 20, unpacked / max(1, file.size) > highestRatio { throw FileFlaw.archiveBomb }
        try checkContent(Set(entries.list.flatMap(\.names)), as: type)
        // So much for what the table says; last, since it reads all of it, whether that is so.
        try ZipData.check(entries.list, of: file, before: entries.end)
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
}
