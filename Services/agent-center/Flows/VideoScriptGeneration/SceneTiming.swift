import DTO

/// The arithmetic of scripts: how many scenes, how long, and how much can be said in them.
enum SceneTiming {
    /// Spoken Chinese runs at 4–5 characters a second (issue §9); nobody can follow more.
    static let mostCharactersPerSecond = 5
    /// Below this a script is rather quiet.
    static let fewCharactersPerSecond = 3
    /// Below this over the whole length it is no spoken script any more, though single scenes may be silent.
    static let fewestCharactersPerSecond = 2
    static let mostScenes = 60

    /// Seconds that a shot of a short video lasts.
    private static func usualSeconds(_ type: VideoScriptType) -> Int {
        switch type {
        case .product, .liveTeaser: 5
        case .story, .review: 7
        case .tutorial, .vlog: 8
        }
    }

    /// Beyond a minute shots grow three times as slowly in number: a long video rests longer on each.
    static func usualCount(_ type: VideoScriptType, seconds: Int) -> Int {
        let usual = Double(usualSeconds(type))
        let count = Double(min(seconds, 60)) / usual + Double(max(0, seconds - 60)) / (3 * usual)
        return min(max(Int(count.rounded()), 2), 40)
    }

    static func counts(_ type: VideoScriptType, seconds: Int) -> ClosedRange<Int> {
        let usual = usualCount(type, seconds: seconds)
        return max(2, usual / 2)...min(mostScenes, usual * 3 + 1)
    }

    /// Within 10 % of what was asked for.
    static func totals(of seconds: Int) -> ClosedRange<Int> { (seconds * 9 + 9) / 10...seconds * 11 / 10 }

    /// Characters that are spoken: no marks, no blanks, no pictures.
    static func spoken(_ line: String) -> Int { line.count { !$0.isMarkOrBlank && !$0.isEmoji } }

    /// Numbers the scenes and lays them end to end.
    static func laidOut(_ scenes: [VideoScene]) -> (scenes: [VideoScene], totalSeconds: Int) {
        var start = 0
        let laid = scenes.enumerated().map { offset, scene in
            var scene = scene
            scene.index = offset + 1
            scene.startSecond = start
            start += scene.durationSeconds
            return scene
        }
        return (laid, start)
    }

    /// Seconds for each of `count` scenes that sum to exactly `seconds`: a short beginning and end, the rest evenly.
    static func shares(of seconds: Int, count: Int) -> [Int] {
        let average = seconds / count
        guard count > 2 else { return [seconds - average * (count - 1)] + Array(repeating: average, count: count - 1) }
        let (first, last) = (min(average, 4), min(average, 6))
        let rest = seconds - first - last
        let middle = (0..<count - 2).map { rest / (count - 2) + ($0 < rest % (count - 2) ? 1 : 0) }
        return [first] + middle + [last]
    }
}
