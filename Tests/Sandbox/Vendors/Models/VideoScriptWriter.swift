/// Writes the script that a video-script request asks for: as long as it says, with lines that can be spoken in their seconds.
struct VideoScriptWriter {
    /// The first JSON object in the last user message that has `topic` and `durationSeconds`.
    struct Brief {
        var topic: String
        var durationSeconds: Int
        /// How many shots there may be.
        var scenes: ClosedRange<Int>
        var bannedWords: [String]

        init?(in message: String) {
            let brief = JSON.firstObject(in: message) { $0["topic"]?.string != nil && $0["durationSeconds"]?.int != nil }
            guard let brief, let topic = brief["topic"]?.string, let seconds = brief["durationSeconds"]?.int,
                (1...3_600).contains(seconds)
            else { return nil }
            self.topic = topic
            durationSeconds = seconds
            let fewest = max(1, brief["minScenes"]?.int ?? 1)
            scenes = fewest...max(fewest, brief["maxScenes"]?.int ?? 40)
            bannedWords = brief["bannedWords"]?.array?.compactMap(\.string) ?? []
        }
    }

    private static let shots = ["特写", "近景", "中景", "全景"]
    private static let cameras = ["固定", "推进", "跟拍", "摇镜"]

    static func write(_ brief: Brief, generator: inout SeededGenerator) -> JSON {
        let word = WrittenWords.keyWord(brief.topic, limit: 8)
        let sentences = WrittenWords.sentences(about: word, banned: brief.bannedWords)
        let first = Int(generator.next() % UInt64(shots.count))
        var start = 0
        let scenes = durations(brief).enumerated().map { index, seconds -> JSON in
            defer { start += seconds }
            // Four characters a second, as slow speakers take.
            let said = (0..<sentences.count).map { sentences[(index + $0) % sentences.count] }.joined()
            let line = String(said.prefix(seconds * 4))
            return .make([
                "index": .int(index + 1), "startSecond": .int(start), "durationSeconds": .int(seconds),
                "shot": .string(shots[(first + index) % shots.count]),
                "camera": .string(cameras[(first + index) % cameras.count]),
                "visual": .string("画面 \(index + 1)：\(word)在桌上，手从右边进入"), "line": .string(line),
                "subtitle": .string(String(line.prefix(12))), "bgm": .string("轻快"), "props": .array([.string(word)]),
            ])
        }
        return .make([
            "hook": .string("\(word)，你可能一直做错了"), "scenes": .array(scenes), "cta": .string("点个关注，下期接着讲"),
            "hashtags": .array([.string(word), .string("干货")]), "totalSeconds": .int(brief.durationSeconds),
        ])
    }

    /// Five seconds a shot, as far as the number of shots allows.
    private static func durations(_ brief: Brief) -> [Int] {
        let total = brief.durationSeconds
        let count = min(total, max(brief.scenes.lowerBound, min(brief.scenes.upperBound, total / 5)))
        return (0..<count).map { total * ($0 + 1) / count - total * $0 / count }
    }
}

extension JSON {
    /// The value as a strict schema wants it: members that it does not name are left out, those that are missing get a sample.
    func fitted(to schema: JSON, root: JSON, generator: inout SeededGenerator) -> JSON {
        if case .array(let items) = self, let inner = schema["items"] {
            return .array(items.map { $0.fitted(to: inner, root: root, generator: &generator) })
        }
        guard members != nil, let properties = schema["properties"]?.members else { return self }
        return .object(
            properties.map { property in
                let value =
                    self[property.name]?.fitted(to: property.value, root: root, generator: &generator)
                    ?? TextWriter.sample(property.value, root: root, generator: &generator)
                return Member(name: property.name, value: value)
            })
    }
}
