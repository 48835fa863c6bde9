import Archiving
import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import TestSupport
import Testing

@testable import ContentCenter

/// What is taken as what it says, and what is refused.
@Suite(.apartFromThePool) struct FileInspectionTests {
    private static func flaw(_ bytes: [UInt8], as type: FileType) -> FileFlaw? {
        do {
            try FileInspection.check(bytes, declared: type)
            return nil
        } catch { return error as? FileFlaw }
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: SampleFiles.good) func goodFilesAreTaken(file: SampleFile) {
        #expect(Self.flaw(file.bytes, as: file.type) == nil)
        // And as nothing else, but for what is told apart by its brand alone.
        for other in FileType.allCases where other != file.type && !other.isText && !(file.type == .mp4 && other == .m4a) {
            #expect(Self.flaw(file.bytes, as: other) != nil, "\(file.type) as \(other)")
        }
    }

    @Test(arguments: [
        (SampleFiles.ebml("matroska"), FileType.webm), (SampleFiles.ebml("mkv"), .webm), ([0x1A, 0x45, 0xDF, 0xA3, 0x9F], .webm),
        (SampleFiles.movie("crx "), .mp4), (SampleFiles.movie("heic"), .mp4), (SampleFiles.movie("abcd"), .mp4),
        (SampleFiles.movie("M4V "), .m4a), (SampleFiles.movie("avc1"), .m4a), (SampleFiles.movie("M4A "), .mp4),
        (SampleFiles.movie("isom", track: "vide"), .m4a), (SampleFiles.ogg(["\u{80}theora", "\u{1}vorbis"]), .ogg),
        (SampleFiles.ogg(["fishead"]), .ogg), (SampleFiles.ogg(["whatever"]), .ogg), (Array("OggS".utf8), .ogg),
    ]) func aContainerIsWhatItHolds(bytes: [UInt8], declared: FileType) {
        #expect(Self.flaw(bytes, as: declared)?.code == "wrong_type")
    }

    @Test(arguments: [
        (SampleFiles.movie("isom", track: "soun"), FileType.m4a), (SampleFiles.movie("3gp4"), .mp4),
        (SampleFiles.movie("mp42"), .m4a),
        (SampleFiles.movie("M4A ", track: "vide"), .m4a), (SampleFiles.movie("isom", track: "vide"), .mp4),
        (SampleFiles.ogg(["fishead", "\u{1}vorbis"]), .ogg), (SampleFiles.ogg(["\u{7F}FLAC"]), .ogg),
        // An unknown brand that names a known one.
        (Array("\0\0\0\u{18}ftypnvr1\0\0\0\0nvr1isom".utf8), .mp4),
    ]) func whatPlayersTakeIsTaken(bytes: [UInt8], declared: FileType) {
        #expect(Self.flaw(bytes, as: declared) == nil)
    }

    @Test func aZIPBehindAnythingIsFound() {
        for file in SampleFiles.good where !file.type.isArchive && file.type != .svg {
            let polyglot = file.bytes + SampleFiles.zip([("a.class", 10, 10)])
            #expect(Self.flaw(polyglot, as: file.type) == .polyglot(also: "application/zip"), "\(file.type)")
        }
    }

    /// However an archiver may look for its table.
    @Test func aZIPIsFoundByWhateverCouldBeItsEnd() {
        let (usual, zip64) = (SampleFiles.zipFile, SampleFiles.zip64File)
        #expect(usual.count == 117 && zip64.count == 193)
        /// With these bytes in place of the end's own, counted from the end's mark.
        func changed(_ zip: [UInt8], _ places: Range<Int>, to byte: UInt8) -> [UInt8] {
            var zip = zip
            for place in places { zip[zip.count - 22 + place] = byte }
            return zip
        }
        var gap = usual
        gap.insert(contentsOf: [0, 0, 0], at: usual.count - 22)
        let zips: [String: [UInt8]] = [
            "usual": usual, "zip64": zip64,
            // The end says nothing, and the ZIP64 record everything.
            "zip64 alone": changed(changed(zip64, 8..<12, to: 0xFF), 12..<20, to: 0xFF),
            "zip64, empty": changed(zip64, 8..<20, to: 0),
            "gap": gap, "other disks": changed(usual, 4..<8, to: 7), "trailing": usual + [UInt8](repeating: 0, count: 70_000),
            "comment too long": changed(usual, 20..<22, to: 0xFF),
        ]
        for file in SampleFiles.good where ![.document].contains(file.type.kind) && file.type != .svg {
            for (name, zip) in zips {
                #expect(Self.flaw(file.bytes + zip, as: file.type) == .polyglot(also: "application/zip"), "\(name) \(file.type)")
            }
        }
        // A mark by chance.
        let chance: [UInt8] = (0..<18).map { UInt8($0 * 13 + 1) }
        let mark: [UInt8] = [0x50, 0x4B, 5, 6]
        #expect(Self.flaw(SampleFiles.jpeg + mark + chance, as: .jpeg) == nil)
    }

