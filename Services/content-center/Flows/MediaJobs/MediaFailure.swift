import ChildProcesses
import HTTPCore

/// Why a job cannot be done, however often it is tried. What may mend by itself (a store or a host that is away) is no such failure.
enum MediaFailure: String, Error, Sendable, Equatable, CaseIterable {
    case unreadable = "media.unreadable"
    case noVideo = "media.no_video"
    case noAudio = "media.no_audio"
    case tooLarge = "media.too_large"
    case tooLong = "media.too_long"
    case beyondEnd = "media.beyond_end"
    case timedOut = "media.timeout"
    case resources = "media.resources_exceeded"
    case sourceGone = "media.source_gone"
    case sourceUnreachable = "media.source_unreachable"
    case sourceRefused = "media.source_refused"
    case quota = "media.quota_exceeded"
    case noSpeech = "media.no_speech"
    case speechRefused = "media.speech_refused"
    case badSubtitles = "media.bad_subtitles"
    case outputCut = "media.output_cut"
    case failed = "media.failed"
    /// The worker ended in every attempt, without a word.
    case noAttemptEnded = "media.attempts_exhausted"

    var message: LocalizedText {
        switch self {
        case .unreadable: LocalizedText(zh: "文件无法解码", en: "The file cannot be decoded")
        case .noVideo: LocalizedText(zh: "文件没有画面", en: "The file has no picture")
        case .noAudio: LocalizedText(zh: "文件没有声音", en: "The file has no sound")
        case .tooLarge: LocalizedText(zh: "画面过大，最大 8K", en: "The picture is larger than 8K")
        case .tooLong: LocalizedText(zh: "时长超过上限", en: "It is longer than such a job takes")
        case .beyondEnd: LocalizedText(zh: "指定的时间超出了视频时长", en: "The instant is beyond the video's end")
        case .timedOut: LocalizedText(zh: "处理超时", en: "It took too long")
        case .resources: LocalizedText(zh: "处理所需的资源超过上限", en: "It needed more memory, time or disk than a job may have")
        case .sourceGone: LocalizedText(zh: "源素材已被删除", en: "The source has been deleted")
        case .sourceUnreachable: LocalizedText(zh: "源地址无法下载", en: "The source's address does not answer with it")
        case .sourceRefused: LocalizedText(zh: "源文件过大或未通过检查", en: "The source is too large, or was refused when looked at")
        case .quota: LocalizedText(zh: "存储空间不足", en: "The storage quota is used up")
        case .noSpeech: LocalizedText(zh: "没有听到说话", en: "Nobody speaks in it")
        case .speechRefused: LocalizedText(zh: "语音识别服务拒绝了该文件", en: "The speech recogniser does not take the file")
        case .badSubtitles: LocalizedText(zh: "字幕文件无法解析", en: "The subtitle file cannot be read")
        case .outputCut:
            LocalizedText(zh: "处理结果比源文件短，源文件可能不完整", en: "What was made is shorter than the source, which may be cut off")
        case .failed: LocalizedText(zh: "处理失败", en: "It could not be done")
        case .noAttemptEnded: LocalizedText(zh: "多次尝试均未完成", en: "No attempt came to an end")
        }
    }

    /// What a child's end says.
    ///
    /// - Throws: a failure, or what a repetition may mend; nothing where it did its work.
    static func check(_ outcome: ChildProcess.Outcome, whileReading: Bool) throws {
        try check(outcome.ending, outcome.complaints, whileReading: whileReading)
    }

    static func check(_ ending: ChildProcess.Ending, _ complaints: String, whileReading: Bool) throws {
        switch ending {
        case .exited(0): return
        case .timedOut: throw MediaFailure.timedOut
        case .killed(signal: 15): throw ToolStopped()
        // What a machine ends that has no memory left; at our own limit of time it would have been at work all the while.
        case .killed(signal: 9): throw MediaTrouble(failure: .resources, complaint: "killed")
        case .killed: throw MediaFailure.resources
        // What the chain of programs before it says where the last is not there.
        case .exited(126), .exited(127): throw ToolMissing(complaint: complaints)
        case .exited:
            if complaints.contains("received signal 15") { throw ToolStopped() }
            if ["nice: ", "prlimit: ", "setpriv: "].contains(where: complaints.hasPrefix) {
                throw ToolMissing(complaint: complaints)
            }
            if complaints.contains("failed to execute") { throw ToolMissing(complaint: complaints) }
            if complaints.contains("No space left on device") { throw DiskFull() }
            let isBroken = whileReading || readingComplaints.contains(where: complaints.contains)
            if complaints.contains("Cannot allocate memory") { throw MediaTrouble(failure: .resources, complaint: complaints) }
            if ["Input/output error", "Stale file handle"].contains(where: complaints.contains) {
                throw MediaTrouble(failure: isBroken ? .unreadable : .failed, complaint: complaints)
            }
            if isBroken { throw MediaFailure.unreadable }
            throw FFmpegRefusal(complaint: complaints)
        }
    }

    private static let readingComplaints = [
        "Invalid data found", "Error while decoding", "Picture size", "moov atom not found", "could not find codec parameters",
    ]
}

/// FFmpeg ended with an error that none of our words fits: ``MediaFailure/failed`` for the client, its own words for the log.
struct FFmpegRefusal: Error, CustomStringConvertible {
    let complaint: String

    var description: String { "ffmpeg: \(complaint.suffix(900))" }
}

/// It may have been the machine's fault as well as the file's: a disk, a share or the memory that others needed. Tried again some times,
/// then it is the file's.
struct MediaTrouble: Error, CustomStringConvertible {
    static let mostAttempts = 3

    let failure: MediaFailure
    let complaint: String

    var description: String { "\(failure.rawValue), perhaps: \(complaint.suffix(900))" }
}

/// Somebody has to install FFmpeg; jobs wait for it.
struct ToolMissing: Error, CustomStringConvertible {
    let complaint: String

    var description: String { "FFmpeg is not installed: \(complaint.suffix(300))" }
}

/// Somebody from outside ended it, as when a machine is shut down: says nothing about the file.
struct ToolStopped: Error {}

/// Somebody has to make room; jobs wait for it.
struct DiskFull: Error {}
