public import FoundationEssentials

// What content-center serves under `/v1/media/jobs` and the gateway under `/api/media/jobs`: work on videos, pictures and sound
// (seed 001 §3.5, §6, §10.3).

public enum MediaJobType: String, Codable, Sendable, CaseIterable {
    /// HLS in several rates, MP4, cover.
    case transcode
    /// A video's best frame, or the one at an instant.
    case cover
    /// Small pictures of a video or a picture.
    case thumbnail
    /// Videos one behind the other, as one.
    case concat
    /// The sound alone.
    case audio
    /// What is said, as subtitles: SRT and WebVTT.
    case subtitle
    /// Subtitles of an asset into a video: drawn into its pictures, or as a track of its own.
    case burnSubtitle = "burn_subtitle"
    /// What the file is, and what Douyin will say to it.
    case probe
    /// A mark on a video or a picture: a picture or a text.
    case watermark
    /// A picture in several widths.
    case imageVariants = "image_variants"
}

/// Whose turn it is first; each has a queue of its own.
public enum MediaPriority: String, Codable, Sendable, CaseIterable {
    /// Somebody waits for it.
    case interactive
    case normal
    /// Whenever nobody waits for anything else.
    case batch
}

/// A rate of a transcoded video, by the shorter side of its picture.
public enum MediaProfile: String, Codable, Sendable, CaseIterable {
    case p2160 = "2160p"
    case p1440 = "1440p"
    case p1080 = "1080p"
    case p720 = "720p"
    case p480 = "480p"
    case p360 = "360p"
}

public enum MediaPictureFormat: String, Codable, Sendable, CaseIterable {
    case jpeg, webp
}

public enum MediaCorner: String, Codable, Sendable, CaseIterable {
    case topLeft = "top_left"
    case topRight = "top_right"
    case bottomLeft = "bottom_left"
    case bottomRight = "bottom_right"
}

public enum MediaSubtitleMode: String, Codable, Sendable, CaseIterable {
    /// Into the pictures: every player shows them.
    case burn
    /// As a track: players show them or not, and nothing is encoded again where the video is H.264.
    case mux
}

/// `POST /api/media/jobs` (seed 001 §10.3). The source is an asset of the tenant or an address; `concat` names its assets in `params`.
public struct MediaJobRequest: Codable, Sendable, Equatable {
    public var type: MediaJobType
    public var assetId: UUID?
    /// A signed URL of ours, or one of an origin that the installation allows. Where objects are in S3 also `s3://bucket/key`: of an asset's
    /// object, or of a place that the installation allows.
    public var sourceUrl: String?
    /// Of `transcode`, at most what the source has; 1080p, 720p and 480p where it is left out.
    public var profiles: [MediaProfile]?
    public var params: MediaJobParams?
    /// `normal` where it is left out.
    public var priority: MediaPriority?
    /// A content of kind `video` that shows what the job makes.
    public var contentId: UUID?

    public init(
        type: MediaJobType, assetId: UUID? = nil, sourceUrl: String? = nil, profiles: [MediaProfile]? = nil,
        params: MediaJobParams? = nil, priority: MediaPriority? = nil, contentId: UUID? = nil
    ) {
        self.contentId = contentId
        self.type = type
        self.assetId = assetId
        self.sourceUrl = sourceUrl
        self.profiles = profiles
        self.params = params
        self.priority = priority
    }
}

/// How the job is to be done; each type takes its own.
public struct MediaJobParams: Codable, Sendable, Equatable {
    /// Of `cover` and `thumbnail`: which instant of a video.
    public var atSecond: Double?
    /// Of `cover`, `thumbnail`, `image_variants` and `watermark` of a picture.
    public var format: MediaPictureFormat?
    /// Of `thumbnail` and `image_variants`, at most what the source has.
    public var widths: [Int]?
    /// Of `concat`, in their order.
    public var assetIds: [UUID]?
    /// Of `transcode`: what is made; all of it where they are left out.
    public var hls: Bool?
    public var mp4: Bool?
    public var cover: Bool?
    /// Of `watermark`: one of the two.
    public var text: String?
    public var overlayAssetId: UUID?
    /// Of `watermark`: bottom right where it is left out.
    public var corner: MediaCorner?
    /// Of `watermark`, in percent: 60 where it is left out.
    public var opacity: Int?
    /// Of `watermark`: the mark's width in percent of the picture's, 20 where it is left out; of a text its height, 5.
    public var size: Int?
    /// Of `subtitle`: what is spoken, by ISO 639; `zh` where it is left out.
    public var language: String?
    /// Of `burn_subtitle`: SRT or WebVTT.
    public var subtitleAssetId: UUID?
    /// Of `burn_subtitle`: `burn` where it is left out.
    public var mode: MediaSubtitleMode?

    public init(
        atSecond: Double? = nil, format: MediaPictureFormat? = nil, widths: [Int]? = nil, assetIds: [UUID]? = nil,
        hls: Bool? = nil, mp4: Bool? = nil, cover: Bool? = nil, text: String? = nil, overlayAssetId: UUID? = nil,
        corner: MediaCorner? = nil, opacity: Int? = nil, size: Int? = nil, language: String? = nil, subtitleAssetId: UUID? = nil,
        mode: MediaSubtitleMode? = nil
    ) {
        self.atSecond = atSecond
        self.format = format
        self.widths = widths
        self.assetIds = assetIds
        self.hls = hls
        self.mp4 = mp4
        self.cover = cover
        self.text = text
        self.overlayAssetId = overlayAssetId
        self.corner = corner
        self.opacity = opacity
        self.size = size
        self.language = language
        self.subtitleAssetId = subtitleAssetId
        self.mode = mode
    }
}

public enum MediaJobStatus: String, Codable, Sendable, CaseIterable {
    case queued, running, succeeded, failed, canceled
}

