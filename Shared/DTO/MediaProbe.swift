/// What a file is, by ffprobe.
public struct MediaProbe: Codable, Sendable, Equatable {
    public var mediaType: String
    public var size: Int
    public var durationMs: Int?
    /// Of the picture as it is shown, turned where the file says so.
    public var width: Int?
    public var height: Int?
    public var videoCodec: String?
    /// Pictures per second.
    public var frameRate: Double?
    public var audioCodec: String?
    public var audioChannels: Int?
    public var sampleRate: Int?
    /// Bits per second.
    public var bitrate: Int?
    /// Of a video or a picture: what Douyin will say to it.
    public var douyin: DouyinVideoReport?

    public init(
        mediaType: String, size: Int, durationMs: Int?, width: Int?, height: Int?, videoCodec: String?, frameRate: Double?,
        audioCodec: String?, audioChannels: Int?, sampleRate: Int?, bitrate: Int?, douyin: DouyinVideoReport?
    ) {
        self.mediaType = mediaType
        self.size = size
        self.durationMs = durationMs
        self.width = width
        self.height = height
        self.videoCodec = videoCodec
        self.frameRate = frameRate
        self.audioCodec = audioCodec
        self.audioChannels = audioChannels
        self.sampleRate = sampleRate
        self.bitrate = bitrate
        self.douyin = douyin
    }
}

/// A video or a picture against the platform's limits, before it is published.
public struct DouyinVideoReport: Codable, Sendable, Equatable {
    /// Whether nothing in it is an error.
    public var isAccepted: Bool
    public var findings: [DouyinVideoFinding]

    public init(isAccepted: Bool, findings: [DouyinVideoFinding]) {
        self.isAccepted = isAccepted
        self.findings = findings
    }
}

public struct DouyinVideoFinding: Codable, Sendable, Equatable {
    public enum Severity: String, Codable, Sendable, CaseIterable {
        /// The platform refuses it.
        case error
        /// It is taken, but shown or spread worse.
        case warning
        /// How it has to be sent.
        case notice
    }
    public var severity: Severity
    /// Stable, e.g. `too_long`.
    public var code: String
    public var message: String

    public init(severity: Severity, code: String, message: String) {
        self.severity = severity
        self.code = code
        self.message = message
    }
}
