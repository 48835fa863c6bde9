import DTO
import FoundationEssentials
import HTTPCore

/// What ffprobe says of a file, as far as we ask.
struct MediaFacts: Codable, Sendable, Equatable {
    var type: String
    var size: Int
    var durationMs: Int?
    var video: Video?
    var audio: Audio?
    var bitrate: Int?

    struct Video: Codable, Sendable, Equatable {
        var codec: String
        /// Of the picture as it is shown: square pixels, turned where the file says so.
        var width: Int
        var height: Int
        var frameRate: Double?
        var hasAlpha: Bool
        /// As the codec's own names and numbers.
        var profile: String?
        var level: Int?

        var shortSide: Int { min(width, height) }
    }

    struct Audio: Codable, Sendable, Equatable {
        var codec: String
        var channels: Int
        var sampleRate: Int
        /// Where it says so itself: sound may end before the pictures do.
        var durationMs: Int?
    }

    /// A picture has no length; a video has one.
    var isPicture: Bool { FileType(rawValue: type)?.kind == .image }

    /// Seconds.
    var duration: Double { Double(durationMs ?? 0) / 1_000 }

    /// Whether it is as long as was planned, but for what containers and frames round off.
    func isWhole(plannedMs: Int) -> Bool {
        let frame = video?.frameRate.map { Int(1_000 / max($0, 0.01)) } ?? 0
        return (durationMs ?? 0) >= plannedMs - max(500, plannedMs / 50, 2 * frame)
    }
}

/// Reads the JSON of ffprobe.
enum ProbeReader {
    /// - Returns: `nil` where it is none, or names no stream that can be shown or heard.
    static func facts(_ output: [UInt8], type: FileType, size: Int) -> MediaFacts? {
        guard let report = try? JSON.decode(Report.self, from: output) else { return nil }
        let streams = report.streams ?? []
        let video = streams.first { $0.codec_type == "video" && $0.disposition?.attached_pic != 1 }
        let audio = streams.first { $0.codec_type == "audio" }
        var facts = MediaFacts(type: type.rawValue, size: size)
        facts.video = video.flatMap(self.video)
        facts.audio = audio.flatMap(self.audio)
        guard facts.video != nil || facts.audio != nil else { return nil }
        if type.kind != .image {
            // A file may leave out its own length, but not that of its streams.
            let seconds = number(video?.duration) ?? number(report.format?.duration) ?? number(audio?.duration)
            facts.durationMs = seconds.flatMap(milliseconds)
            facts.audio?.durationMs = number(audio?.duration).flatMap(milliseconds)
            facts.bitrate = report.format?.bit_rate.flatMap { Int($0) }
        }
        return facts
    }

    private static func video(_ stream: Stream) -> MediaFacts.Video? {
        guard let codec = stream.codec_name, let width = stream.width, let height = stream.height, width > 0, height > 0 else {
            return nil
        }
        var shown = (width: width, height: height)
        if let ratio = ratio(stream.sample_aspect_ratio, ":"), ratio > 0.01, ratio < 100 {
            shown.width = max(1, Int((Double(width) * ratio).rounded()))
        }
        let turn = stream.side_data_list?.compactMap(\.rotation).first ?? 0
        if abs(Int(turn.rounded())) % 180 == 90 { shown = (shown.height, shown.width) }
        let rate = ratio(stream.avg_frame_rate, "/") ?? ratio(stream.r_frame_rate, "/")
        let format = stream.pix_fmt ?? ""
        return MediaFacts.Video(
            codec: codec, width: shown.width, height: shown.height, frameRate: rate.map { ($0 * 1_000).rounded() / 1_000 },
            hasAlpha: format.hasPrefix("yuva")
                || ["rgba", "bgra", "argb", "abgr", "ya8", "ya16be", "rgba64be", "pal8"].contains(format),
            profile: stream.profile, level: stream.level)
    }

    private static func audio(_ stream: Stream) -> MediaFacts.Audio? {
        guard let codec = stream.codec_name else { return nil }
        return MediaFacts.Audio(
            codec: codec, channels: stream.channels ?? 0, sampleRate: stream.sample_rate.flatMap { Int($0) } ?? 0)
    }

    private static func milliseconds(_ seconds: Double) -> Int? { Int(exactly: (seconds * 1_000).rounded()) }

    private static func number(_ text: String?) -> Double? {
        text.flatMap { Double($0) }.flatMap { $0.isFinite && $0 >= 0 && $0 < 1e9 ? $0 : nil }
    }

    /// `30000/1001`; nothing where a side is zero.
    private static func ratio(_ text: String?, _ separator: Character) -> Double? {
        let parts = (text ?? "").split(separator: separator).compactMap { Double($0) }
        guard parts.count == 2, parts[0] > 0, parts[1] > 0 else { return nil }
        return parts[0] / parts[1]
    }

    /// What is asked for: names and numbers, no free text out of the file.
    static let entries =
        "format=duration,bit_rate:stream=codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,r_frame_rate,duration,"
        + "pix_fmt,profile,level,channels,sample_rate:stream_disposition=attached_pic:stream_side_data=rotation"

    // The names are ffprobe's.
    private struct Report: Decodable {
        let streams: [Stream]?
        let format: Format?
    }

    private struct Format: Decodable {
        let duration: String?
        let bit_rate: String?
    }

    private struct Stream: Decodable {
        let codec_type: String?
        let codec_name: String?
        let width: Int?
        let height: Int?
        let sample_aspect_ratio: String?
        let avg_frame_rate: String?
        let r_frame_rate: String?
        let duration: String?
        let pix_fmt: String?
        let profile: String?
        let level: Int?
        let channels: Int?
        let sample_rate: String?
        let disposition: Disposition?
        let side_data_list: [SideData]?
    }

    private struct Disposition: Decodable {
        let attached_pic: Int?
    }

    private struct SideData: Decodable {
        let rotation: Double?
    }
}
