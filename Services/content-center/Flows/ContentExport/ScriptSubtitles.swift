import DTO

/// The spoken lines of a script as subtitles: what is said while it is said.
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
            return SubtitleCue.cues(of: scene.line, from: start, until: end) { columns, blocks in
                max(columns * millisecondsPerColumn, SubtitleCue.shortestMilliseconds * blocks)
            }
        }
    }
}
