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
