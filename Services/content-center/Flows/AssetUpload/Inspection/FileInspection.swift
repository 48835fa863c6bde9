import DTO

/// Looks at a file before it is kept: is it what was declared, that alone, and harmless where it is shown or unpacked?
///
/// It reads heads, tails and tables, and pictures and texts whole, never a whole video.
enum FileInspection {
    /// - Throws: ``FileFlaw``, or what the source throws.
    static func check(_ file: some ByteSource, declared type: FileType) throws {
        let head = try file.head(4_096)
        if type.isText { return try checkText(file, head) }
        if type == .svg { return try SVGInspection.check(try file.read(at: 0, count: file.size)) }
        guard let magic = FileMagic(head) else { throw FileFlaw.otherType(found: textName(head)) }
        guard magic.fits(type) else { throw FileFlaw.otherType(found: magic.name) }
        if type.isArchive { return try ZipInspection.check(file, as: type) }
        try refuseSecondNature(file, head, type)
        switch type {
        case .png: try checkPNG(file)
        case .gif: if try file.tail(1) != [0x3B] { throw FileFlaw.damaged }
        case .webp, .wav: try checkRIFF(file, head, padded: type == .wav)
        case .pdf: try checkPDF(file)
        // A brand of its own may have the pictures of its chapters.
        case .m4a: if !magic.isSound, try MovieBoxes.showsPictures(file) { throw FileFlaw.otherType(found: magic.name) }
        default: break
        }
    }

    /// What browsers and archivers would find in it besides.
    private static func refuseSecondNature(_ file: some ByteSource, _ head: [UInt8], _ type: FileType) throws {
        // A ZIP is read from its end: its table may stand behind anything, and a JAR is a ZIP. A PDF may have one attached to it.
        if try ZipInspection.hasDirectory(file, atItsEnd: type == .pdf) { throw FileFlaw.polyglot(also: "application/zip") }
        // Readers find a PDF's mark anywhere in the first kilobyte.
        if type != .pdf, Array(head.prefix(1_024)).firstIndex(of: Array("%PDF-".utf8)) != nil {
            throw FileFlaw.polyglot(also: "application/pdf")
        }
        if type.kind != .document, let archive = try archive(in: file, type) { throw FileFlaw.polyglot(also: archive) }
        let text = String(decoding: head, as: UTF8.self).lowercased()
        for mark in ["<script", "<html", "<!doctype html", "<?php", "<svg", "<iframe"] where text.contains(mark) {
            throw FileFlaw.polyglot(also: mark == "<?php" ? "PHP" : "text/html")
        }
    }

    /// A picture is read whole; of what may be large its two ends, and what stands where it says that it is over. What cameras put behind a
    /// picture, as the film of a moving photo, is no archive.
    private static func archive(in file: some ByteSource, _ type: FileType) throws -> String? {
        let ends =
            type.kind == .image || file.size <= 2 * ArchiveMarks.reach
            ? [0..<file.size] : [0..<ArchiveMarks.reach, file.size - ArchiveMarks.reach..<file.size]
        for range in ends { if let found = try ArchiveMarks.type(in: range, of: file) { return found } }
        switch type {
        case .mp4, .quickTime, .m4a: return try ArchiveMarks.type(at: MovieBoxes(in: 0..<file.size, of: file).end, of: file)
        case .wav:
            guard let length = try file.head(8).number(at: 4, bytes: 4) else { return nil }
            return try ArchiveMarks.type(at: 8 + length + length % 2, of: file)
        default: return nil
        }
    }

    /// From chunk to chunk; `IEND` is the end.
    private static func checkPNG(_ file: some ByteSource) throws {
        var offset = 8
        for _ in 0..<100_000 {
            let chunk = try file.read(at: offset, count: 8)
            guard chunk.count == 8 else { throw FileFlaw.damaged }
            let length = chunk[0..<4].reduce(0) { $0 << 8 | Int($1) }
            offset += 12 + length
            guard offset <= file.size else { throw FileFlaw.damaged }
            if chunk[4..<8].elementsEqual("IEND".utf8) {
                guard offset == file.size else { throw FileFlaw.polyglot(also: "application/octet-stream") }
                return
            }
        }
        throw FileFlaw.damaged
    }

    /// The size that stands in it is the file's.
    private static func checkRIFF(_ file: some ByteSource, _ head: [UInt8], padded: Bool) throws {
        guard let length = head.number(at: 4, bytes: 4) else { throw FileFlaw.damaged }
        if length + 8 > file.size, !padded { throw FileFlaw.damaged }
        if length + 8 + length % 2 < file.size, !padded { throw FileFlaw.polyglot(also: "application/octet-stream") }
    }

    private static func checkPDF(_ file: some ByteSource) throws {
        guard try file.tail(2_048).firstIndex(of: Array("%%EOF".utf8)) != nil else { throw FileFlaw.damaged }
    }

    /// UTF-8 without control characters.
    private static func checkText(_ file: some ByteSource, _ head: [UInt8]) throws {
        if let magic = FileMagic(head) { throw FileFlaw.otherType(found: magic.name) }
        if try ZipInspection.hasDirectory(file) { throw FileFlaw.polyglot(also: "application/zip") }
        var (offset, rest) = (0, [UInt8]())
        while offset < file.size {
            let piece = try file.read(at: offset, count: 1 << 16)
            if piece.isEmpty { throw FileFlaw.damaged }
            offset += piece.count
            rest += piece
            // A character may go on in the next piece.
            let whole = offset < file.size ? rest.count - unfinished(rest) : rest.count
            let text = rest[..<whole]
            guard !text.contains(where: { $0 < 0x20 && $0 != 9 && $0 != 10 && $0 != 13 && $0 != 12 }),
                String(validating: text, as: UTF8.self) != nil
            else { throw FileFlaw.otherType(found: nil) }
            rest.removeFirst(whole)
        }
    }

    /// How many bytes at the end belong to a character that is not whole.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }

    private static func textName(_ head: [UInt8]) -> String? {
        let text = String(decoding: head, as: UTF8.self).lowercased()
        if text.contains("<svg") { return FileType.svg.rawValue }
        return text.contains("<html") || text.contains("<!doctype html") ? "text/html" : nil
    }
}
