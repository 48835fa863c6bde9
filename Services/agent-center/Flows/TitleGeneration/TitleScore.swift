import DTO

/// 0–100 for a title, by rules that can be read aloud. No model is asked; the same title and brief always give the same score.
///
/// Each rule that applies to the brief gives up to its weight; the sum is scaled to 100. Faults take points away afterwards. A
/// title with a banned word or over the limit scores 0: it must not be used.
struct TitleScore: Sendable, Equatable {
    let value: Int
    /// In Chinese, one per rule, e.g. `长度合适（18/30）：20/20 分`.
    let reasons: [String]

    /// - Parameter others: the titles it stands beside; a near copy of one of them loses points.
    init(of title: String, for brief: TitleBrief, beside others: [TitleOutline] = []) {
        var earned = 0
        var possible = 0
        var reasons: [String] = []
        func rule(_ text: String, _ points: Int, of weight: Int) {
            earned += points
            possible += weight
            reasons.append("\(text)：\(points)/\(weight) 分")
        }
        let folded = title.lowercased()
        let hooks = TitleHooks.formulas(in: folded, audience: brief.audience)
        Self.judgeLength(title, brief, rule)
        Self.judgeHooks(hooks, rule)
        Self.judgeConcreteness(title, folded, Set(hooks), brief, rule)
        Self.judgeKeywords(title, folded, brief, rule)
        Self.judgeSellingPoints(title, brief, rule)
        Self.judgeReadability(title, rule)

        var score = possible == 0 ? 0 : (earned * 100 + possible / 2) / possible
        let blocks = brief.compliance.blocks(title)
        let findings = Self.words(blocks.filter { $0.category != .banned })
        if !findings.isEmpty {
            let penalty = min(60, findings.count * 30)
            score -= penalty
            let named = findings.map { "“\($0.word)”（\($0.category.chineseName)，\($0.source)）" }.joined(separator: "、")
            reasons.append("广告法风险词\(named)：-\(penalty) 分")
        }
        if !others.isEmpty {
            let outline = TitleOutline(of: title)
            if let copy = others.first(where: { $0.title != title && $0.dice(outline) >= TitleOutline.nearDuplicate }) {
                score -= 20
                reasons.append("与候选“\(copy.title)”几乎重复：-20 分")
            }
        }
        let banned = Self.words(blocks.filter { $0.category == .banned })
        if !banned.isEmpty {
            score = 0
            reasons.append("含禁用词\(banned.map { "“\($0.word)”" }.joined(separator: "、"))：不可使用")
        }
        if title.count > brief.maxLength {
            score = 0
            reasons.append("超出长度上限（\(title.count)/\(brief.maxLength)）：不可使用")
        }
        value = max(0, min(100, score))
        self.reasons = reasons
    }

    /// Each word once.
    private static func words(_ findings: [Compliance.Finding]) -> [Compliance.Finding] {
        var seen: Set<String> = []
        return findings.filter { seen.insert($0.word).inserted }
    }

    private typealias Rule = (_ text: String, _ points: Int, _ weight: Int) -> Void

    // MARK: Length

    /// 0–100: how well a length suits a limit. Short-video titles read best at half to nine tenths of what the platform shows,
    /// yet not beyond about 26 characters where the limit is generous.
    static func lengthFit(_ length: Int, limit: Int) -> Int {
        guard length > 0, length <= limit else { return 0 }
        let (low, high) = idealLength(limit: limit)
        if length < low { return max(20, 100 - (low - length) * 100 / max(1, low)) }
        if length > high { return max(60, 100 - (length - high) * 100 / max(1, limit)) }
        return 100
    }

    private static func idealLength(limit: Int) -> (Int, Int) {
        let high = max(1, min(limit, max(26, limit * 3 / 5)))
        return (max(1, min(12, limit / 2)), high)
    }

    private static func judgeLength(_ title: String, _ brief: TitleBrief, _ rule: Rule) {
        let (low, high) = idealLength(limit: brief.maxLength)
        let size = "（\(title.count)/\(brief.maxLength)）"
        let points = lengthFit(title.count, limit: brief.maxLength) * 20 / 100
        let text =
            if title.count > brief.maxLength {
                "长度超限\(size)"
            } else if title.count < low {
                "长度偏短\(size)"
            } else if title.count > high {
                "长度偏长\(size)"
            } else {
                "长度合适\(size)"
            }
        rule(text, points, 20)
    }

    // MARK: Hook

    private static func judgeHooks(_ hooks: [TitleFormula], _ rule: Rule) {
        let points = [0, 16, 22][min(hooks.count, 2)] + (hooks.count > 2 ? 3 : 0)
        if hooks.isEmpty {
            rule("缺少钩子（数字、提问、悬念、利益等）", 0, 25)
        } else {
            rule("有钩子（\(hooks.prefix(3).map(\.chineseName).joined(separator: "、"))）", points, 25)
        }
    }

