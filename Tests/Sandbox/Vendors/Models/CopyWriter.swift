/// Writes the copy that a copy request asks for: within the lengths and with the topics that its brief names.
struct CopyWriter {
    /// The first JSON object in the last user message that has `topic` and `minHashtags`.
    struct Brief {
        var topic: String
        /// 0 or absent: no title.
        var titleLength: Int
        var minLength: Int
        var maxLength: Int
        var minHashtags: Int
        var bannedWords: [String]

        init?(in message: String) {
            let brief = JSON.firstObject(in: message) { $0["topic"]?.string != nil && $0["minHashtags"]?.int != nil }
            guard let brief, let topic = brief["topic"]?.string else { return nil }
            self.topic = topic
            titleLength = brief["titleLength"]?.int ?? 0
            minLength = brief["minLength"]?.int ?? 0
            maxLength = max(10, brief["maxLength"]?.int ?? 300)
            minHashtags = brief["minHashtags"]?.int ?? 0
            bannedWords = brief["bannedWords"]?.array?.compactMap(\.string) ?? []
        }
    }

    static func write(_ brief: Brief, generator: inout SeededGenerator) -> JSON {
        let word = WrittenWords.keyWord(brief.topic, limit: 10)
        return .make([
            "title": brief.titleLength > 0 ? .string(String("\(word)，先看这几点".prefix(brief.titleLength))) : .null,
            "text": .string(text(brief, about: word, generator: &generator)), "hashtags": hashtags(brief, about: word),
            "callToAction": .string("评论区聊聊"),
        ])
    }

    /// Sentences until the least length is reached, and some more where they fit.
    static func text(_ brief: Brief, about word: String, generator: inout SeededGenerator) -> String {
        let sentences = WrittenWords.sentences(about: word, banned: brief.bannedWords)
        guard let first = sentences.first else { return word }
        var text = first
        var rest = sentences.dropFirst().shuffled(using: &generator)
        let enough = min(max(brief.minLength, 60), brief.maxLength)
        while text.count < enough {
            if rest.isEmpty { rest = sentences.shuffled(using: &generator) }
            let next = "\n" + rest.removeLast()
            guard text.count + next.count <= brief.maxLength else { break }
            text += next
        }
        return String(text.prefix(brief.maxLength))
    }

    static func hashtags(_ brief: Brief, about word: String) -> JSON {
        let tags = [word.filter { !$0.isWhitespace }, "生活记录", "经验分享", "好物", "日常", "干货"]
        let count = max(min(brief.minHashtags, tags.count), 2)
        return .array(tags.prefix(count).map { .string($0) })
    }
}

/// Writes sentences anew without the words that must not stand in them.
struct PassageWriter {
    /// `passages` of the first object that has them: id → `{text, forbidden}`.
    let passages: [JSON.Member]

    init?(in message: String) {
        guard let members = JSON.firstObject(in: message, where: { $0["passages"]?.members != nil })?["passages"]?.members else {
            return nil
        }
        passages = members
    }

    func write() -> JSON {
        let items = passages.map { passage -> JSON in
            let forbidden = passage.value["forbidden"]?.array?.compactMap(\.string) ?? []
            let text = forbidden.reduce(passage.value["text"]?.string ?? "") { text, word in
                text.replacing(word, with: "这样")
            }
            return .make(["id": .string(passage.name), "text": .string(text)])
        }
        return .make(["passages": .array(items)])
    }
}
