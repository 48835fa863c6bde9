import DTO

/// Subtitles out of a sound, and into a video.
extension MediaPlan {
    private static let subtitleFile = "subtitles.srt"
    /// Has Chinese; where it is not installed fontconfig finds another.
    private static let font = "WenQuanYi Micro Hei"
    /// libass counts in a picture that is 288 high.
    private static let scriptHeight = 288.0
    private static let usualFontSize = 18.0
    /// Whole-width characters of a line (``SubtitleText``).
    private static let charactersPerLine = 16.0

    /// One voice at 16,000 samples: what recognisers hear anyway, small enough to be sent whole.
    static func speech(_ source: ExaminedInput, _ params: MediaJobParams) throws(MediaFailure) -> MediaPlan {
        guard source.facts.audio != nil else { throw .noAudio }
        let (file, duration) = ("speech.m4a", source.facts.durationMs ?? 0)
        let arguments =
            source.arguments + ["-map", "0:a:0", "-vn"] + plain
            + ["-c:a", "aac", "-b:a", "24k", "-ac", "1", "-ar", "16000", "-f", "ipod", file]
        return MediaPlan(
            steps: [MediaStep(arguments: arguments, durationMs: duration)],
            speech: PlannedSpeech(file: file, language: params.language ?? "zh", durationMs: duration))
    }

    /// What is written for what was heard.
    static func subtitles(_ cues: [SubtitleCue]) -> (texts: [String: String], outputs: [PlannedOutput]) {
        let forms: [(SubtitleForm, MediaOutputKind, FileType)] = [(.srt, .srt, .subRip), (.vtt, .vtt, .webVTT)]
        var (texts, outputs): ([String: String], [PlannedOutput]) = ([:], [])
        for (form, kind, type) in forms {
            let file = "heard.\(form.rawValue)"
            texts[file] = form.text(of: cues)
            outputs.append(
                PlannedOutput(kind: kind, name: "subtitles", file: file, type: type, durationMs: cues.last?.endMilliseconds))
        }
        return (texts, outputs)
    }

    static func subtitled(
        _ source: ExaminedInput, _ cues: [SubtitleCue], _ mode: MediaSubtitleMode
    ) throws(MediaFailure) -> MediaPlan {
        let video = try source.video()
        guard !source.facts.isPicture, let rung = TranscodeLadder.rungs([.p2160], of: video).first else { throw .noVideo }
        let sounds = source.facts.audio == nil ? [] : ["-map", "0:a:0"]
        var arguments = source.arguments
        switch mode {
        case .burn:
            // As large as usual, or as sixteen characters go into an upright picture.
            let fitting = scriptHeight * Double(rung.width) / Double(rung.height) * 0.9 / charactersPerLine
            let size = Int(min(usualFontSize, fitting))
            let style = "FontName=\(font),FontSize=\(max(4, size)),Outline=1,Shadow=0,MarginV=24"
            arguments += [
                "-filter_complex",
                "[0:v:0]scale=\(rung.width):\(rung.height),setsar=1,format=yuv420p,"
                    + "subtitles=filename=\(subtitleFile):force_style='\(style)'[v]", "-map", "[v]",
            ]
            arguments += sounds + plain + rung.encoding + (sounds.isEmpty ? [] : sound)
        case .mux:
            // H.264 and AAC go over as they are.
            let isCopied = video.codec == "h264" && [nil, "aac"].contains(source.facts.audio?.codec)
            arguments += ["-protocol_whitelist", "file,pipe", "-f", "srt", "-i", subtitleFile, "-map", "0:v:0"] + sounds
            arguments += ["-map", "1:0"] + plain
            arguments +=
                isCopied
                ? ["-c:v", "copy", "-c:a", "copy"]
                : ["-vf", "scale=\(rung.width):\(rung.height),setsar=1"] + rung.encoding + (sounds.isEmpty ? [] : sound)
            arguments += ["-c:s", "mov_text", "-metadata:s:s:0", "language=chi"]
        }
        let file = "subtitled.mp4"
        return MediaPlan(
            steps: [
                MediaStep(
                    arguments: arguments + ["-movflags", "+faststart", "-f", "mp4", file],
                    durationMs: source.facts.durationMs ?? 0)
            ],
            outputs: [
                PlannedOutput(
                    kind: .mp4, name: "subtitled", file: file, type: .mp4, width: mode == .mux ? video.width : rung.width,
                    height: mode == .mux ? video.height : rung.height, durationMs: source.facts.durationMs)
            ], texts: [subtitleFile: SubtitleForm.srt.text(of: cues)])
    }
}
