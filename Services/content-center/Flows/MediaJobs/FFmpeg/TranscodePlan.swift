import DTO

/// The rates of a transcoded video.
enum TranscodeLadder {
    static let usual: [MediaProfile] = [.p1080, .p720, .p480]

    struct Rung: Sendable, Equatable {
        let width: Int
        let height: Int
        /// Bits per second at most, in thousands.
        let maxRate: Int

        var name: String { "\(min(width, height))p" }

        /// H.264 that every player knows. A key frame every two seconds, wherever scenes change: so the rates can be switched between at
        /// every segment, and the segments of all rates begin at the same instants.
        var encoding: [String] {
            [
                "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p", "-crf", "22",
                "-maxrate", "\(maxRate)k", "-bufsize", "\(2 * maxRate)k", "-g", "600", "-sc_threshold", "0",
                "-force_key_frames", "expr:gte(t,n_forced*2)",
            ]
        }
    }

    /// One for each profile, the largest first, none larger than the source: where profiles are, they become one of the source's size.
    static func rungs(_ profiles: [MediaProfile], of video: MediaFacts.Video) -> [Rung] {
        var rungs: [Rung] = []
        for profile in profiles.sorted(by: { $0.shortSide > $1.shortSide }) {
            // H.264 halves its colours: sides are even.
            let side = max(2, min(profile.shortSide, video.shortSide) / 2 * 2)
            let longSide = max(video.width, video.height)
            let scaled = Int((Double(longSide * side) / Double(2 * video.shortSide)).rounded()) * 2
            let long = max(2, min(scaled, longSide / 2 * 2))
            let isWide = video.width >= video.height
            let rung = Rung(width: isWide ? long : side, height: isWide ? side : long, maxRate: maxRate(of: side))
            if rungs.last?.name != rung.name { rungs.append(rung) }
        }
        return rungs
    }

    private static func maxRate(of side: Int) -> Int {
        switch side {
        case ...360: 800
        case ...480: 1_400
        case ...720: 2_800
        case ...1080: 5_000
        case ...1440: 9_000
        default: 16_000
        }
    }
}

extension MediaProfile {
    var shortSide: Int {
        switch self {
        case .p2160: 2_160
        case .p1440: 1_440
        case .p1080: 1_080
        case .p720: 720
        case .p480: 480
        case .p360: 360
        }
    }
}

extension MediaPlan {
    static let segmentSeconds = 4

    /// One run: the source is decoded once and scaled to each rate; the largest becomes the MP4 as well, without being encoded again.
    static func transcode(
        _ source: ExaminedInput, _ profiles: [MediaProfile], _ params: MediaJobParams
    ) throws(MediaFailure) -> MediaPlan {
        let video = try source.video()
        if source.facts.isPicture { throw .noVideo }
        let (makesHLS, makesMP4) = (params.hls ?? true, params.mp4 ?? true)
        var rungs = TranscodeLadder.rungs(profiles, of: video)
        if !makesHLS { rungs = Array(rungs.prefix(1)) }
        var plan = MediaPlan()
        if makesHLS || makesMP4 {
            var arguments = source.arguments + ["-filter_complex", scaling(to: rungs, rate: video.frameRate)]
            for (index, rung) in rungs.enumerated() {
                arguments += ["-map", "[v\(index)]"] + (source.facts.audio == nil ? [] : ["-map", "0:a:0"] + sound)
                arguments += plain + rung.encoding + container(rung, hls: makesHLS, mp4: makesMP4 && index == 0)
                if makesHLS { plan.outputs.append(rendition(rung, source.facts)) }
            }
            plan.steps.append(MediaStep(arguments: arguments, durationMs: source.facts.durationMs ?? 0, weight: 20))
        }
        if makesMP4, let top = rungs.first {
            plan.outputs.append(
                PlannedOutput(
                    kind: .mp4, name: top.name, file: "video.mp4", type: .mp4, width: top.width, height: top.height,
                    durationMs: source.facts.durationMs))
        }
        if params.cover ?? true {
            let cover = try cover(source, MediaJobParams())
            plan.steps += cover.steps
            plan.outputs += cover.outputs
            plan.choice = cover.choice
        }
        return plan
    }

    /// At most 60 pictures per second, and those at even distances.
    private static func scaling(to rungs: [TranscodeLadder.Rung], rate: Double?) -> String {
        let rate = rate.map { $0 > 60 ? "60" : "source_fps" } ?? "30"
        let ends = rungs.indices.map { "[s\($0)]" }.joined()
        let scaled = rungs.enumerated().map { index, rung in
            "[s\(index)]scale=\(rung.width):\(rung.height):flags=bicubic,setsar=1[v\(index)]"
        }
        return (["[0:v:0]fps=\(rate),format=yuv420p,split=\(rungs.count)\(ends)"] + scaled).joined(separator: ";")
    }

    private static func container(_ rung: TranscodeLadder.Rung, hls: Bool, mp4: Bool) -> [String] {
        let (segments, playlist) = ("\(rung.name).mp4", "\(rung.name).m3u8")
        let options = [
            ("hls_time", "\(segmentSeconds)"), ("hls_playlist_type", "vod"), ("hls_segment_type", "fmp4"),
            ("hls_flags", "single_file+independent_segments"), ("hls_segment_filename", segments),
        ]
        switch (hls, mp4) {
        case (true, true):
            let inner = options.map { "\($0.0)=\($0.1)" }.joined(separator: ":")
            return ["-flags", "+global_header", "-f", "tee", "[f=hls:\(inner)]\(playlist)|[f=mp4:movflags=+faststart]video.mp4"]
        case (true, false): return ["-f", "hls"] + options.flatMap { ["-\($0.0)", $0.1] } + [playlist]
        case (false, _): return ["-movflags", "+faststart", "-f", "mp4", "video.mp4"]
        }
    }

    private static func rendition(_ rung: TranscodeLadder.Rung, _ facts: MediaFacts) -> PlannedOutput {
        PlannedOutput(
            kind: .hlsRendition, name: rung.name, file: "\(rung.name).mp4", type: .mp4, width: rung.width, height: rung.height,
            durationMs: facts.durationMs, playlist: "\(rung.name).m3u8")
    }
}
