/// HLS playlists (RFC 8216). A rate is one fragmented MP4, its segments are ranges of it; so a video is some files and not thousands.
///
/// What is kept is the playlist as FFmpeg wrote it. For whoever asks it is written anew with a signed address in place of the file's
/// name: the address ends, the playlist does not.
enum HLSPlaylists {
    static let mediaType = "application/vnd.apple.mpegurl"
    static let master = "master.m3u8"

    /// A rate as the master playlist names it.
    struct Rendition: Sendable, Equatable {
        var name: String
        var width: Int
        var height: Int
        /// RFC 6381, e.g. `avc1.640028,mp4a.40.2`.
        var codecs: String?
        var frameRate: Double?
        /// As FFmpeg wrote it.
        var playlist: String
    }

    /// The best rate first.
    ///
    /// - Parameter query: with which the playlists of the rates are asked for, beside this one.
    static func master(_ renditions: [Rendition], query: String? = nil) -> String {
        let ending = query.map { "?\($0)" } ?? ""
        var lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
        for rendition in renditions.sorted(by: { $0.width * $0.height > $1.width * $1.height }) {
            let (peak, average) = rates(of: rendition.playlist)
            var attributes = "BANDWIDTH=\(peak),AVERAGE-BANDWIDTH=\(average),RESOLUTION=\(rendition.width)x\(rendition.height)"
            if let codecs = rendition.codecs { attributes += ",CODECS=\"\(codecs)\"" }
            if let rate = rendition.frameRate { attributes += ",FRAME-RATE=\(rate)" }
            lines += ["#EXT-X-STREAM-INF:\(attributes)", "\(rendition.name).m3u8\(ending)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The playlist with `url` for its one file.
    static func media(_ playlist: String, url: String) -> String {
        playlist.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.hasPrefix("#EXT-X-MAP:") {
                // URI="720p.mp4",BYTERANGE="1341@0"
                guard let begin = line.firstRange(of: "URI=\"")?.upperBound, let end = line[begin...].firstIndex(of: "\"") else {
                    return String(line)
                }
                return "\(line[..<begin])\(url)\(line[end...])"
            }
            return line.isEmpty || line.hasPrefix("#") ? String(line) : url
        }.joined(separator: "\n")
    }

    /// Bits per second: of the largest segment for its length, and of all together.
    static func rates(of playlist: String) -> (peak: Int, average: Int) {
        var (peak, bits, seconds, length) = (0.0, 0.0, 0.0, 0.0)
        for line in playlist.split(separator: "\n") {
            if line.hasPrefix("#EXTINF:") {
                length = Double(line.dropFirst("#EXTINF:".count).prefix { $0 != "," }) ?? 0
            } else if line.hasPrefix("#EXT-X-BYTERANGE:"), length > 0 {
                let size = (Double(line.dropFirst("#EXT-X-BYTERANGE:".count).prefix { $0 != "@" }) ?? 0) * 8
                (peak, bits, seconds) = (max(peak, size / length), bits + size, seconds + length)
            }
        }
        return (max(1, Int(peak.rounded(.up))), max(1, Int((bits / max(seconds, 0.001)).rounded(.up))))
    }

    /// H.264 by profile and level as ffprobe names them, and AAC where there is sound.
    static func codecs(of facts: MediaFacts) -> String? {
        guard let video = facts.video, video.codec == "h264", let level = video.level, (1...255).contains(level) else {
            return nil
        }
        let profiles = ["High": "6400", "Main": "4D40", "Constrained Baseline": "42E0", "Baseline": "4200"]
        guard let profile = video.profile.flatMap({ profiles[$0] }) else { return nil }
        let hex = String(level, radix: 16, uppercase: true)
        return "avc1.\(profile)\(hex.count == 1 ? "0" : "")\(hex)" + (facts.audio == nil ? "" : ",mp4a.40.2")
    }
}
