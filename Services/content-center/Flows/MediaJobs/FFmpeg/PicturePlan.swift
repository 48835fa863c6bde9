import DTO

/// Pictures out of videos and pictures.
extension MediaPlan {
    static let usualThumbnailWidths = [320]
    static let usualVariantWidths = [320, 640, 1_080]
    private static let longestCoverSide = 1_920
    /// How many pictures of a video compete for being its cover.
    private static let coverCandidates = 16

    /// The best of some frames out of all of it (``FrameRule``), so never the black before the first scene; or the one at an instant.
    static func cover(_ source: ExaminedInput, _ params: MediaJobParams) throws(MediaFailure) -> MediaPlan {
        let video = try source.video()
        let format = params.format ?? .jpeg
        let size = fitted(video, into: longestCoverSide)
        let scale = "scale=\(size.width):\(size.height),setsar=1"
        let file = "cover.\(format.ending)"
        let output = PlannedOutput(
            kind: .cover, name: "cover", file: file, type: format.type, width: size.width, height: size.height)
        var (before, filter): ([String], String)
        if let at = params.atSecond {
            before = try seeking(to: at, in: source.facts)
            filter = scale
        } else if source.facts.isPicture {
            (before, filter) = ([], scale)
        } else {
            return candidates(source, scale: scale, format, becoming: output)
        }
        if video.hasAlpha, format == .jpeg { filter += ",format=rgb24" }
        return MediaPlan(
            steps: [
                MediaStep(
                    arguments: before + source.arguments + ["-map", "0:v:0", "-an", "-vf", filter, "-frames:v", "1"] + plain
                        + format.encoding + [file])
            ], outputs: [output])
    }

    /// All that compete, each as it would be kept, and measured on the way: the video is decoded once.
    private static func candidates(
        _ source: ExaminedInput, scale: String, _ format: MediaPictureFormat, becoming output: PlannedOutput
    ) -> MediaPlan {
        // Of a long video only the key frames are decoded.
        let duration = max(0.1, source.facts.duration)
        let before = duration > 30 ? ["-skip_frame", "nokey"] : []
        let choice = PlannedChoice(measures: "frames.txt", ending: format.ending, file: output.file)
        let filter =
            "fps=\(coverCandidates)/\(duration):start_time=0,\(scale),format=yuv420p,blurdetect,entropy,signalstats,"
            + "metadata=print:file=\(choice.measures)"
        let arguments = ["-map", "0:v:0", "-an", "-vf", filter, "-fps_mode", "passthrough"] + plain + format.sequence
        return MediaPlan(
            steps: [MediaStep(arguments: before + source.arguments + arguments + [choice.pattern])], outputs: [output],
            choice: choice)
    }

    /// Of a video the picture at a tenth of its length, unless an instant is given.
    static func thumbnails(_ source: ExaminedInput, _ params: MediaJobParams) throws(MediaFailure) -> MediaPlan {
        _ = try source.video()
        var before: [String] = []
        if !source.facts.isPicture {
            before = try seeking(to: params.atSecond ?? source.facts.duration / 10, in: source.facts)
        }
        let widths = params.widths ?? usualThumbnailWidths
        return try pictures(source, before, widths, .thumbnail, params.format ?? .jpeg)
    }

    static func variants(_ source: ExaminedInput, _ params: MediaJobParams) throws(MediaFailure) -> MediaPlan {
        guard source.facts.isPicture else { throw .unreadable }
        let usual: MediaPictureFormat = try source.video().hasAlpha ? .webp : .jpeg
        return try pictures(source, [], params.widths ?? usualVariantWidths, .image, params.format ?? usual)
    }

    /// One run for all widths; none is larger than the source.
    private static func pictures(
        _ source: ExaminedInput, _ before: [String], _ widths: [Int], _ kind: MediaOutputKind, _ format: MediaPictureFormat
    ) throws(MediaFailure) -> MediaPlan {
        let video = try source.video()
        let wanted = Set(widths.map { min($0, video.width) }).sorted()
        var plan = MediaPlan()
        let ends = wanted.map { "[s\($0)]" }.joined()
        // What a JPEG shows through stands on white.
        let flat =
            video.hasAlpha && format == .jpeg
            ? "color=white:s=\(video.width)x\(video.height):d=1[white];[white][0:v:0]overlay=format=auto:shortest=1,"
            : "[0:v:0]"
        var (filters, tail) = (["\(flat)split=\(wanted.count)\(ends)"], [String]())
        for width in wanted {
            let height = max(1, Int((Double(width) * Double(video.height) / Double(video.width)).rounded()))
            filters.append("[s\(width)]scale=\(width):\(height):flags=lanczos,setsar=1[v\(width)]")
            let file = "w\(width).\(format.ending)"
            tail += ["-map", "[v\(width)]", "-frames:v", "1"] + plain + format.encoding + [file]
            plan.outputs.append(
                PlannedOutput(kind: kind, name: "w\(width)", file: file, type: format.type, width: width, height: height))
        }
        plan.steps = [
            MediaStep(arguments: before + source.arguments + ["-filter_complex", filters.joined(separator: ";")] + tail)
        ]
        return plan
    }

    private static func seeking(to second: Double, in facts: MediaFacts) throws(MediaFailure) -> [String] {
        if facts.isPicture { return [] }
        guard second * 1_000 < Double(facts.durationMs ?? .max) else { throw .beyondEnd }
        return ["-ss", "\(second)"]
    }

    private static func fitted(_ video: MediaFacts.Video, into side: Int) -> (width: Int, height: Int) {
        let scale = min(1, Double(side) / Double(max(video.width, video.height)))
        return (
            max(1, Int((Double(video.width) * scale).rounded())), max(1, Int((Double(video.height) * scale).rounded()))
        )
    }
}

extension MediaPictureFormat {
    var type: FileType {
        switch self {
        case .jpeg: .jpeg
        case .webp: .webp
        }
    }

    var ending: String { type.extensions.first ?? rawValue }

    /// One picture.
    var encoding: [String] {
        switch self {
        case .jpeg: codec + ["-f", "image2", "-update", "1"]
        case .webp: codec + ["-f", "webp"]
        }
    }

    /// Numbered ones.
    var sequence: [String] { codec + ["-f", "image2"] }

    private var codec: [String] {
        switch self {
        case .jpeg: ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"]
        case .webp: ["-c:v", "libwebp", "-quality", "82"]
        }
    }
}
