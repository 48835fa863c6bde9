import FoundationEssentials

/// What FFmpeg's filters say of one picture of a video (`blurdetect`, `entropy`, `signalstats`).
struct FrameMeasure: Sendable, Equatable {
    /// From 0 on, as FFmpeg counts.
    var number: Int
    /// How many pixels wide its edges are; `nil` where it has none.
    var blur: Double?
    /// How much there is to see in its brightness: 0 for one even surface, 1 for noise.
    var entropy = 0.0
    /// Its mean brightness, and what a tenth of it is darker and brighter than: 0 to 255.
    var light = 0.0
    var dark = 0.0
    var bright = 0.0
    /// Of its colours, 0 to 180.
    var saturation = 0.0
}

/// Which picture of a video makes the best cover: sharp, full, neither black nor washed out, with colours.
enum FrameRule {
    /// Of pictures that are about as good the first is taken: later ones have been seen less, and give away more.
    private static let nearlyAsGood = 0.95

    /// 0 for what shows nothing, at most 1.
    static func score(_ frame: FrameMeasure) -> Double {
        guard let blur = frame.blur, blur.isFinite else { return 0 }
        let sharpness = 8 / (8 + max(0, blur))
        let light = frame.light / 255
        let exposure = clamped(min(light / 0.2, (1 - light) / 0.15))
        let contrast = clamped((frame.bright - frame.dark) / 128)
        let colour = 0.8 + 0.2 * clamped(frame.saturation / 60)
        return sharpness * clamped(frame.entropy) * exposure * contrast * colour
    }

    /// - Returns: `nil` where there is none.
    static func best(of frames: [FrameMeasure]) -> FrameMeasure? {
        let most = frames.map(score).max() ?? 0
        return frames.first { score($0) >= most * nearlyAsGood }
    }

    private static func clamped(_ value: Double) -> Double { min(1, max(0, value.isFinite ? value : 0)) }
}

/// Reads what the filter `metadata` prints: a line `frame:…` for each picture, and behind it lines of `name=value`.
enum FrameMeasures {
    static func read(_ text: String) -> [FrameMeasure] {
        var frames: [FrameMeasure] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("frame:"), let number = Int(line.dropFirst("frame:".count).prefix { $0 != " " }) {
                frames.append(FrameMeasure(number: number))
            } else if let last = frames.indices.last, let equals = line.firstIndex(of: "="),
                let value = Double(line[line.index(after: equals)...]), value.isFinite
            {
                note(value, named: line[..<equals], in: &frames[last])
            }
        }
        return frames
    }

    private static func note(_ value: Double, named name: Substring, in frame: inout FrameMeasure) {
        switch name {
        case "lavfi.blur": frame.blur = value
        case "lavfi.entropy.normalized_entropy.normal.Y": frame.entropy = value
        case "lavfi.signalstats.YAVG": frame.light = value
        case "lavfi.signalstats.YLOW": frame.dark = value
        case "lavfi.signalstats.YHIGH": frame.bright = value
        case "lavfi.signalstats.SATAVG": frame.saturation = value
        default: break
        }
    }
}
