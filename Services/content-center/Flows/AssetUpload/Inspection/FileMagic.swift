/// What the first bytes of a file say it is; `nil` where they say nothing. A declared type proves nothing.
enum FileMagic: Equatable {
    case type(FileType)
    /// A ZIP, whatever is in it.
    case zip
    /// MPEG-4 or QuickTime, by its brand and by those whose readers it says can read it too.
    case movie(brand: String, others: [String])
    /// Matroska and what is made of it, by the name that it gives itself.
    case ebml(docType: String?)
    /// By the codecs of the streams that begin in it.
    case ogg([OggCodec])

    init?(_ head: [UInt8]) {
        func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
        }
        func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }
        if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .type(.png)
        } else if has([0xFF, 0xD8, 0xFF]) {
            self = .type(.jpeg)
        } else if has("RIFF"), has("WEBP", at: 8) {
            self = .type(.webp)
        } else if has("RIFF"), has("WAVE", at: 8) {
            self = .type(.wav)
        } else if has("GIF87a") || has("GIF89a") {
            self = .type(.gif)
        } else if has("ftyp", at: 4), head.count >= 12 {
            let brands = MovieBrands.brands(head)
            self = .movie(brand: brands.major, others: brands.others)
        } else if has([0x1A, 0x45, 0xDF, 0xA3]) {
            self = .ebml(docType: EBMLHeader.docType(head))
        } else if has("ID3") || (has([0xFF]) && head.count > 1 && head[1] & 0xE6 == 0xE2) {
            // An MPEG audio frame of layer III.
            self = .type(.mp3)
        } else if has("OggS") {
            self = .ogg(OggCodec.first(head))
        } else if has("%PDF-") {
            self = .type(.pdf)
        } else if has([0x50, 0x4B, 3, 4]) || has([0x50, 0x4B, 5, 6]) {
            self = .zip
        } else {
            return nil
        }
    }

    func fits(_ type: FileType) -> Bool {
        switch self {
        case .type(let found): found == type
        case .zip: type.isArchive
        case .movie(let brand, let others): MovieBrands.fit(brand, others, type)
        case .ebml(let docType): type == .webm && docType == "webm"
        case .ogg(let codecs): type == .ogg && !codecs.isEmpty && codecs.allSatisfy(\.isSound)
        }
    }

    /// Whether its brand says that it is to be heard.
    var isSound: Bool { if case .movie(let brand, _) = self { MovieBrands.sound.contains(brand) } else { false } }

    /// For people.
    var name: String {
        switch self {
        case .type(let type): type.rawValue
        case .zip: "application/zip"
        case .movie(let brand, _): brand == "qt  " ? FileType.quickTime.rawValue : "ISO-BMFF (\(brand))"
        case .ebml(let docType): docType == "webm" ? FileType.webm.rawValue : "EBML (\(docType ?? "?"))"
        case .ogg(let codecs): "Ogg (\(codecs.map(\.rawValue).joined(separator: ", ")))"
        }
    }
}

/// The brands of MPEG-4 (ISO/IEC 14496-12 §4.3; mp4ra.org keeps the list), as far as we take them.
enum MovieBrands {
    /// Files of many kinds: what is in them tells which.
    private static let general: Set<String> = [
        "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8", "iso9", "isoa", "isob", "isoc", "mp41", "mp42", "mp71",
        "dash",
        "msdh", "msix", "cmfc", "cmf2", "dby1", "3gp4", "3gp5", "3gp6", "3gp7", "3gp8", "3gp9", "3gr6", "3gs6", "3gs7", "3ge6",
        "3gg6", "3g2a", "3g2b", "3g2c", "mmp4", "NDSC", "NDAS",
    ]
    private static let video: Set<String> = [
        "avc1", "hvc1", "hev1", "av01", "M4V ", "M4VH", "M4VP", "MSNV", "XAVC", "F4V ", "f4v ", "NDSS", "NDSP", "NDSH", "NDSM",
        "NDXS", "NDXP", "NDXH", "NDXM", "KDDI", "caqv", "mqt ",
    ]
    static let sound: Set<String> = ["M4A ", "M4B ", "M4P ", "F4A ", "F4B ", "isma"]
    private static let quickTime = "qt  "
    /// Pictures and raw pictures in the same container, some of which say that video players can read them.
    private static let pictures: Set<String> = [
        "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "mif2", "msf1", "miaf", "avif", "avis", "avio",
        "crx ",
        "jp2 ", "jpx ", "jpm ", "jxl ", "jxs ",
    ]