    // MARK: Concreteness

    private static func judgeConcreteness(
        _ title: String, _ folded: String, _ hooks: Set<TitleFormula>, _ brief: TitleBrief, _ rule: Rule
    ) {
        var found: [String] = []
        if TitleHooks.hasQuantity(folded) { found.append("数量") }
        if let audience = brief.audience, TitleSimilarity.mentions(audience, in: title) { found.append("人群") }
        if !hooks.isDisjoint(with: [.scene, .timePressure]) { found.append("场景时间") }
        if brief.keyWord.isKept(in: title) || KeyWordLexicon.containsNoun(title) { found.append("具体事物") }
        let points = [0, 8, 13, 15, 15][found.count]
        rule(found.isEmpty ? "内容空泛" : "内容具体（\(found.joined(separator: "、"))）", points, 15)
    }

    // MARK: Keywords

    private static func judgeKeywords(_ title: String, _ folded: String, _ brief: TitleBrief, _ rule: Rule) {
        if let key = brief.keyWord.candidates.first {
            let kept = brief.keyWord.isKept(in: title)
            rule(kept ? "覆盖主题词" : "未提到主题“\(key.prefix(12))”", kept ? 20 : 0, 20)
        }
        guard !brief.keywords.isEmpty else { return }
        let hits = brief.keywords.filter { folded.contains($0.lowercased()) }.count
        // A title has room for one or two of them; two are full marks.
        let wanted = min(2, brief.keywords.count)
        rule("覆盖关键词（\(hits)/\(brief.keywords.count)）", min(hits, wanted) * 10 / wanted, 10)
    }

    private static func judgeSellingPoints(_ title: String, _ brief: TitleBrief, _ rule: Rule) {
        guard !brief.sellingPoints.isEmpty else { return }
        let hit = brief.sellingPoints.first { TitleSimilarity.mentions($0, in: title) }
        rule(hit.map { "点出卖点“\($0.prefix(12))”" } ?? "未点出卖点", hit == nil ? 0 : 10, 10)
    }

    // MARK: Readability

    private static func judgeReadability(_ title: String, _ rule: Rule) {
        var faults: [String] = []
        let characters = Array(title)
        let marks = characters.count { !$0.isPlainlyWord && ($0.isPunctuation || $0.isSymbol) }
        if characters.count >= 4, marks * 3 > characters.count { faults.append("符号过多") }
        for (index, character) in characters.enumerated() where index + 2 < characters.count {
            if character == characters[index + 1], character == characters[index + 2] {
                faults.append("叠字叠标点")
                break
            }
        }
        if let word = TitleSimilarity.repeatedWord(in: title) { faults.append("“\(word)”重复") }
        let points = max(0, 10 - faults.count * 5)
        rule(faults.isEmpty ? "读来通顺" : "不够通顺（\(faults.joined(separator: "、"))）", points, 10)
    }
}

/// A title's pairs of neighbouring characters, by which two titles are compared; made once per title. Marks and blanks do not count.
struct TitleOutline: Sendable {
    /// Beyond this share of common pairs two titles say the same.
    static let nearDuplicate = 0.82

    let title: String
    private let pairs: [UInt64]

    init(of title: String) {
        self.title = title
        pairs = TitleSimilarity.pairs(title).sorted()
    }

    func saysTheSame(as other: TitleOutline) -> Bool { title == other.title || dice(other) >= Self.nearDuplicate }

    /// Sørensen–Dice coefficient of the two titles' character pairs, 0–1.
    func dice(_ other: TitleOutline) -> Double {
        guard !pairs.isEmpty, !other.pairs.isEmpty else { return title == other.title ? 1 : 0 }
        var (mine, theirs, common) = (0, 0, 0)
        while mine < pairs.count, theirs < other.pairs.count {
            if pairs[mine] == other.pairs[theirs] {
                (mine, theirs, common) = (mine + 1, theirs + 1, common + 1)
            } else if pairs[mine] < other.pairs[theirs] {
                mine += 1
            } else {
                theirs += 1
            }
        }
        return 2 * Double(common) / Double(pairs.count + other.pairs.count)
    }
}

/// What a title says, by its characters.
enum TitleSimilarity {
    /// Whether a title carries a phrase: literally, or with at least half of its character pairs.
    static func mentions(_ phrase: String, in title: String) -> Bool {
        let wanted = Set(pairs(phrase))
        guard !wanted.isEmpty else { return !phrase.isEmpty && title.contains(phrase) }
        let there = Set(pairs(title))
        return wanted.intersection(there).count * 2 >= wanted.count
    }