    @Test func anArchiveBehindAPictureIsFoundAndAFilmIsNone() {
        let rar: [UInt8] = Array("Rar!".utf8) + [0x1A, 7, 1, 0]
        let sevenZip: [UInt8] = Array("7z".utf8) + [0xBC, 0xAF, 0x27, 0x1C, 0, 4]
        // Across two pieces of what is read.
        let far = [UInt8](repeating: 1, count: (1 << 20) - SampleFiles.jpeg.count - 3)
        for (archive, type) in [(rar, "application/vnd.rar"), (sevenZip, "application/x-7z-compressed")] {
            for file in SampleFiles.good where ![.document].contains(file.type.kind) && file.type != .svg {
                #expect(Self.flaw(file.bytes + archive, as: file.type) == .polyglot(also: type), "\(file.type)")
            }
            #expect(Self.flaw(SampleFiles.jpeg + far + archive, as: .jpeg) == .polyglot(also: type))
        }
        // In the middle of much else, where the boxes end.
        let box: [UInt8] = [0, 0x60, 0, 8] + Array("mdat".utf8)
        let film = SampleFiles.movie("isom") + box + [UInt8](repeating: 2, count: 6 << 20)
        let rest = [UInt8](repeating: 3, count: 6 << 20)
        #expect(Self.flaw(film + rar + rest, as: .mp4) == .polyglot(also: "application/vnd.rar"))
        #expect(Self.flaw(film, as: .mp4) == nil)
        // A moving photo, and what cameras write behind a picture.
        #expect(Self.flaw(SampleFiles.jpeg + SampleFiles.movie("mp42"), as: .jpeg) == nil)
        #expect(Self.flaw(SampleFiles.jpeg + SampleFiles.jpeg, as: .jpeg) == nil)
    }

    /// As it is, not packed once more, and what a PDF has stands behind it.
    @Test func aPDFMayHaveAnArchiveAttached() {
        let attached = Self.text("%PDF-1.7\n1 0 obj\n<</Type /EmbeddedFile>>\nstream\n") + SampleFiles.zipFile
        let whole = attached + Self.text("\nendstream\nendobj\nxref\ntrailer\n%%EOF\n")
        #expect(Self.flaw(whole, as: .pdf) == nil)
        for zip in [SampleFiles.zipFile, SampleFiles.zip64File] {
            #expect(Self.flaw(whole + zip, as: .pdf) == .polyglot(also: "application/zip"))
        }
        #expect(Self.flaw(SampleFiles.jpeg + SampleFiles.zipFile + [0, 0], as: .jpeg) == .polyglot(also: "application/zip"))
    }

    /// However many films it says it has, and however many tracks each.
    @Test func aFilmIsLookedThroughOnce() throws {
        func box(_ type: String, _ body: [UInt8]) -> [UInt8] {
            SampleFiles.little(8 + body.count, 4).reversed() + Array(type.utf8) + body
        }
        let tracks = Array(repeatElement(box("trak", []), count: 1_000).joined())
        let many = CountedBytes(bytes: SampleFiles.movie("isom") + repeatElement(box("moov", tracks), count: 100).joined())
        #expect(try !MovieBoxes.showsPictures(many))
        #expect(many.reads <= 2_000)
        let media = Array(repeatElement(box("trak", box("mdia", box("hdlr", []))), count: MovieBoxes.most).joined())
        let deep = CountedBytes(bytes: SampleFiles.movie("isom") + box("moov", media))
        #expect(try !MovieBoxes.showsPictures(deep))
        #expect(deep.reads <= MovieBoxes.most)
    }

