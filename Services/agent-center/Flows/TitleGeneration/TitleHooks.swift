/// What makes a reader stop, by the words that do it.
enum TitleHooks {
    static func formulas(of title: TitleOutline, audience: TitlePhrase? = nil) -> [TitleFormula] {
        var found: [TitleFormula] = finder.matches(in: title.folded).flatMap { byCue[$0.entry].formulas }
        if title.hasQuantity { found.append(.number) }
        if let audience, audience.isMentioned(in: title, as: title.text.lowercased()) { found.append(.identity) }
        return found.isEmpty ? [] : TitleFormula.allCases.filter(found.contains)
    }

    // MARK: Quantities

    /// A figure, or a Chinese numeral that counts something (`三步`, `五个`).
    static func hasQuantity(_ characters: [Unicode.Scalar]) -> Bool { scalarNumbers.stand(in: characters) }

    static func hasQuantity(_ characters: [Character]) -> Bool { numbers.stand(in: characters) }

    private struct Numbers<Letter: Sign>: Sendable {
        /// So few that looking through them is faster than a set.
        let numerals: [Letter]
        let measures: [Letter]

        func stand(in characters: [Letter]) -> Bool {
            if characters.contains(where: \.isDigit) { return true }
            return characters.indices.dropLast().contains {
                numerals.contains(characters[$0]) && measures.contains(characters[$0 + 1])
            }
        }
    }

    private static let numerals = "二两三四五六七八九十百千万几"
    private static let measures = "个招步点条种件问天周月年分秒次款大句份元块倍成斤里层"
    private static let numbers = Numbers(numerals: Array(numerals), measures: Array(measures))
    private static let scalarNumbers = Numbers(numerals: Array(numerals.unicodeScalars), measures: Array(measures.unicodeScalars))

    // MARK: Cues

    private static let finder = WordFinder(words: byCue.map(\.cue))
    /// Each cue once.
    private static let byCue: [(cue: String, formulas: [TitleFormula])] = {
        var formulas: [String: [TitleFormula]] = [:]
        for (formula, cues) in table {
            for cue in cues { formulas[cue, default: []].append(formula) }
        }
        return formulas.map { ($0.key, $0.value) }
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
