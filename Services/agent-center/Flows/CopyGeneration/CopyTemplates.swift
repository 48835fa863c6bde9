import DTO

/// Writes copy without a model: an opening that names the topic, what is to be said of it, an end; as long and as loud as the platform's
/// rules say.
enum CopyTemplates {
    /// - Returns: `nil` where limits and banned words leave no text.
    static func copy(for brief: WritingBrief, seed: UInt64) -> CopyText? {
        let rules = brief.request.rules
        var sentences = SentenceTemplates(brief, seed: seed)
        var title: String?
        if let limit = rules.titleLength {
            guard let found = brief.templateTitle(upTo: limit, seed: seed) else { return nil }
            title = found
        }
        let hashtags = brief.templateHashtags()
        guard hashtags.count >= rules.minHashtags, let text = text(&sentences) else { return nil }
        return CopyText(title: title, text: text, hashtags: hashtags, callToAction: callToAction(&sentences))
    }

    static func callToAction(_ sentences: inout SentenceTemplates, upTo limit: Int = 200) -> String? {
        if let own = sentences.brief.usableCallToAction, own.count <= limit { return own }
        return sentences.sentence(SentenceBank.callsToAction[sentences.brief.request.platform] ?? [], upTo: limit)
            ?? sentences.sentence(SentenceBank.plainCallsToAction, upTo: limit)
    }

    /// How long a text becomes where the rules leave room.
    private static func aim(_ platform: ContentPlatform, _ rules: CopyRules) -> Int {
        let usual =
            switch platform {
            case .douyin, .kuaishou, .weibo: 110
            case .wechatChannels, .bilibili: 140
            case .xiaohongshu: 260
            case .zhihu: 520
            case .wechatOfficial: 700
            }
        return min(max(usual, rules.minLength + 10), rules.maxLength)
    }

    private static func isLong(_ platform: ContentPlatform) -> Bool { platform == .zhihu || platform == .wechatOfficial }

    static func text(_ sentences: inout SentenceTemplates) -> String? {
        let (platform, rules) = (sentences.brief.request.platform, sentences.brief.request.rules)
        guard let opening = opening(&sentences, upTo: rules.maxLength) else { return nil }
        var text = Paragraphs(first: opening, limit: rules.maxLength, brief: sentences.brief)
        text.emoji = rules.emoji == .none ? nil : rules.emoji
        let aim = aim(platform, rules)
        // What the brief wants to see is said first: later there may be no room.
        let unsaid = sentences.brief.request.keywords.filter { !$0.isEmpty && !opening.contains($0) }
        if !unsaid.isEmpty, let line = sentences.sentence(naming: unsaid, upTo: rules.maxLength - opening.count - 1) {
            text.add([line], heading: nil)
        }
        // What a longer text is made of, in its order; shorter ones stop where they are long enough.
        var plan: [(bank: [String], count: Int)] = [
            (SentenceBank.problems, 2), (SentenceBank.points, 4), (SentenceBank.tips, 3), (SentenceBank.remarks, 2),
            (SentenceBank.tips, 4), (SentenceBank.points, 6), (SentenceBank.remarks, 3), (SentenceBank.problems, 4),
            (SentenceBank.tips, 20), (SentenceBank.remarks, 20), (SentenceBank.problems, 20), (SentenceBank.openings, 20),
        ]
        if !isLong(platform) { plan.swapAt(0, 1) }
        let summary = sentences.sentence(SentenceBank.summaries, upTo: max(0, rules.maxLength / 3))
        let room = summary.map { $0.count + 1 } ?? 0
        for (index, part) in plan.enumerated() where text.count + room < aim {
            var paragraph: [String] = []
            for _ in 0..<part.count {
                let length = text.count + paragraph.reduce(1) { $0 + $1.count }
                guard length + room < aim,
                    let next = sentences.sentence(part.bank, upTo: max(0, rules.maxLength - length - room - 12))
                else { break }
                paragraph.append(next)
            }
            let heading = isLong(platform) && index < SentenceBank.headings.count - 1 ? SentenceBank.headings[index] : nil
            text.add(paragraph, heading: heading)
        }
        if let summary { text.add([summary], heading: nil) }
        // A text that is still too short takes whatever else there is.
        while text.count < rules.minLength,
            let next = sentences.sentence(
                SentenceBank.tips + SentenceBank.remarks + SentenceBank.problems + SentenceBank.summaries
                    + SentenceBank.openings, upTo: max(0, rules.maxLength - text.count - 1)), text.add([next], heading: nil)
        {}
        return text.text
    }

    private static func opening(_ sentences: inout SentenceTemplates, upTo limit: Int) -> String? {
        let greeting = sentences.choice(SentenceBank.greetings[sentences.brief.request.platform] ?? []) ?? ""
        if let opening = sentences.sentence(SentenceBank.openings, upTo: limit - greeting.count, namingTopic: true) {
            return sentences.brief.suits(greeting + opening) ? greeting + opening : opening
        }
        return sentences.sentence(SentenceBank.openings, upTo: limit, namingTopic: true)
            ?? sentences.sentence(SentenceBank.shortOpenings, upTo: limit, namingTopic: true)
    }
}

/// Paragraphs put together within a limit; what would break it, or would make a forbidden word where two pieces meet, is left out.
struct Paragraphs {
    private(set) var text: String
    let limit: Int
    let brief: WritingBrief
    /// Where pictures go before paragraphs, and how freely.
    var emoji: CopyRules.Emoji?
    private var added = 0
    /// No listed or banned word is longer.
    private static let seam = 60

    var count: Int { text.count }

    init(first: String, limit: Int, brief: WritingBrief) {
        text = first
        self.limit = limit
        self.brief = brief
    }

    @discardableResult
    mutating func add(_ sentences: [String], heading: String?) -> Bool {
        guard !sentences.isEmpty else { return false }
        let body = sentences.joined()
        let mark = emoji.flatMap { kind -> String? in
            kind == .many || added == 0 ? SentenceBank.emoji[added % SentenceBank.emoji.count] : nil
        }
        let forms = [
            heading.map { "\n\n【\($0)】\n" + body }, mark.map { "\n\($0) " + body }, "\n" + body, "\n" + (sentences.first ?? ""),
        ]
        for form in forms.compactMap({ $0 })
        where text.count + form.count <= limit && brief.suits(String(text.suffix(Self.seam)) + form) {
            text += form
            added += 1
            return true
        }
        return false
    }
}
