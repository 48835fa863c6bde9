import DTO

/// Looks at a file before it is kept: is it what was declared, that alone, and harmless where it is shown or unpacked?
///
/// It reads heads, tails and tables, and pictures and texts whole, never a whole video.
enum FileInspection {
    /// - Throws: ``FileFlaw``, or what the source throws.
    static func check(_ file: some ByteSource, declared type: FileType) throws {
        let head = try file.head(4_096)
        if type.isText {
            try checkText(file, head)
            return try checkSubtitles(head, type)
        }
        if type == .svg { return try SVGInspection.check(try file.read(at: 0, count: file.size)) }
        guard let magic = FileMagic(head) else { throw FileFlaw.otherType(found: textName(head)) }
        guard magic.fits(type) else { throw FileFlaw.otherType(found: magic.name) }
        if type.isArchive { return try ZipInspection.check(file, as: type) }
        try refuseSecondNature(file, head, type)
        switch type {
        case .png, .gif, .webp, .jpeg: try checkPicture(file, as: type)
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

    /// Nothing stands behind a picture but zeros that fill up, and nothing in it that would be run: also where compressed data should be,
    /// for readers pass over what they cannot unpack.
    private static func checkPicture(_ file: some ByteSource, as type: FileType) throws {
        if let end = try PictureEnd.place(in: file, of: type), try !isFilling(end..<file.size, of: file) {
            throw FileFlaw.polyglot(also: "application/octet-stream")
        }
        if let found = try RunnableMarks.name(in: file) { throw FileFlaw.polyglot(also: found) }
    }

    private static func isFilling(_ range: Range<Int>, of file: some ByteSource) throws -> Bool {
        var place = range.lowerBound
        while place < range.upperBound {
            let bytes = try file.read(at: place, count: min(1 << 16, range.upperBound - place))
            guard !bytes.isEmpty, bytes.allSatisfy({ $0 == 0 }) else { return false }
            place += bytes.count
        }
        return true
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

    /// WebVTT begins with its name, SubRip with the times of its first cue. Whether every cue is sound is asked where cues are read.
    private static func checkSubtitles(_ head: [UInt8], _ type: FileType) throws {
        guard type == .subRip || type == .webVTT else { return }
        let form = SubtitleForm.form(atBeginningOf: String(decoding: head, as: UTF8.self))
        guard form?.mediaType == type.rawValue else {
            throw FileFlaw.otherType(found: (form?.mediaType ?? textName(head)))
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
