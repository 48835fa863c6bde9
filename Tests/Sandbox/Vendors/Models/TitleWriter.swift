/// Writes the titles that a title request asks for: distinct, about the topic, within the limit, the same for the same request.
struct TitleWriter {
    /// What the request asks for: the first JSON object in the last user message that has `topic` and `count`.
    struct Brief {
        var topic: String
        var count: Int
        /// In characters as a reader counts them.
        var maxLength: Int
        /// Where given, every `formula` in the answer is one of these.
        var formulas: [String]
        var bannedWords: [String]

        init?(in message: String) {
            let brief = JSON.firstObject(in: message) { $0["topic"]?.string != nil && $0["count"]?.int != nil }
            guard let brief, let topic = brief["topic"]?.string, let count = brief["count"]?.int, (1...100).contains(count) else {
                return nil
            }
            self.topic = topic
            self.count = count
            maxLength = max(1, brief["maxLength"]?.int ?? 30)
            formulas = brief["formulas"]?.array?.compactMap { $0.string ?? $0["name"]?.string } ?? []
            bannedWords = brief["bannedWords"]?.array?.compactMap(\.string) ?? []
        }
    }

    private struct Pattern {
        var formula: String
        var text: String
    }

    /// `%` is the topic's key word, `#` a number.
    private static let patterns: [Pattern] = [
        ("number", "%的#个实用技巧"), ("question", "%到底怎么选？"), ("contrast", "同样是%，差距在这里"), ("suspense", "%背后的真相，很少有人说"),
        ("benefit", "学会%，每天省下#分钟"), ("scene", "下班后的%，原来可以这样"), ("number", "做好%，先避开这#个坑"), ("question", "为什么你的%总是没效果？"),
        ("contrast", "新手和高手的%，差在哪"), ("suspense", "试了#天%，结果没想到"), ("benefit", "%这样做，省心又省钱"), ("scene", "周末在家试试%"),
        ("number", "#步搞定%"), ("question", "%值得入手吗？"), ("contrast", "以前的%和现在的%"), ("suspense", "关于%，我有话想说"),
        ("benefit", "一看就会的%攻略"), ("scene", "带爸妈体验%"), ("number", "%清单：#件小事"), ("question", "第一次%要准备什么？"),
    ].map { Pattern(formula: $0.0, text: $0.1) }

    static func write(_ brief: Brief, generator: inout SeededGenerator) -> JSON {
        var seen: Set<String> = []
        var titles: [JSON] = []
        var round = Int(generator.next() % UInt64(patterns.count))
        while titles.count < brief.count {
            let pattern = patterns[round % patterns.count]
            let title = fill(pattern.text, brief, number: 3 + round % 7, round: round / patterns.count)
            round += 1
            if round < 400, brief.bannedWords.contains(where: { !$0.isEmpty && title.contains($0) }) { continue }
            guard seen.insert(title).inserted else { continue }
            let formula = brief.formulas.isEmpty ? pattern.formula : brief.formulas[titles.count % brief.formulas.count]
            titles.append(.make(["title": .string(title), "formula": .string(formula)]))
        }
        return .make(["titles": .array(titles)])
    }

    private static func fill(_ pattern: String, _ brief: Brief, number: Int, round: Int) -> String {
        let places = pattern.count { $0 == "%" }
        let suffix = round == 0 ? "" : "（\(round + 1)）"
        let fixed = pattern.replacing("#", with: String(number)) + suffix
        let room = (brief.maxLength - (fixed.count - places)) / places
        let word = keyWord(brief.topic, limit: room)
        guard room >= 2, !word.isEmpty else { return short(brief, round: round, number: number) }
        return fixed.replacing("%", with: word)
    }

    /// For limits that no pattern fits.
    private static func short(_ brief: Brief, round: Int, number: Int) -> String {
        let mark = round == 0 ? String(number) : String(number) + String(round)
        let word = keyWord(brief.topic, limit: max(0, brief.maxLength - mark.count))
        return String((word + mark).prefix(max(brief.maxLength, mark.count)))
    }

    /// The topic up to its first punctuation, cut to the limit.
    private static func keyWord(_ topic: String, limit: Int) -> String {
        let word = topic.split { $0.isPunctuation || $0.isNewline || $0.isSymbol && !$0.isASCII }.first ?? topic[...]
        let trimmed = word.drop { $0 == " " }
        return String(trimmed.prefix(max(0, limit)))
    }
}