    @Test func otherSecondNaturesAreFound() {
        let gif = SampleFiles.gif
        #expect(Self.flaw(Self.text("GIF89a/*<script>alert(1)</script>") + [0x3B], as: .gif) == .polyglot(also: "text/html"))
        #expect(Self.flaw(SampleFiles.jpeg + Self.text("<?php system($_GET[0]) ?>"), as: .jpeg) == .polyglot(also: "PHP"))
        #expect(Self.flaw(Array(gif.dropLast()) + Self.text("%PDF-1.4") + [0x3B], as: .gif) == .polyglot(also: "application/pdf"))
        #expect(Self.flaw(SampleFiles.png + [1, 2, 3], as: .png) == .polyglot(also: "application/octet-stream"))
        #expect(Self.flaw(SampleFiles.webp + [1, 2, 3, 4], as: .webp) == .polyglot(also: "application/octet-stream"))
    }

    @Test(arguments: [(SampleFiles.png, FileType.png), (SampleFiles.gif, .gif), (SampleFiles.webp, .webp)])
    func nothingStandsBehindAPictureButZeros(picture: [UInt8], type: FileType) {
        let zeros = [UInt8](repeating: 0, count: 70_000)
        #expect(Self.flaw(picture + zeros, as: type) == nil)
        for rest in [[0x3B], [0x41], zeros + [0x3B], SampleFiles.jpeg] {
            #expect(Self.flaw(picture + rest, as: type) == .polyglot(also: "application/octet-stream"), "\(rest.suffix(3))")
        }
    }

    /// Beyond what is looked at for a file's type: in a comment, in compressed data, behind the end.
    @Test(arguments: [
        ("<?php system($_GET[0]) ?>", "PHP"), ("<?PHP\n1", "PHP"), ("<ScRiPt>alert(1)</sCrIpT>", "text/html"),
        ("<!DOCTYPE HTML><body>", "text/html"), ("<iframe src=x>", "text/html"), ("<html lang=zh>", "text/html"),
    ]) func whatWouldBeRunIsFoundFarIntoAPicture(code: String, name: String) {
        let code = Self.text(code)
        func pieces(_ bytes: [UInt8]) -> [UInt8] {
            stride(from: 0, to: bytes.count, by: 255).flatMap { start in
                let piece = bytes[start..<min(start + 255, bytes.count)]
                return [UInt8(piece.count)] + piece
            } + [0]
        }
        let far = [UInt8](repeating: 7, count: 255 * 40)
        let gif = SampleFiles.gif
        let beforeEnd = Array(gif.dropLast())
        // A comment, and a picture of which nothing can be unpacked.
        let comment = beforeEnd + [0x21, 0xFE] + pieces(far + code) + [0x3B]
        let image = beforeEnd + [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2] + pieces(far + code) + [0x3B]
        let camera = SampleFiles.jpeg + SampleFiles.movie("mp42") + far
        for (bytes, type) in [(comment, FileType.gif), (image, .gif), (camera + code, .jpeg)] {
            #expect(Self.flaw(bytes, as: type) == .polyglot(also: name), "\(type)")
        }
        // Across two pieces of what is read.
        let edge = [UInt8](repeating: 7, count: (1 << 20) - SampleFiles.jpeg.count - 3)
        #expect(Self.flaw(SampleFiles.jpeg + edge + code, as: .jpeg) == .polyglot(also: name))
        #expect(Self.flaw(beforeEnd + [0x21, 0xFE] + pieces(far) + [0x3B], as: .gif) == nil)
    }

    /// What compressed data has by chance, and words that only begin so.
    @Test func whatIsTooShortToMeanAnythingIsNone() {
        let far = [UInt8](repeating: 7, count: 5_000)
        for text in ["<?", "<?=", "<svg", "<html5", "<?phpx", "< script >", "<scripts"] {
            #expect(Self.flaw(SampleFiles.jpeg + far + Self.text(text) + far, as: .jpeg) == nil, "\(text)")
        }
    }

