/// What stands under the picture, and when.
struct SubtitleCue: Equatable, Sendable {
    var startMilliseconds: Int
    var endMilliseconds: Int
    /// One or two where we have broken them ourselves.
    var lines: [String]

    /// A cue that is shorter cannot be read.
    static let shortestMilliseconds = 1_000

    /// A text that is spoken from one instant to another, cut into cues at the ends of sentences and clauses; each lasts as long as its
    /// share of the text's width.
    ///
    /// - Parameter length: milliseconds that so many columns in so many blocks take, where that is less than there is.
    static func cues(
        of text: String, from start: Int, until end: Int, length: (_ columns: Int, _ blocks: Int) -> Int = { _, _ in .max }
    ) -> [SubtitleCue] {
        let blocks = SubtitleText.blocks(text)
        let widths = blocks.map { $0.reduce(0) { $0 + SubtitleText.width($1) } }
        let total = widths.reduce(0, +)
        guard total > 0, end > start else { return [] }
        let length = min(end - start, length(total, blocks.count))
        var before = 0
        return zip(blocks, widths).map { lines, width in
            defer { before += width }
            return SubtitleCue(
                startMilliseconds: start + length * before / total, endMilliseconds: start + length * (before + width) / total,
                lines: lines)
        }
    }
}

/// The two forms of subtitle files that players take: SubRip, and WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format").
enum SubtitleForm: String, Sendable, CaseIterable {
    case srt, vtt

    var mediaType: String {
        switch self {
        case .srt: "application/x-subrip"
        case .vtt: "text/vtt"
        }
    }

    /// Of both.
    static let mediaTypes = allCases.map(\.mediaType)

    // MARK: Writing

    func text(of cues: [SubtitleCue]) -> String {
        switch self {
        case .srt:
            cues.enumerated().map { index, cue in
                (["\(index + 1)", times(of: cue)] + cue.lines.map(written) + [""]).map { $0 + "\r\n" }.joined()
            }.joined()
        case .vtt:
            "WEBVTT\n\n"
                + cues.map { cue in ([times(of: cue)] + cue.lines.map(written) + [""]).map { $0 + "\n" }.joined() }.joined()
        }
    }

    /// `00:01:02,500 --> 00:01:04,000`, in WebVTT with a point.
    private func times(of cue: SubtitleCue) -> String {
        "\(time(cue.startMilliseconds)) --> \(time(cue.endMilliseconds))"
    }

    private func time(_ milliseconds: Int) -> String {
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let seconds = milliseconds / 1_000
        return "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
            + (self == .srt ? "," : ".") + padded(milliseconds % 1_000, 3)
    }

    /// In WebVTT `<` begins a tag and `&` an entity; SubRip knows of no way to write what is none.
    func written(_ line: String) -> String {
        self == .srt ? line : line.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