    static func brands(_ head: [UInt8]) -> (major: String, others: [String]) {
        func brand(_ place: Int) -> String { String(decoding: head[place..<place + 4], as: UTF8.self) }
        let end = min(head.count, head[0..<4].reduce(0) { $0 << 8 | Int($1) })
        let others = stride(from: 16, through: end - 4, by: 4).map(brand)
        return (brand(8), others)
    }

    /// An unknown brand is one of the known ones as far as it says so itself.
    static func fit(_ brand: String, _ others: [String], _ type: FileType) -> Bool {
        if pictures.contains(brand) { return false }
        let isKnown = ([general, video, sound].contains { $0.contains(brand) }) || brand == quickTime
        let said = isKnown ? [brand] : others
        return switch type {
        case .quickTime: said.contains(quickTime)
        case .mp4: said.contains { general.contains($0) || video.contains($0) }
        case .m4a: said.contains { general.contains($0) || sound.contains($0) }
        default: false
        }
    }
}

/// The head of a Matroska file (RFC 8794 §11).
enum EBMLHeader {
    static func docType(_ head: [UInt8]) -> String? {
        guard let (size, first) = number(head, at: 4) else { return nil }
        var place = first
        while place < min(head.count, first + size) {
            guard let id = element(head, at: place), let (length, body) = number(head, at: id.end), body + length <= head.count
            else {
                return nil
            }
            if id.id == 0x4282 {
                return String(decoding: head[body..<body + length].prefix { $0 != 0 }, as: UTF8.self)
            }
            place = body + length
        }
        return nil
    }

    /// With the bits that tell its length.
    private static func element(_ bytes: [UInt8], at place: Int) -> (id: Int, end: Int)? {
        guard place < bytes.count else { return nil }
        let length = bytes[place].leadingZeroBitCount + 1
        guard length <= 4, place + length <= bytes.count else { return nil }
        return (bytes[place..<place + length].reduce(0) { $0 << 8 | Int($1) }, place + length)
    }

    /// A size that is not known is none that a header has.
    private static func number(_ bytes: [UInt8], at place: Int) -> (value: Int, end: Int)? {
        guard place < bytes.count else { return nil }
        let length = bytes[place].leadingZeroBitCount + 1
        guard length <= 8, place + length <= bytes.count else { return nil }
        let value = bytes[place + 1..<place + length].reduce(Int(bytes[place]) & (1 << (8 - length) - 1)) { $0 << 8 | Int($1) }
        return value < 1 << 20 ? (value, place + length) : nil
    }
}

/// What an Ogg stream says of itself in its first page (RFC 3533 §4, RFC 5334).
enum OggCodec: String, CaseIterable {
    case vorbis, opus, flac, speex, celt, pcm, theora, dirac, unknown
    /// It only tells of the others.
    case skeleton

    private var mark: [UInt8] {
        switch self {
        case .vorbis: [1] + Array("vorbis".utf8)
        case .opus: Array("OpusHead".utf8)
        case .flac: [0x7F] + Array("FLAC".utf8)
        case .speex: Array("Speex   ".utf8)
        case .celt: Array("CELT    ".utf8)
        case .pcm: Array("PCM     ".utf8)
        case .theora: [0x80] + Array("theora".utf8)
        case .dirac: Array("BBCD".utf8)
        case .skeleton: Array("fishead".utf8)
        case .unknown: []
        }
    }

    var isSound: Bool { ![.theora, .dirac, .unknown].contains(self) }

    /// Of the streams that begin here: all do before any goes on.
    static func first(_ head: [UInt8]) -> [OggCodec] {
        var (codecs, place): ([OggCodec], Int) = ([], 0)
        while place + 27 <= head.count, head[place..<place + 4].elementsEqual("OggS".utf8), head[place + 5] & 2 != 0 {
            let lengths = head[place + 27..<min(head.count, place + 27 + Int(head[place + 26]))]
            let packet = head[lengths.endIndex...]
            codecs.append(allCases.first { !$0.mark.isEmpty && packet.starts(with: $0.mark) } ?? .unknown)
            place = lengths.endIndex + lengths.reduce(0) { $0 + Int($1) }
        }
        // A description of nothing is no sound.
        return codecs.contains { $0 != .skeleton } ? codecs : []
    }
}