    @Test func gifsAreFollowedToTheirEnd() {
        let table: [UInt8] = [UInt8](repeating: 0x3B, count: 3 << 8)
        let frame: [UInt8] = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0x87] + table + [2, 2, 0x44, 1, 0]
        let control: [UInt8] = [0x21, 0xF9, 4, 0, 0, 0, 0, 0]
        let film = Self.text("GIF89a") + [1, 0, 1, 0, 0xF7, 0, 0] + table + control + frame + [0] + control + frame + [0x3B]
        #expect(Self.flaw(film, as: .gif) == nil)
        #expect(Self.flaw(film + [0x3B], as: .gif) == .polyglot(also: "application/octet-stream"))
        for count in [1, 5, 20, frame.count, film.count - 20] {
            #expect(Self.flaw(Array(film.dropLast(count)), as: .gif) == .damaged, "\(count)")
        }
    }

    /// The preview within its head has an end, and what is packed has bytes that look like marks.
    @Test func aJPEGIsFollowedToItsEnd() {
        let head: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE1, 0, 8, 0xFF, 0xD8, 0, 0, 0xFF, 0xD9, 0xFF, 0xFF, 0xDA, 0, 4, 1, 2]
        var packed: [UInt8] = []
        for index in 0..<40_000 {
            let again = 0xD0 + UInt8(index & 7)
            packed += [UInt8(index & 0x7F), 0xFF] as [UInt8]
            packed.append(index % 3 == 0 ? again : 0)
        }
        let second: [UInt8] = [0xFF, 0xC4, 0, 3, 9, 0xFF, 0xDA, 0, 2]
        var whole = head + packed
        whole += second
        whole += packed
        whole += [0xFF, 0xD9] as [UInt8]
        #expect(Self.flaw(whole, as: .jpeg) == nil)
        #expect(Self.flaw(whole + [0, 1, 2], as: .jpeg) == nil)
        let counts: [Int] = [head.count, head.count + 1_000, whole.count - packed.count, whole.count - 2, whole.count - 1]
        for count in counts {
            #expect(Self.flaw(Array(whole.prefix(count)), as: .jpeg) == .damaged, "\(count)")
        }
    }

    @Test func halfFilesAreFound() {
        #expect(Self.flaw(Array(SampleFiles.png.dropLast(5)), as: .png) == .damaged)
        #expect(Self.flaw(Array(SampleFiles.webp.dropLast(5)), as: .webp) == .damaged)
        #expect(Self.flaw(Array(SampleFiles.gif.dropLast(1)), as: .gif) == .damaged)
        #expect(Self.flaw(Array(SampleFiles.jpeg.dropLast(1)), as: .jpeg) == .damaged)
        #expect(Self.flaw(Self.text("%PDF-1.7\n1 0 obj"), as: .pdf) == .damaged)
        #expect(Self.flaw(Array(SampleFiles.zip([("a.txt", 5, 5)]).dropLast(30)), as: .zip) == .damaged)
        #expect(Self.flaw([], as: .png) == .otherType(found: nil))
    }

    @Test(arguments: [
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "<svg onload=\"alert(1)\"/>", "<svg><g OnClick = 'x()'/></svg>",
        "<svg><a href='javascript:alert(1)'><text>x</text></a></svg>",
        "<svg><use href='https://evil.example/x.svg#a'/></svg>", "<svg><image href='https://evil.example/x.png'/></svg>",
        "<svg><foreignObject><body/></foreignObject></svg>", "<svg><style>@import url(https://evil.example/x.css);</style></svg>",
        "<svg><rect style=\"fill:url(https://evil.example/x)\"/></svg>", "<svg><animate attributeName='href' to='x'/></svg>",
        "<!DOCTYPE svg [<!ENTITY x 'y'>]><svg>&x;</svg>", "<?xml-stylesheet href='x.css'?><svg/>",
        "<svg><![CDATA[<script>]]></svg>", "<svg><rect style='b\\65havior:x'/></svg>",
        "<svg><use xlink:href=' data:image/svg+xml,x'/></svg>",
        "<svg><rect fill=\"red\" onmouseover=\"x\"/></svg>", "<svg><x:script/></svg>",
    ]) func aDrawingThatDoesMoreThanDrawIsRefused(drawing: String) {
        #expect(Self.flaw(Self.text(drawing), as: .svg) == .script)
    }

    @Test func brokenDrawingsAreRefused() {
        #expect(Self.flaw(Self.text("<html><svg/></html>"), as: .svg) == .otherType(found: nil))
        #expect(Self.flaw(Self.text("<svg"), as: .svg) == .damaged)
        #expect(Self.flaw(Self.text("<svg fill=red/>"), as: .svg) == .damaged)
        #expect(Self.flaw([0xFF, 0xFE, 0x3C, 0], as: .svg) == .otherType(found: nil))
    }

    @Test func archivesThatAreTooMuchAreRefused() {
        let ratio = SampleFiles.zip([("big.txt", 10_000, 500 << 20)])
        #expect(Self.flaw(ratio, as: .zip) == .archiveBomb)
        let sum = SampleFiles.zip((0..<40).map { ("f\($0).bin", 600_000, 100 << 20) })
        #expect(Self.flaw(sum, as: .zip) == .archiveBomb)
        // Every entry points at the same data.
        #expect(Self.flaw(SampleFiles.zip([("a", 100, 100), ("b", 100, 100)], overlapping: true), as: .zip) == .archiveBomb)
        #expect(Self.flaw(SampleFiles.zip((0..<10_001).map { ("f\($0)", 0, 0) }), as: .zip) == .archiveBomb)
    }

    /// However its writer works: sizes in front or behind, marked or not, extra fields, a comment, the records of ZIP64.
    @Test func archivesAsProgramsWriteThemAreTaken() throws {
        let zip64: [UInt8] = [1, 0, 16, 0] + SampleFiles.little(5, 8) + SampleFiles.little(5, 8)
        let large = SampleEntry("a.txt").saying {
            ($0.packed, $0.unpacked, $0.extra) = (0xFFFF_FFFF, 0xFFFF_FFFF, zip64)
        } inHeader: {
            ($0.packed, $0.unpacked, $0.extra) = (0xFFFF_FFFF, 0xFFFF_FFFF, zip64)
        }
        let archives: [String: [UInt8]] = [
            "deflated": SampleFiles.zip([SampleEntry("a.txt", deflated: 100_000), SampleEntry("b.txt", deflated: 0)]),
            "streamed": SampleFiles.zip([
                SampleEntry("a.txt", deflated: 900).streamed(), SampleEntry("b.txt").streamed(marked: false),
            ]),
            "comment": SampleFiles.zip([SampleEntry("a.txt")], comment: Self.text("说明")),
            "ZIP64": SampleFiles.zip([large], zip64: 0), "empty": SampleFiles.zip([SampleEntry]()),
            "padded": SampleFiles.zip([SampleEntry("a.txt").saying(inHeader: { $0.extra = [0, 0, 0] })], gap: [0, 0, 0, 0]),
            "folder": SampleFiles.zip([SampleEntry("文件夹/", []), SampleEntry("文件夹/a.txt")]),
        ]
        for (name, bytes) in archives { #expect(Self.flaw(bytes, as: .zip) == nil, "\(name)") }
        // Its one file is a program.
        #expect(Self.flaw(SampleFiles.zipFile, as: .zip) == .archiveUnsafe)
        let word = try Self.written(["[Content_Types].xml", "word/document.xml", "word/media/图片.png"])
        #expect(Self.flaw(word, as: .word) == nil)
        #expect(Self.flaw(SampleFiles.workbook, as: .excel) == nil)
    }

    /// By libarchive, as it comes.
    private static func written(_ names: [String]) throws -> [UInt8] {
        let bytes = Lock([UInt8]())
        let writer = try ZipWriter { piece in bytes.withLock { $0 += piece } }
        for name in names {
            try writer.begin(name, modifiedAt: 1_790_000_000, compresses: !name.hasSuffix(".png"))
            for _ in 0..<3 { try writer.write([UInt8](repeating: 0x3C, count: 70_000)) }
        }
        try writer.finish()
        return bytes.withLock { $0 }
    }

    /// Files that only some archivers find: behind the last line that the end counts, between two files, in a comment.
    @Test func whatTheTableHidesIsFound() {
        let (fine, evil) = (SampleEntry("a.txt"), SampleEntry("../../evil.exe"))
        #expect(Self.flaw(SampleFiles.zip([fine, evil], untold: 1), as: .zip) == .damaged)
        #expect(Self.flaw(SampleFiles.zip([fine, evil], untold: 1, zip64: 0), as: .zip) == .damaged)
        #expect(Self.flaw(SampleFiles.zip([fine], zip64: 7), as: .zip) == .damaged)
        #expect(Self.flaw(SampleFiles.zip([fine], gap: evil.header), as: .zip) == .archiveUnsafe)
        var before = fine
        before.after = evil.header
        #expect(Self.flaw(SampleFiles.zip([before, SampleEntry("b.txt")]), as: .zip) == .archiveUnsafe)
        #expect(Self.flaw(SampleFiles.zip([fine], comment: SampleFiles.zip([evil])), as: .zip) != nil)
        #expect(Self.flaw(SampleFiles.zip([fine]) + [0], as: .zip) == .damaged)
        // Read as it comes, it seems to end where its own bytes say so.
        let inside = SampleEntry("a.bin", SampleEntry("x").streamed().after + evil.header).streamed()
        #expect(Self.flaw(SampleFiles.zip([inside]), as: .zip) == .archiveUnsafe)
    }

    @Test func aFileIsWhatBothItsHeadersSay() {
        func unicode(_ name: String) -> [UInt8] {
            [0x75, 0x70] + SampleFiles.little(5 + name.utf8.count, 2) + [1, 0, 0, 0, 0] + Self.text(name)
        }
        let (fine, packed) = (SampleEntry("a.txt"), SampleEntry("a.txt", deflated: 100_000))
        let entries: [(SampleEntry, FileFlaw)] = [
            (fine.saying(inHeader: { $0.name = "../../evil.exe" }), .archiveUnsafe),
            (fine.saying(inHeader: { $0.method = ZipEntry.deflated }), .archiveUnsafe),
            (fine.saying(inHeader: { $0.flags = 1 }), .archiveUnsafe), (fine.saying(inTable: { $0.flags = 1 }), .archiveUnsafe),
            (fine.saying(inHeader: { $0.unpacked = 4 }), .archiveUnsafe),
            (fine.saying(inHeader: { $0.packed = 0 }), .archiveUnsafe),
            (fine.saying(inTable: { $0.extra = unicode("../../evil.exe") }), .archiveUnsafe),
            (fine.saying(inHeader: { $0.extra = unicode("b.txt") }), .archiveUnsafe),
            (fine.saying(inTable: { $0.method = 12 }, inHeader: { $0.method = 12 }), .archiveMethod),
            (fine.saying(inTable: { $0.checksum = 7 }, inHeader: { $0.checksum = 7 }), .damaged),
            // What comes out is more than both say, or less, or goes on behind its end.
            (packed.saying(inTable: { $0.unpacked = 1_000 }, inHeader: { $0.unpacked = 1_000 }), .archiveBomb),
            (packed.streamed().saying(inTable: { $0.unpacked = 1_000 }), .archiveBomb),
            (packed.saying(inTable: { $0.unpacked = 100_001 }, inHeader: { $0.unpacked = 100_001 }), .damaged),
            (fine.saying(inTable: { $0.unpacked = 4 }, inHeader: { $0.unpacked = 4 }), .archiveBomb),
        ]
        for (index, (entry, flaw)) in entries.enumerated() {
            #expect(Self.flaw(SampleFiles.zip([entry]), as: .zip) == flaw, "\(index)")
        }
        var longer = packed
        longer.data += [1, 2, 3]
        #expect(Self.flaw(SampleFiles.zip([longer]), as: .zip) == .damaged)
        var broken = packed
        broken.data[20] ^= 0xFF
        #expect(Self.flaw(SampleFiles.zip([broken]), as: .zip) != nil)
    }

    /// In an encoding that is not ours, as Chinese systems write them: they differ where we cannot read them.
    @Test func namesThatDifferAreNotTheSame() {
        var zip = SampleFiles.zip([SampleEntry("??.txt"), SampleEntry("!!.txt")])
        for (mark, name) in [("??", [0xBC, 0xDB]), ("!!", [0xB1, 0xED])] as [(String, [UInt8])] {
            while let place = zip.firstIndex(of: Self.text(mark)) { zip.replaceSubrange(place..<place + 2, with: name) }
        }
        #expect(Self.flaw(zip, as: .zip) == nil)
    }

    @Test(arguments: [
        "../up.txt", "a/../../up.txt", "/etc/passwd", "C:\\a.txt", "a\\b.txt", "..", "run.exe", "nested.zip", "x/y.JS", "a\u{1}b",
    ]) func archivesThatReachOutAreRefused(name: String) {
        #expect(Self.flaw(SampleFiles.zip([(name, 5, 5)]), as: .zip) == .archiveUnsafe)
    }

    @Test func documentsHoldWhatTheyMust() {
        let word: [(String, Int, Int)] = [("[Content_Types].xml", 5, 5), ("word/document.xml", 5, 5)]
        #expect(Self.flaw(SampleFiles.zip(word), as: .word) == nil)
        #expect(Self.flaw(SampleFiles.zip(word), as: .excel) == .otherType(found: "application/zip"))
        #expect(Self.flaw(SampleFiles.zip(word), as: .zip) == .otherType(found: "Office Open XML"))
        #expect(Self.flaw(SampleFiles.zip(word + [("word/vbaProject.bin", 5, 5)]), as: .word) == .script)
        #expect(Self.flaw(SampleFiles.zip([("a.txt", 5, 5), ("a.txt", 5, 5)]), as: .zip) == .archiveUnsafe)
    }

    @Test func textsAreTexts() {
        #expect(Self.flaw(Self.text("姓名,电话\r\n张三,1"), as: .csv) == nil)
        // A character across two pieces of what is read.
        #expect(Self.flaw(Self.text(String(repeating: "a", count: 65_535) + "中文"), as: .text) == nil)
        #expect(Self.flaw(Self.text("a\0b"), as: .text) == .otherType(found: nil))
        #expect(Self.flaw([0xC3, 0x28], as: .text) == .otherType(found: nil))
        #expect(Self.flaw(SampleFiles.png, as: .text) == .otherType(found: "image/png"))
    }

    @Test func subtitlesBeginAsTheirFormDoes() {
        let (srt, vtt) = ("1\r\n00:00:01,000 --> 00:00:02,000\r\n好", "WEBVTT - 标题\n\n00:01.000 --> 00:02.000\n好")
        for text in [srt, "\u{FEFF}" + srt, "\n\n00:01 --> 00:02\n好", "一\n00:01 --> 00:02 X1:40\n"] {
            #expect(Self.flaw(Self.text(text), as: .subRip) == nil, "\(text)")
            #expect(Self.flaw(Self.text(text), as: .webVTT) == .otherType(found: "application/x-subrip"), "\(text)")
        }
        for text in [vtt, "\u{FEFF}WEBVTT\r\n", "WEBVTT"] {
            #expect(Self.flaw(Self.text(text), as: .webVTT) == nil, "\(text)")
            #expect(Self.flaw(Self.text(text), as: .subRip) == .otherType(found: "text/vtt"), "\(text)")
        }
        for text in ["只是文字", "WEBVTTX\n", "1\n00:00:01,000 -> 00:00:02,000\n好", "\n\n", "a\nb\n00:01 --> 00:02"] {
            for type in [FileType.subRip, .webVTT] {
                #expect(Self.flaw(Self.text(text), as: type) == .otherType(found: nil), "\(text)")
            }
        }
        #expect(Self.flaw(Self.text("<html>x</html>"), as: .webVTT) == .otherType(found: "text/html"))
    }

    /// 姓名, as Excel in China saves it.
    @Test func whoSendsAnotherEncodingIsToldWhichIsWanted() throws {
        let flaw = try #require(Self.flaw([0xD0, 0xD5, 0xC3, 0xFB, 0x2C, 0x31], as: .csv))
        let message = flaw.message(declared: .csv)
        #expect(message.zh.contains("UTF-8") && message.en.contains("UTF-8"))
        #expect(!flaw.message(declared: .png).zh.contains("UTF-8"))
    }

    @Test(arguments: [
        "a/b.png", "..\\b.png", "C:b.png", "..", ".htaccess", "b.png.", "a\u{202E}gnp.exe", "b.png ", "a\u{200B}.png", "a\nb.png",
    ]) func namesThatAreWaysOrTricksAreRefused(name: String) {
        #expect(FileNameRule.check(name) != nil)
    }

    @Test(arguments: ["b.png", "秋季 封面(1).png", "a.b.c", "no-ending", "👨‍👩‍👧.png", "..a"]) func usualNamesAreTaken(name: String) {
        #expect((FileNameRule.check(name) == nil) == (name != "..a"))
    }
}

/// Counts how often it is read.
private final class CountedBytes: ByteSource {
    let bytes: [UInt8]
    private(set) var reads = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var size: Int { bytes.count }

    func read(at offset: Int, count: Int) -> [UInt8] {
        reads += 1
        return Array(bytes[min(offset, size)..<min(offset + count, size)])
    }
}
