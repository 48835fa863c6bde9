import DTO
import HTTPCore

/// A video against the limits of Douyin, before it is published (`reference/douyin-openapi.md` §2.1, §2.8).
///
/// The platform writes of size, length and container. It recommends 720p and more; of codecs and shapes it says nothing: there we warn of
/// what its players are known not to show well.
enum DouyinVideoRule {
    static let largestBytes = 4 << 30
    static let longestMs = 15 * 60_000
    /// Beyond it one request is not enough, and the hand-off to the app takes none.
    static let largestRequest = 128 << 20
    static let adviseParts = 50 << 20
    static let leastShortSide = 720

    private static let containers: Set<FileType> = [.mp4, .quickTime, .webm]
    private static let videoCodecs: Set = ["h264", "hevc", "vp8", "vp9"]
    private static let audioCodecs: Set = ["aac", "mp3", "opus", "vorbis"]

    enum Finding: String, Sendable, Equatable, CaseIterable {
        case tooLarge = "too_large"
        case tooLong = "too_long"
        case container
        case partsRequired = "parts_required"
        case tooLargeForHandOff = "too_large_for_hand_off"
        case partsAdvised = "parts_advised"
        case webmHandOff = "webm_hand_off"
        case lowResolution = "low_resolution"
        case unusualShape = "unusual_shape"
        case videoCodec = "video_codec"
        case audioCodec = "audio_codec"
        case silent
    }

    /// - Returns: `nil` where the file is no video.
    static func findings(_ facts: MediaFacts) -> [Finding]? {
        guard let video = facts.video, !facts.isPicture else { return nil }
        var found: [Finding] = []
        let type = FileType(rawValue: facts.type)
        if facts.size > largestBytes { found.append(.tooLarge) }
        if let duration = facts.durationMs, duration > longestMs { found.append(.tooLong) }
        if !(type.map(containers.contains) ?? false) { found.append(.container) }
        if facts.size > largestRequest {
            found += [.partsRequired, .tooLargeForHandOff]
        } else if facts.size > adviseParts {
            found.append(.partsAdvised)
        }
        if type == .webm { found.append(.webmHandOff) }
        if video.shortSide < leastShortSide { found.append(.lowResolution) }
        // From 9:16 to 16:9, with a pixel's tolerance.
        if max(video.width, video.height) * 9 > video.shortSide * 16 + 16 { found.append(.unusualShape) }
        if !videoCodecs.contains(video.codec) { found.append(.videoCodec) }
        if let audio = facts.audio {
            if !audioCodecs.contains(audio.codec) { found.append(.audioCodec) }
        } else {
            found.append(.silent)
        }
        return found
    }

    static func report(_ facts: MediaFacts, in language: LocalizedText.Language) -> DouyinVideoReport? {
        guard let found = findings(facts) else { return nil }
        return DouyinVideoReport(
            isAccepted: !found.contains { $0.severity == .error },
            findings: found.map {
                DouyinVideoFinding(severity: $0.severity, code: $0.rawValue, message: $0.message.text(in: language))
            })
    }
}

extension DouyinVideoRule.Finding {
    var severity: DouyinVideoFinding.Severity {
        switch self {
        case .tooLarge, .tooLong, .container: .error
        case .tooLargeForHandOff, .webmHandOff, .lowResolution, .unusualShape, .videoCodec, .audioCodec: .warning
        case .partsRequired, .partsAdvised, .silent: .notice
        }
    }

    var message: LocalizedText {
        switch self {
        case .tooLarge: LocalizedText(zh: "超过 4 GB", en: "It is larger than 4 GB")
        case .tooLong: LocalizedText(zh: "超过 15 分钟", en: "It is longer than 15 minutes")
        case .container: LocalizedText(zh: "应为 MP4、MOV 或 WebM", en: "It should be MP4, MOV or WebM")
        case .partsRequired: LocalizedText(zh: "超过 128 MB，必须分片上传", en: "Beyond 128 MB it has to be sent in parts")
        case .tooLargeForHandOff:
            LocalizedText(zh: "超过 128 MB，无法通过抖音 App 分享发布", en: "Beyond 128 MB it cannot be handed to the Douyin app")
        case .partsAdvised: LocalizedText(zh: "超过 50 MB，建议分片上传", en: "Beyond 50 MB sending it in parts is advised")
        case .webmHandOff: LocalizedText(zh: "WebM 无法通过抖音 App 分享发布", en: "WebM cannot be handed to the Douyin app")
        case .lowResolution: LocalizedText(zh: "分辨率低于 720p", en: "Its resolution is below 720p")
        case .unusualShape: LocalizedText(zh: "画面比 16:9 更宽或更长", en: "Its picture is wider or taller than 16:9")
        case .videoCodec:
            LocalizedText(zh: "视频编码不常用，建议 H.264", en: "Its video codec is unusual; H.264 is safe")
        case .audioCodec: LocalizedText(zh: "音频编码不常用，建议 AAC", en: "Its audio codec is unusual; AAC is safe")
        case .silent: LocalizedText(zh: "没有声音", en: "It has no sound")
        }
    }
}
