import DTO

/// Takes sentences from banks and fills their slots: no empty slot, no sentence twice, nothing forbidden. Pure: the same brief and seed
/// give the same sentences.
struct SentenceTemplates {
    let brief: WritingBrief
    private let slots: SlotFillings
    private var random: SeededGenerator
    private var used: Set<String> = []
    /// The same in the order in which they were said.
    private var said: [String] = []
    private var nextPoint = 0

    init(_ brief: WritingBrief, seed: UInt64) {
        self.brief = brief
        random = SeededGenerator(seed: seed)
        slots = SlotFillings(
            keyWord: brief.keyWord, audience: brief.request.audience, points: brief.request.sellingPoints,
            keywords: brief.request.keywords, longest: 40, longestPoint: 30
        ) { brief.suits($0) }
    }

    /// The topic's word for sentences that are put together elsewhere; `nil` where none may be said.
    var key: String? { slots.keys.first }
    var hasUnsaidPoints: Bool { nextPoint < slots.points.count }

    /// A sentence of the bank that has not been said; preferably one that names the topic, if `namingTopic`.
    ///
    /// - Parameters:
    ///   - limit: longest in grapheme clusters.
    ///   - longest: take the one that fills the limit best instead of any.
    mutating func sentence(_ bank: [String], upTo limit: Int, namingTopic: Bool = false, longest: Bool = false) -> String? {
        var order = bank.filter { !used.contains($0) }
        order.shuffle(using: &random)
        if namingTopic { order = order.filter { $0.contains("{key}") } + order.filter { !$0.contains("{key}") } }
        var best: (wording: String, text: String)?
        for wording in order {
            guard let text = filled(wording, upTo: limit), text.count <= limit, brief.suits(text) else { continue }
            if text.count <= best?.text.count ?? 0 { continue }
            best = (wording, text)
            if !longest { break }
        }
        guard let best else { return nil }
        used.insert(best.wording)
        said.append(best.wording)
        if best.wording.contains("{point}") { nextPoint += 1 }
        return best.text
    }

    /// Lets the first half of what was said be said again.
    mutating func forgetOldest() {
        let half = said.count / 2
        used.subtract(said[..<half])
        said.removeFirst(half)
    }

    /// Any of them that may be said, with the dice of the seed; may come again.
    mutating func choice(_ choices: [String]) -> String? {
        choices.shuffled(using: &random).first { brief.suits($0) }
    }

    /// A sentence with the words that a brief wants to see, those of them that may be said and fit.
    mutating func sentence(naming keywords: [String], upTo limit: Int) -> String? {
        for words in [keywords.joined(separator: "、")] + (keywords.count > 1 ? keywords : []) {
            let sentences = SentenceBank.keywords.compactMap { TitleWording($0).filled { _ in words } }
            if let sentence = choice(sentences.filter { $0.count <= limit }) { return sentence }
        }
        return nil
    }

    mutating func number(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    private func filled(_ wording: String, upTo limit: Int) -> String? {
        let sentence = TitleWording(wording)
        // A point is said once; a sentence for one stays away when there is none left.
        if sentence.uses(.point), !hasUnsaidPoints { return nil }
        for key in sentence.uses(.key) ? slots.keys : [""] {
            let text = sentence.filled { slot in
                switch slot {
                case .key: key
                case .number: "3"
                case .audience: slots.audiences.first
                case .point: slots.points[nextPoint]
                case .keyword: slots.keywords.first { key.isEmpty || !$0.contains(key) && !key.contains($0) }
                }
            }
            guard let text else { return nil }
            if text.count <= limit { return text }
        }
        return nil
    }
}

extension WritingBrief {
    /// A title from the title patterns; where the topic's words do not suit the platform, one without them. `nil` where none fits.
    func templateTitle(upTo limit: Int, seed: UInt64) -> String? {
        for topic in [request.topic, ""] {
            let title = TitleBrief(
                TitleWritingRequest(
                    topic: topic, platform: request.platform, audience: request.audience,
                    sellingPoints: request.sellingPoints, tone: nil, keywords: request.keywords, bannedWords: [], brandWords: [],
                    count: 8, maxLength: limit, model: request.model),
                words: compliance.bannedWords)
            let titles = TitleTemplates.titles(for: title, seed: seed, headsTemplate: true)
            if let text = titles.map(\.text).first(where: suits) { return text }
        }
        return nil
    }

    /// Words people look for, from the brief and from what suits any text of the platform.
    func templateHashtags() -> [String] {
        // What the brief asks for goes before a second name of the topic.
        var words = Array(keyWord.sayings.prefix(1)) + request.keywords + keyWord.sayings.prefix(3).dropFirst()
        words += (TemplateTags.platforms[request.platform] ?? []) + TemplateTags.common
        let rules = request.rules
        // Between what is asked for and what is allowed: few say more.
        let count = max(rules.minHashtags, min(rules.maxHashtags, 4))
        var tags: [String] = []
        for word in words where tags.count < count {
            let tag = word.filter { !$0.isMarkOrBlank && !$0.isEmoji }
            if (2...12).contains(tag.count), !tags.contains(tag), suits(tag) { tags.append(tag) }
        }
        return tags
    }

    /// The caller's own, where the platform bears it.
    var usableCallToAction: String? { request.callToAction.flatMap { suits($0) ? $0 : nil } }

    /// Whether the words may stand in a text for the platform: nothing forbidden, and no address, number or picture where it wants none.
    func suits(_ words: String) -> Bool {
        let rules = request.rules
        if !rules.allowsLinks, Links.stands(in: words) || Redaction.redacted(words) != words { return false }
        if rules.emoji == .none, words.contains(where: \.isEmoji) { return false }
        return compliance.allows(words)
    }
}
