/// Writes the text with places for pictures that an image-text request asks for.
struct ImageTextWriter {
    /// The first JSON object in the last user message that has `topic` and `slots` as a number.
    struct Brief {
        var topic: String
        var slots: Int
        var bannedWords: [String]
        /// What the platform asks of the text, where the request says it.
        var rules: CopyWriter.Brief?

        init?(in message: String) {
            let brief = JSON.firstObject(in: message) { $0["topic"]?.string != nil && $0["slots"]?.int != nil }
            guard let brief, let topic = brief["topic"]?.string, let slots = brief["slots"]?.int, (1...20).contains(slots) else {
                return nil
            }
            self.topic = topic
            self.slots = slots
            bannedWords = brief["bannedWords"]?.array?.compactMap(\.string) ?? []
            rules = CopyWriter.Brief(in: message)
        }
    }

    private static let moments = [
        ("开头一眼", "close-up, morning light"), ("使用之前", "plain table, soft shadow"), ("动手的一刻", "hands at work, warm light"),
        ("细节放大", "macro shot, sharp focus"), ("换个场景", "living room, natural light"), ("和家人一起", "family, candid"),
        ("前后对比", "split view, neutral grey"), ("收尾整理", "tidy shelf, top view"), ("完成之后", "wide shot, evening light"),
    ]

    static func write(_ brief: Brief, generator: inout SeededGenerator) -> JSON {
        let word = WrittenWords.keyWord(brief.topic, limit: 10)
        let sentences = WrittenWords.sentences(about: word, banned: brief.bannedWords).shuffled(using: &generator)
        let slots = (0..<brief.slots).map { index -> JSON in
            let (caption, light) = moments[index % moments.count]
            return .make([
                "caption": .string("\(word)·\(caption)"), "alt": .string("一张关于\(word)的照片：\(caption)"),
                "prompt": .string("\(word), picture \(index + 1) of \(brief.slots), \(light)"),
            ])
        }
        let text = brief.rules.map { CopyWriter.text($0, about: word, generator: &generator) }
        return .make([
            "title": .string("\(word)这样做更省心"), "text": .string(text ?? sentences.prefix(4).joined(separator: "\n")),
            "hashtags": brief.rules.map { CopyWriter.hashtags($0, about: word) } ?? .array([.string(word), .string("生活记录")]),
            "callToAction": .string("收藏起来慢慢看"), "slots": .array(slots),
        ])
    }
}

/// What the writers of longer texts share.
enum WrittenWords {
    /// The topic up to its first punctuation.
    static func keyWord(_ topic: String, limit: Int) -> String {
        let word = topic.split { $0.isPunctuation || $0.isNewline || $0.isSymbol && !$0.isASCII }.first ?? topic[...]
        let trimmed = word.drop { $0 == " " }.prefix(limit)
        return trimmed.isEmpty ? "这件事" : String(trimmed)
    }

    static func sentences(about word: String, banned: [String]) -> [String] {
        [
            "说说\(word)，先从每天都会遇到的小事讲起。", "很多人买回家才发现，\(word)要先看尺寸。", "把步骤拆成三步，照着做就不容易出错。", "我试了两周，\(word)用起来顺手多了。",
            "如果预算不多，先把最常用的一处换掉。", "用完记得擦干收好，下次拿出来还是干净的。",
        ].filter { sentence in !banned.contains { !$0.isEmpty && sentence.contains($0) } }
    }
}
