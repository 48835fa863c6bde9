import DTO

/// A script as subtitles: what a scene writes under its picture, for as long as the scene lasts, and where it writes nothing what is said
/// in it, while it is said.
///
/// A scene's line begins with its scene and is spoken at four characters a second, the slow end of the range that scripts are written for,
/// or as much faster as the scene's seconds ask.
enum ScriptSubtitles {
    /// Of a whole-width character at four a second; a narrow one takes half.
    private static let millisecondsPerColumn = 125

    static func cues(of scenes: [VideoScene]) -> [SubtitleCue] {
        scenes.flatMap { scene -> [SubtitleCue] in
            let start = scene.startSecond * 1_000
            let end = start + scene.durationSeconds * 1_000
            if scene.subtitle.contains(where: { !$0.isWhitespace }) {
                return SubtitleCue.cues(of: scene.subtitle, from: start, until: end)
            }
            return SubtitleCue.cues(of: scene.line, from: start, until: end) { columns, blocks in
                max(columns * millisecondsPerColumn, SubtitleCue.shortestMilliseconds * blocks)
            }
        }
    }
}
