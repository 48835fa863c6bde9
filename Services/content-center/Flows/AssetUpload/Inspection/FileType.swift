import HTTPCore

/// What the library keeps. The raw value is the media type, as a client declares it.
enum FileType: String, Sendable, CaseIterable {
    case png = "image/png"
    case jpeg = "image/jpeg"
    case webp = "image/webp"
    case gif = "image/gif"
    case svg = "image/svg+xml"
    case mp4 = "video/mp4"
    case quickTime = "video/quicktime"
    case webm = "video/webm"
    case mp3 = "audio/mpeg"
    case m4a = "audio/mp4"
    case wav = "audio/wav"
    case ogg = "audio/ogg"
    case pdf = "application/pdf"
    case word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    case excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    case powerPoint = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    case zip = "application/zip"
    case text = "text/plain"
    case csv = "text/csv"
    case subRip = "application/x-subrip"
    case webVTT = "text/vtt"

    /// The first is the usual one.
    var extensions: [String] {
        switch self {
        case .png: ["png"]
        case .jpeg: ["jpg", "jpeg"]
        case .webp: ["webp"]
        case .gif: ["gif"]
        case .svg: ["svg"]
        case .mp4: ["mp4", "m4v"]
        case .quickTime: ["mov"]
        case .webm: ["webm"]
        case .mp3: ["mp3"]
        case .m4a: ["m4a"]
        case .wav: ["wav"]
        case .ogg: ["ogg", "oga"]
        case .pdf: ["pdf"]
        case .word: ["docx"]
        case .excel: ["xlsx"]
        case .powerPoint: ["pptx"]
        case .zip: ["zip"]
        case .text: ["txt", "md", "log"]
        case .csv: ["csv"]
        case .subRip: ["srt"]
        case .webVTT: ["vtt"]
        }
    }

    /// Bytes.
    var largest: Int {
        switch self {
        case .svg: 1 << 20
        case .png, .jpeg, .webp, .gif: 50 << 20
        case .mp4, .quickTime, .webm: 5 << 30
        case .mp3, .m4a, .wav, .ogg: 500 << 20
        case .pdf, .word, .excel, .powerPoint, .zip: 200 << 20
        case .text, .csv, .subRip, .webVTT: 20 << 20
        }
    }

    var isText: Bool { [.text, .csv, .subRip, .webVTT].contains(self) }

    var isArchive: Bool { [.zip, .word, .excel, .powerPoint].contains(self) }

    /// What a picture slot of a content may show.
    var isPicture: Bool { PictureType(rawValue: rawValue) != nil }
}

/// What the first bytes of a file say it is; `nil` where they say nothing. A declared type proves nothing.
enum FileMagic: Equatable {
    case type(FileType)
    /// A ZIP, whatever is in it.
    case zip
    /// MPEG-4 or QuickTime by its brand.
    case movie(brand: String)

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
            self = .movie(brand: String(decoding: head[8..<12], as: UTF8.self))
        } else if has([0x1A, 0x45, 0xDF, 0xA3]) {
            self = .type(.webm)
        } else if has("ID3") || (has([0xFF]) && head.count > 1 && head[1] & 0xE6 == 0xE2) {
            // An MPEG audio frame of layer III.
            self = .type(.mp3)
        } else if has("OggS") {
            self = .type(.ogg)
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
        case .movie(let brand):
            switch type {
            case .quickTime: brand == "qt  "
            case .mp4: !Self.otherBrands.contains(brand) && brand != "M4A "
            case .m4a: !Self.otherBrands.contains(brand)
            default: false
            }
        }
    }

    /// QuickTime, and pictures in the same container.
    private static let otherBrands: Set<String> = ["qt  ", "heic", "heix", "hevc", "mif1", "msf1", "avif", "avis"]

    /// For people.
    var name: String {
        switch self {
        case .type(let type): type.rawValue
        case .zip: "application/zip"
        case .movie(let brand): brand == "qt  " ? FileType.quickTime.rawValue : "ISO-BMFF (\(brand))"
        }
    }
}