    /// A word of two Chinese characters that occurs three times or more.
    static func repeatedWord(in title: String) -> String? {
        let characters = Array(title)
        guard characters.count >= 6 else { return nil }
        var counts: [String: Int] = [:]
        for index in 0..<(characters.count - 1) where characters[index].isHan && characters[index + 1].isHan {
            let pair = String(characters[index...(index + 1)])
            counts[pair, default: 0] += 1
            if counts[pair] == 3 { return pair }
        }
        return nil
    }

    static func pairs(_ text: String) -> [UInt64] {
        var scalars: [UInt32] = []
        for character in text.lowercased() where !character.isMarkOrBlank {
            scalars.append(contentsOf: character.unicodeScalars.map(\.value))
        }
        guard scalars.count > 1 else { return [] }
        return (1..<scalars.count).map { UInt64(scalars[$0 - 1]) << 32 | UInt64(scalars[$0]) }
    }
}

/// What makes a reader stop, by the words that do it.
enum TitleHooks {
    static func formulas(in folded: String, audience: String? = nil) -> [TitleFormula] {
        var found = Set(finder.words(in: folded).flatMap { byCue[$0] ?? [] })
        if hasQuantity(folded) { found.insert(.number) }
        if let audience, TitleSimilarity.mentions(audience, in: folded) { found.insert(.identity) }
        return TitleFormula.allCases.filter(found.contains)
    }

    /// A figure, or a Chinese numeral that counts something (`三步`, `五个`).
    static func hasQuantity(_ text: String) -> Bool {
        if text.contains(where: { $0.isASCII && $0.isNumber }) { return true }
        let characters = Array(text)
        for (index, character) in characters.enumerated() where index + 1 < characters.count {
            if numerals.contains(character), measures.contains(characters[index + 1]) { return true }
        }
        return false
    }

    private static let numerals = Set("二两三四五六七八九十百千万几")
    private static let measures = Set("个招步点条种件问天周月年分秒次款大句份元块倍成斤里层")

    private static let finder = WordFinder(words: Array(byCue.keys))
    private static let byCue: [String: [TitleFormula]] = {
        var formulas: [String: [TitleFormula]] = [:]
        for (formula, cues) in table {
            for cue in cues { formulas[cue, default: []].append(formula) }
        }
        return formulas
    }()

    private static let table: [TitleFormula: [String]] = [
        .question: [
            "？", "?", "吗", "为什么", "为何", "怎么", "咋", "如何", "哪个", "哪里", "哪款", "到底", "是不是", "值不值", "何时", "why", "how", "what",
            "which",
        ],
        .contrast: ["同样", "对比", "差别", "差距", "差在", "以前", "不是", "反而", "却", "前后", "平价", "vs", "现实", "than", "instead"],
        .suspense: [
            "背后", "真相", "原来", "没想到", "竟然", "居然", "才明白", "才知道", "后悔", "憋了", "秘密", "很少有人", "意外", "没注意", "结局", "secret", "never",
        ],
        .benefit: ["省", "少走弯路", "轻松", "搞定", "学会", "不再", "值得", "受益", "变美", "提升", "够了", "不用", "save", "easy", "better"],
        .scene: ["下班", "周末", "深夜", "早上", "清晨", "出门", "回家", "通勤", "朋友", "家里", "办公室", "旅途", "睡前", "weekend", "morning"],
        .painPoint: ["踩坑", "发愁", "头大", "头疼", "总是", "折腾", "烦恼", "难题", "焦虑", "崩溃", "不满意", "扛不住", "problem", "struggl"],
        .identity: ["新手", "宝妈", "上班族", "打工人", "学生", "普通人", "内行", "懂行", "老手", "姐妹", "老铁", "家人们", "怕麻烦", "小白", "beginner"],
        .listicle: ["清单", "盘点", "合集", "收藏", "技巧", "经验", "码住", "大全", "整理", "checklist", "tips"],
        .timePressure: ["今天", "现在", "趁", "马上", "别等", "分钟", "换季", "下单前", "再忙", "倒计时", "today", "now", "before"],
        .story: ["日记", "故事", "那天", "这一年", "我和", "我的", "改观", "入坑", "记录", "my "],
        .secret: ["门道", "窍门", "内行", "揭秘", "老手", "私藏", "真相", "小心思", "hidden"],
        .warning: ["别", "避坑", "预警", "当心", "误区", "千万", "提醒", "小心", "avoid", "mistake", "don't"],
        .resultFirst: ["结论", "之后", "结果", "变化", "坚持", "答案", "after"],
        .howTo: ["手把手", "教程", "这样", "几步", "步走", "指南", "入门", "方法", "照着", "一看就会", "讲明白", "guide", "step"],
    ]
}
