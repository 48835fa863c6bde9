import Foundation
import Testing

@testable import ContentCenter

struct SampleFile: Sendable, CustomTestStringConvertible {
    let type: FileType
    let bytes: [UInt8]

    var testDescription: String { type.rawValue }
}

/// The smallest files that are what they say.
enum SampleFiles {
    static let good: [SampleFile] = [
        SampleFile(type: .png, bytes: png), SampleFile(type: .jpeg, bytes: jpeg), SampleFile(type: .webp, bytes: webp),
        SampleFile(type: .gif, bytes: gif), SampleFile(type: .svg, bytes: svg), SampleFile(type: .mp4, bytes: movie("isom")),
        SampleFile(type: .quickTime, bytes: movie("qt  ")), SampleFile(type: .m4a, bytes: movie("M4A ")),
        SampleFile(type: .webm, bytes: ebml("webm")),
        SampleFile(type: .mp3, bytes: Array("ID3".utf8) + [4, 0, 0, 0, 0, 0, 0]),
        SampleFile(type: .wav, bytes: riff("WAVE")), SampleFile(type: .ogg, bytes: ogg(["OpusHead"])),
        SampleFile(type: .pdf, bytes: Array("%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n".utf8)),
        SampleFile(type: .zip, bytes: zip([SampleEntry("价格表.txt"), SampleEntry("folder/b.txt", deflated: 900)])),
    ]

    static let png = png(marked: 0)

    /// A PNG that differs from others by its mark.
    static func png(marked mark: UInt64) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] { number(data.count) + Array(name.utf8) + data + [0, 0, 0, 0] }
        let header: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]
        let text = chunk("tEXt", Array("mark\(mark)".utf8))
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + text + chunk("IDAT", [1, 2, 3])
            + chunk("IEND", [])
    }

    static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16] + Array("JFIF".utf8) + [0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xFF, 0xD9]
    static let webp = riff("WEBP")
    static let gif: [UInt8] =
        Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B]

    static let svg = Array(
        """
        <?xml version="1.0"?><!-- > --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">
        <defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><style>.a { fill: url(#a) }</style>
        <g transform='scale(2)'><path class="a" d="M0 0"/><use href="#a"/><text>5 &gt; 3</text></g></svg>
        """.utf8)

    static func movie(_ brand: String) -> [UInt8] {
        number(20) + Array("ftyp\(brand)".utf8) + [0, 0, 2, 0] + Array(brand.utf8) + number(8) + Array("mdat".utf8)
    }

    /// A movie whose one track is of this kind.
    static func movie(_ brand: String, track: String) -> [UInt8] {
        func box(_ type: String, _ body: [UInt8]) -> [UInt8] { number(8 + body.count) + Array(type.utf8) + body }
        let handler: [UInt8] = [UInt8](repeating: 0, count: 8) + Array(track.utf8) + [UInt8](repeating: 0, count: 13)
        let media = box("mdia", box("mdhd", [0]) + box("hdlr", handler))
        return movie(brand) + box("moov", box("mvhd", [0, 0, 0, 0]) + box("trak", media))
    }

    static func ebml(_ docType: String) -> [UInt8] {
        let name = Array(docType.utf8)
        let body: [UInt8] = [0x42, 0x86, 0x81, 1, 0x42, 0x82, 0x80 | UInt8(name.count)] + name
        let head: [UInt8] = [0x1A, 0x45, 0xDF, 0xA3, 0x80 | UInt8(body.count)]
        return head + body
    }

    /// The pages with which its streams begin.
    static func ogg(_ packets: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets {
            let body: [UInt8] = packet.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            bytes += Array("OggS".utf8) + [0, 2] + [UInt8](repeating: 0, count: 20)
            bytes += [1, UInt8(body.count)]
            bytes += body
        }
        return bytes
    }

    private static func riff(_ kind: String) -> [UInt8] {
        Array("RIFF".utf8) + little(12, 4) + Array(kind.utf8) + Array("data".utf8) + little(0, 4)
    }

    private static func number(_ value: Int) -> [UInt8] { little(value, 4).reversed() }

    static func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// Written by Python's `zipfile`: one file, `a.class`; the second with the records of ZIP64.
    static let zipFile = decoded(
        """
        UEsDBBQAAAAAAAAAIVyGphA2BQAAAAUAAAAHAAAAYS5jbGFzc2hlbGxvUEsBAhQDFAAAAAAAAAAhXIamEDYFAAAABQAAAAcAAAAAAAAAAAAAAIABAAAAAGEuY2xh
        c3NQSwUGAAAAAAEAAQA1AAAAKgAAAAAA
        """)
    static let zip64File = decoded(
        """
        UEsDBBQAAAAAAAAAIVyGphA2BQAAAAUAAAAHAAAAYS5jbGFzc2hlbGxvUEsBAhQDFAAAAAAAAAAhXIamEDYFAAAABQAAAAcAAAAAAAAAAAAAAIABAAAAAGEuY2xh
        c3NQSwYGLAAAAAAAAAAtAC0AAAAAAAAAAAABAAAAAAAAAAEAAAAAAAAANQAAAAAAAAAqAAAAAAAAAFBLBgcAAAAAXwAAAAAAAAABAAAAUEsFBgAAAAABAAEANQAA
        ACoAAAAAAA==
        """)

    /// By the same, deflated.
    static let workbook = decoded(
        """
        UEsDBBQAAAAIAAAAYV1ZvOmXwAAAACEBAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbH1QvXLCMAx+FZ/XHlZgYOglYYCupUNfQHUU4ott+WxBw9vXgU4dOumk
        7/fUHpbg1Y1ycRw7vTWNPvTt5z1RURWJpdOTSHoFKHaigMVwoliRkXNAqWu+QEI744Vg1zR7sByFomxk9dB9e6IRr17U21LPz5Qq1+r45K1RncaUvLMoFYYV
        hb4911LZDaQ+MMs7hsqCxcM35/mLeTb/m9zi8KfphsfRWRrYXkOVmJIy4VAmIgnePKYJ6OLLbz48ntD/AFBLAwQUAAAACAAAAGFdhaA35FQAAABgAAAADwAA
        AHhsL3dvcmtib29rLnhtbDWMQQqAIBAAvxI+oJUOHcL8i9WWoeuKu1DPL4KOMwPjLm5pYU7dTbnIbKJqnQBkjUhBeq5Y3rJzo6AvtgOkNgybRESlDIO1I1A4
        i/HucwLewX/1D1BLAQIUAxQAAAAIAAAAYV1ZvOmXwAAAACEBAAATAAAAAAAAAAAAAACAAQAAAABbQ29udGVudF9UeXBlc10ueG1sUEsBAhQDFAAAAAgAAABh
        XYWgN+RUAAAAYAAAAA8AAAAAAAAAAAAAAIAB8QAAAHhsL3dvcmtib29rLnhtbFBLBQYAAAAAAgACAH4AAAByAQAAAAA=
        """)

    private static func decoded(_ base64: String) -> [UInt8] {
        [UInt8](Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data())
    }
}
