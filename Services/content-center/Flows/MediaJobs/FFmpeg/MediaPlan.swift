import DTO

/// What FFmpeg is to do for a job, as a value: the runs one after the other, and the files that they leave.
struct MediaPlan: Sendable, Equatable {
    var steps: [MediaStep] = []
    var outputs: [PlannedOutput] = []
    /// Texts that the runs read, by file name: what people write never stands in an argument.
    var texts: [String: String] = [:]
    /// A sound that somebody has to listen to when the runs are over.
    var speech: PlannedSpeech?
    /// Pictures of which one is chosen when the runs are over.
    var choice: PlannedChoice?
}

struct PlannedChoice: Sendable, Equatable {
    /// The file with what was measured (``FrameMeasures``).
    var measures: String
    /// Of the pictures' names.
    var ending: String
    /// What the chosen one is called then.
    var file: String

    /// As FFmpeg fills it in, from 1 on.
    var pattern: String { "candidate-%d.\(ending)" }

    func candidate(_ frame: FrameMeasure) -> String { "candidate-\(frame.number + 1).\(ending)" }
}

struct PlannedSpeech: Sendable, Equatable {
    var file: String
    var language: String
    var durationMs: Int
}

/// One run of FFmpeg.
struct MediaStep: Sendable, Equatable {
    var arguments: [String]
    /// How long its output will be; 0 where that says nothing.
    var durationMs = 0
    /// Its share of the job's time.
    var weight = 1
}

struct PlannedOutput: Sendable, Equatable {
    var kind: MediaOutputKind
    /// Unlike that of the job's other outputs of the kind.
    var name: String
    /// In the job's folder.
    var file: String
    var type: FileType
    var width: Int?
    var height: Int?
    var durationMs: Int?
    /// The file of the playlist that goes with it.
    var playlist: String?
}

/// A source with what is known of it.
struct ExaminedInput: Sendable, Equatable {
    let file: MediaInput
    let facts: MediaFacts

    var arguments: [String] { FFmpeg.input(file) }

    /// - Throws: ``MediaFailure/noVideo``
    func video() throws(MediaFailure) -> MediaFacts.Video {
        guard let video = facts.video else { throw .noVideo }
        return video
    }
}

extension MediaPlan {
    /// Videos and sounds beyond it are refused.
    static let longestMs = 4 * 3_600_000

    /// - Parameters:
    ///   - inputs: the source; of `concat` all of them; of `watermark` with a picture that as the second.
    ///   - cues: of `burn_subtitle`.
    static func plan(
        _ order: MediaOrder, _ inputs: [ExaminedInput], cues: [SubtitleCue] = []
    ) throws(MediaFailure) -> MediaPlan {
        guard let source = inputs.first else { throw .sourceGone }
        if inputs.reduce(0, { $0 + ($1.facts.durationMs ?? 0) }) > longestMs { throw .tooLong }
        let params = order.params ?? MediaJobParams()
        switch order.type {
        case .probe: return MediaPlan()
        case .transcode: return try transcode(source, order.profiles ?? TranscodeLadder.usual, params)
        case .cover: return try cover(source, params)
        case .thumbnail: return try thumbnails(source, params)
        case .imageVariants: return try variants(source, params)
        case .audio: return try audio(source)
        case .subtitle: return try speech(source, params)
        case .burnSubtitle: return try subtitled(source, cues, params.mode ?? .burn)
        case .concat: return try concat(inputs)
        case .watermark: return try watermark(source, mark: inputs.count > 1 ? inputs[1] : nil, params)
        }
    }

    /// What every output has in common: nothing of what the source says about itself (where it was filmed, on whose telephone).
    static let plain = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]

    static let sound = ["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000"]

    private static func audio(_ source: ExaminedInput) throws(MediaFailure) -> MediaPlan {
        guard let audio = source.facts.audio else { throw .noAudio }
        let (file, duration) = ("audio.m4a", audio.durationMs ?? source.facts.durationMs)
        let arguments =
            source.arguments + ["-map", "0:a:0", "-vn"] + plain + sound + ["-movflags", "+faststart", "-f", "ipod", file]
        return MediaPlan(
            steps: [MediaStep(arguments: arguments, durationMs: duration ?? 0)],
            outputs: [PlannedOutput(kind: .audio, name: "audio", file: file, type: .m4a, durationMs: duration)])
    }

    /// All are brought to the first one's size (at most 1080p), each whole with bars where its shape is another, at 30 pictures per second;
    /// who has no sound is silent.
    private static func concat(_ inputs: [ExaminedInput]) throws(MediaFailure) -> MediaPlan {
        guard let first = inputs.first else { throw .sourceGone }
        guard let size = TranscodeLadder.rungs([.p1080], of: try first.video()).first else { throw .noVideo }
        var (filter, ends) = ("", "")
        for (index, input) in inputs.enumerated() {
            _ = try input.video()
            filter +=
                "[\(index):v:0]fps=30,scale=\(size.width):\(size.height):force_original_aspect_ratio=decrease,"
                + "pad=\(size.width):\(size.height):(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p[v\(index)];"
            filter +=
                input.facts.audio != nil
                ? "[\(index):a:0]aresample=48000,aformat=channel_layouts=stereo[a\(index)];"
                : "anullsrc=r=48000:cl=stereo:d=\(input.facts.duration)[a\(index)];"
            ends += "[v\(index)][a\(index)]"
        }
        filter += ends + "concat=n=\(inputs.count):v=1:a=1[v][a]"
        let duration = inputs.reduce(0) { $0 + ($1.facts.durationMs ?? 0) }
        let file = "concat.mp4"
        let arguments =
            inputs.flatMap(\.arguments) + ["-filter_complex", filter, "-map", "[v]", "-map", "[a]"] + plain + size.encoding
            + sound
            + ["-movflags", "+faststart", "-f", "mp4", file]
        return MediaPlan(
            steps: [MediaStep(arguments: arguments, durationMs: duration)],
            outputs: [
                PlannedOutput(
                    kind: .mp4, name: "concat", file: file, type: .mp4, width: size.width, height: size.height,
                    durationMs: duration)
            ])
    }
}