/// `202` of `POST /api/media/jobs`.
public struct MediaJobAccepted: Codable, Sendable, Equatable {
    public var jobId: UUID
    public var status: MediaJobStatus

    public init(jobId: UUID, status: MediaJobStatus) {
        self.jobId = jobId
        self.status = status
    }
}

/// `GET /api/media/jobs/{id}`
public struct MediaJob: Codable, Sendable, Equatable {
    public var jobId: UUID
    public var type: MediaJobType
    public var priority: MediaPriority
    public var status: MediaJobStatus
    /// Percent.
    public var progress: Int
    public var assetId: UUID?
    /// The content that shows what it makes.
    public var contentId: UUID?
    /// Assets of the tenant, with addresses that hold for a while.
    public var outputs: [MediaOutput]
    /// Of the source, once it has been looked at.
    public var probe: MediaProbe?
    /// Of a failed job.
    public var error: MediaJobError?
    public var createdBy: String
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?

    public init(
        jobId: UUID, type: MediaJobType, priority: MediaPriority, status: MediaJobStatus, progress: Int, assetId: UUID?,
        contentId: UUID? = nil, outputs: [MediaOutput], probe: MediaProbe?, error: MediaJobError?, createdBy: String,
        createdAt: Date, startedAt: Date?, finishedAt: Date?
    ) {
        self.contentId = contentId
        self.jobId = jobId
        self.type = type
        self.priority = priority
        self.status = status
        self.progress = progress
        self.assetId = assetId
        self.outputs = outputs
        self.probe = probe
        self.error = error
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

public enum MediaOutputKind: String, Codable, Sendable, CaseIterable {
    case mp4
    /// The master playlist.
    case hls
    /// One rate of it: a fragmented MP4, of which the playlist's segments are ranges.
    case hlsRendition = "hls_rendition"
    case cover, thumbnail, image, audio
    /// Subtitles.
    case srt, vtt
}

public struct MediaOutput: Codable, Sendable, Equatable {
    public var kind: MediaOutputKind
    /// Tells outputs of one kind apart: `720p`, `w640`.
    public var name: String
    /// None for a playlist, which is written anew for whoever asks.
    public var assetId: UUID?
    /// Signed; of a playlist the path under which members get it.
    public var url: String
    public var mediaType: String
    /// Bytes.
    public var size: Int?
    public var width: Int?
    public var height: Int?
    public var durationMs: Int?
    /// Bits per second.
    public var bitrate: Int?

    public init(
        kind: MediaOutputKind, name: String, assetId: UUID?, url: String, mediaType: String, size: Int?, width: Int?,
        height: Int?,
        durationMs: Int?, bitrate: Int?
    ) {
        self.kind = kind
        self.name = name
        self.assetId = assetId
        self.url = url
        self.mediaType = mediaType
        self.size = size
        self.width = width
        self.height = height
        self.durationMs = durationMs
        self.bitrate = bitrate
    }
}

public struct MediaJobError: Codable, Sendable, Equatable {
    /// Stable, e.g. `media.unreadable`.
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// What media jobs have made for a content of kind `video`, as the content shows it (seed 001 §6).
public struct ContentMedia: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case processing, ready, failed
    }
    /// Of the newest job; what one before it has made is there meanwhile.
    public var status: Status
    public var jobId: UUID
    /// Percent.
    public var progress: Int
    /// The path under which members get the master playlist.
    public var hlsUrl: String?
    /// MP4s and the rates of HLS, with signed addresses and bits per second.
    public var renditions: [MediaOutput]
    public var durationMs: Int?
    /// Signed.
    public var coverUrl: String?
    /// Why it failed.
    public var error: MediaJobError?

    public init(
        status: Status, jobId: UUID, progress: Int, hlsUrl: String? = nil, renditions: [MediaOutput] = [],
        durationMs: Int? = nil, coverUrl: String? = nil, error: MediaJobError? = nil
    ) {
        self.status = status
        self.jobId = jobId
        self.progress = progress
        self.hlsUrl = hlsUrl
        self.renditions = renditions
        self.durationMs = durationMs
        self.coverUrl = coverUrl
        self.error = error
    }
}

/// `data` of `media.job.progressed.v1`, `media.job.succeeded.v1`, `media.job.failed.v1` and `media.job.canceled.v1`; subject is the job.
public struct MediaJobMoved: Codable, Sendable, Equatable {
    public static let progressedType = "media.job.progressed.v1"
    public static let succeededType = "media.job.succeeded.v1"
    public static let failedType = "media.job.failed.v1"
    public static let canceledType = "media.job.canceled.v1"

    public var jobId: UUID
    public var type: MediaJobType
    public var status: MediaJobStatus
    /// Percent.
    public var progress: Int
    /// The source, where it is one.
    public var assetId: UUID?
    /// The content that shows what it makes.
    public var contentId: UUID?
    public var outputs: [MediaOutputReference]
    /// Why it failed.
    public var code: String?

    public init(
        jobId: UUID, type: MediaJobType, status: MediaJobStatus, progress: Int, assetId: UUID?, contentId: UUID? = nil,
        outputs: [MediaOutputReference], code: String? = nil
    ) {
        self.contentId = contentId
        self.jobId = jobId
        self.type = type
        self.status = status
        self.progress = progress
        self.assetId = assetId
        self.outputs = outputs
        self.code = code
    }
}

/// An output as events name it: who wants its address asks for the asset.
public struct MediaOutputReference: Codable, Sendable, Equatable {
    public var kind: MediaOutputKind
    public var name: String
    public var assetId: UUID?

    public init(kind: MediaOutputKind, name: String, assetId: UUID?) {
        self.kind = kind
        self.name = name
        self.assetId = assetId
    }
}
