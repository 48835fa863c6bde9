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
    init(of title: TitleOutline, for brief: TitleBrief, beside others: some Sequence<TitleOutline> = []) {
        var earned = 0
        var possible = 0
        var reasons: [String] = []
        func rule(_ text: String, _ points: Int, of weight: Int) {
            earned += points
            possible += weight
            reasons.append("\(text)：\(points)/\(weight) 分")
        }
        let hooks = TitleHooks.formulas(of: title, audience: brief.audiencePhrase)
        Self.judgeLength(title, brief, rule)
        Self.judgeHooks(hooks, rule)
        Self.judgeConcreteness(title, hooks, brief, rule)
        Self.judgeKeywords(title, brief, rule)
        Self.judgeSellingPoints(title, brief, rule)
        Self.judgeReadability(title, rule)

        var score = possible == 0 ? 0 : (earned * 100 + possible / 2) / possible
        let blocks = brief.compliance.blocks(title.text, folded: title.folded)
        let findings = Self.words(blocks.filter { $0.category != .banned })
        if !findings.isEmpty {
            let penalty = min(60, findings.count * 30)
            score -= penalty
            let named = findings.map { "“\($0.word)”（\($0.category.chineseName)，\($0.source)）" }.joined(separator: "、")
            reasons.append("广告法风险词\(named)：-\(penalty) 分")
        }
        if let copy = others.first(where: { $0.dice(title) >= TitleOutline.nearDuplicate && $0.text != title.text }) {
            score -= 20
            reasons.append("与候选“\(copy.text)”几乎重复：-20 分")
        }
        let banned = Self.words(blocks.filter { $0.category == .banned })
        if !banned.isEmpty {
            score = 0
            reasons.append("含禁用词\(banned.map { "“\($0.word)”" }.joined(separator: "、"))：不可使用")
        }
        if title.length > brief.maxLength {
            score = 0
            reasons.append("超出长度上限（\(title.length)/\(brief.maxLength)）：不可使用")
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

    private static func judgeLength(_ title: TitleOutline, _ brief: TitleBrief, _ rule: Rule) {
        let (low, high) = idealLength(limit: brief.maxLength)
        let size = "（\(title.length)/\(brief.maxLength)）"
        let points = lengthFit(title.length, limit: brief.maxLength) * 20 / 100
        let text =
            if title.length > brief.maxLength {
                "长度超限\(size)"
            } else if title.length < low {
                "长度偏短\(size)"
            } else if title.length > high {
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
        _ title: TitleOutline, _ hooks: [TitleFormula], _ brief: TitleBrief, _ rule: Rule
    ) {
        var found: [String] = []
        if title.hasQuantity { found.append("数量") }
        if let audience = brief.audiencePhrase, audience.isMentioned(in: title, as: title.text) { found.append("人群") }
        if hooks.contains(.scene) || hooks.contains(.timePressure) { found.append("场景时间") }
        if brief.keyWord.isKept(in: title.folded) || KeyWordLexicon.containsNoun(title.text) { found.append("具体事物") }
        let points = [0, 8, 13, 15, 15][found.count]
        rule(found.isEmpty ? "内容空泛" : "内容具体（\(found.joined(separator: "、"))）", points, 15)
    }

    // MARK: Keywords

    private static func judgeKeywords(_ title: TitleOutline, _ brief: TitleBrief, _ rule: Rule) {
        if let key = brief.keyWord.candidates.first {
            let kept = brief.keyWord.isKept(in: title.folded)
            rule(kept ? "覆盖主题词" : "未提到主题“\(key.prefix(12))”", kept ? 20 : 0, 20)
        }
        guard !brief.keywords.isEmpty else { return }
        let hits = brief.keywordPhrases.count { $0.stands(in: title) }
        // A title has room for one or two of them; two are full marks.
        let wanted = min(2, brief.keywords.count)
        rule("覆盖关键词（\(hits)/\(brief.keywords.count)）", min(hits, wanted) * 10 / wanted, 10)
    }

    private static func judgeSellingPoints(_ title: TitleOutline, _ brief: TitleBrief, _ rule: Rule) {
        guard !brief.sellingPoints.isEmpty else { return }
        let hit = brief.sellingPointPhrases.first { $0.isMentioned(in: title, as: title.text) }
        rule(hit.map { "点出卖点“\($0.text.prefix(12))”" } ?? "未点出卖点", hit == nil ? 0 : 10, 10)
    }

    // MARK: Readability

    private static func judgeReadability(_ title: TitleOutline, _ rule: Rule) {
        var faults: [String] = []
        if title.length >= 4, title.marks * 3 > title.length { faults.append("符号过多") }
        if title.stutters { faults.append("叠字叠标点") }
        if let word = title.repeatedWord { faults.append("“\(word)”重复") }
        let points = max(0, 10 - faults.count * 5)
        rule(faults.isEmpty ? "读来通顺" : "不够通顺（\(faults.joined(separator: "、"))）", points, 10)
    }
}
