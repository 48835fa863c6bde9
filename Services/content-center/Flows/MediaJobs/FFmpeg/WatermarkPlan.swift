import DTO

extension MediaPlan {
    private static let usualOpacity = 60
    private static let usualMarkWidth = 20
    private static let usualTextHeight = 5
    /// From the edge, in percent of the picture's width.
    private static let margin = 2
    private static let textFile = "mark.txt"

    /// A picture stays a picture, a video becomes an MP4 of its size.
    static func watermark(
        _ source: ExaminedInput, mark: ExaminedInput?, _ params: MediaJobParams
    ) throws(MediaFailure) -> MediaPlan {
        let video = try source.video()
        var plan = MediaPlan()
        let opacity = Double(params.opacity ?? usualOpacity) / 100
        let gap = max(1, video.width * margin / 100)
        let corner = params.corner ?? .bottomRight
        let drawn: String
        if let mark {
            let picture = try mark.video()
            let width = max(2, video.width * (params.size ?? usualMarkWidth) / 100)
            let height = max(2, width * picture.height / max(1, picture.width))
            let place = corner.place(outer: ("W", "H"), inner: ("w", "h"), gap: gap)
            drawn =
                "[1:v:0]scale=\(width):\(height),format=rgba,colorchannelmixer=aa=\(opacity)[mark];"
                + "[0:v:0][mark]overlay=x=\(place.x):y=\(place.y):format=auto"
        } else {
            plan.texts[textFile] = params.text ?? ""
            let height = max(8, min(video.width, video.height) * (params.size ?? usualTextHeight) / 100)
            let place = corner.place(outer: ("w", "h"), inner: ("tw", "th"), gap: gap)
            drawn =
                "[0:v:0]drawtext=textfile=\(textFile):expansion=none:font=\(WatermarkFont.name):fontsize=\(height):fontcolor=white@\(opacity):"
                + "borderw=\(max(1, height / 16)):bordercolor=black@\(opacity / 2):x=\(place.x):y=\(place.y)"
        }
        let inputs = source.arguments + (mark?.arguments ?? [])
        if source.facts.isPicture {
            let format = params.format ?? (video.hasAlpha ? .webp : .jpeg)
            let file = "marked.\(format.ending)"
            plan.steps = [
                MediaStep(
                    arguments: inputs + ["-filter_complex", drawn + "[v]", "-map", "[v]", "-frames:v", "1"] + plain
                        + format.encoding + [file])
            ]
            plan.outputs = [
                PlannedOutput(
                    kind: .image, name: "marked", file: file, type: format.type, width: video.width, height: video.height)
            ]
        } else {
            guard let rung = TranscodeLadder.rungs([.p2160], of: video).first else { throw .noVideo }
            let file = "marked.mp4"
            let arguments =
                inputs
                + ["-filter_complex", drawn + ",scale=\(rung.width):\(rung.height),setsar=1,format=yuv420p[v]", "-map", "[v]"]
                + (source.facts.audio == nil ? [] : ["-map", "0:a:0"] + sound) + plain + rung.encoding
                + ["-movflags", "+faststart", "-f", "mp4", file]
            plan.steps = [MediaStep(arguments: arguments, durationMs: source.facts.durationMs ?? 0)]
            plan.outputs = [
                PlannedOutput(
                    kind: .mp4, name: "marked", file: file, type: .mp4, width: rung.width, height: rung.height,
                    durationMs: source.facts.durationMs)
            ]
        }
        return plan
    }
}

extension MediaCorner {
    /// In the words of a filter.
    fileprivate func place(
        outer: (width: String, height: String), inner: (width: String, height: String), gap: Int
    ) -> (x: String, y: String) {
        let (right, bottom) = ("\(outer.width)-\(inner.width)-\(gap)", "\(outer.height)-\(inner.height)-\(gap)")
        return switch self {
        case .topLeft: ("\(gap)", "\(gap)")
        case .topRight: (right, "\(gap)")
        case .bottomLeft: ("\(gap)", bottom)
        case .bottomRight: (right, bottom)
        }
    }
}
