import DTO

/// The patterns of the offline writer, version ``version``. No figure in them claims a fact (`90% 的人`, `瘦 10 斤`): numbers only
/// count what the text itself will list, because a made-up figure in an advertisement is a violation as well (广告法第十一条).
enum TitlePatternLibrary {
    /// Raised whenever a pattern or the way of choosing changes; part of `promptVersion`.
    static let version = 2

    static let all: [TitlePattern] = sentences + details + short + withoutKeyWord

    /// Whole sentences about the key word.
    static let sentences: [TitlePattern] = [
        // MARK: number
        TitlePattern("number.details", .number, "{key}，记住这{n}个细节就够了"),
        TitlePattern(
            "number.myths", .number, "关于{key}的{n}个常见误区，你中了几个",
            flavours: [.bilibili: "【误区盘点】关于{key}，这{n}个说法靠谱吗", .kuaishou: "{key}这{n}个误区，好多老铁都中过"]),
        TitlePattern("number.minutes", .number, "{n}分钟看懂{key}，新手也能跟上"),
        TitlePattern("number.steps", .number, "{key}这件事，拆成{n}步就不难了"),
        TitlePattern("number.tricks", .number, "{key}里藏着的{n}个小门道"),
        TitlePattern("number.done", .number, "做好{key}，其实只要这{n}步", kind: .activity),

        // MARK: question
        TitlePattern(
            "question.choose", .question, "{key}到底该怎么选？", kind: .thing,
            flavours: [.xiaohongshu: "求问！{key}到底该怎么选？", .bilibili: "【选购思路】{key}到底该怎么选？"]),
        TitlePattern("question.suits", .question, "{key}真的适合你吗？"),
        TitlePattern("question.why", .question, "为什么大家最近都在聊{key}？"),
        TitlePattern("question.good", .question, "都在说{key}，它到底好在哪？"),
        TitlePattern("question.know", .question, "{key}，你真的了解吗？"),
        TitlePattern("question.start", .question, "刚接触{key}，该从哪里入手？"),
        TitlePattern("question.wrong", .question, "{key}总是差点意思，问题出在哪？"),

        // MARK: contrast
        TitlePattern("contrast.same", .contrast, "同样是{key}，差别怎么这么大？"),
        TitlePattern("contrast.people", .contrast, "懂{key}的人和不懂的人，差距就在这{n}点"),
        TitlePattern("contrast.before", .contrast, "以前觉得{key}很难，现在只想说真香"),
        TitlePattern("contrast.real", .contrast, "{key}：想象中和现实中，差了多少"),
        TitlePattern("contrast.price", .contrast, "贵的{key}和平价的，到底差在哪？", kind: .thing),
        TitlePattern("contrast.turn", .contrast, "{key}前后对比，变化就藏在细节里", kind: .activity),

        // MARK: suspense
        TitlePattern("suspense.behind", .suspense, "{key}背后的门道，很少有人说透"),
        TitlePattern("suspense.end", .suspense, "看到结尾才明白，{key}原来是这样"),
        TitlePattern("suspense.words", .suspense, "关于{key}，有句话我憋了很久"),
        TitlePattern("suspense.regret", .suspense, "原来{key}还可以这样，后悔没早点知道"),
        TitlePattern("suspense.notice", .suspense, "{key}里有个细节，多数人没注意到"),

        // MARK: benefit
        TitlePattern("benefit.detour", .benefit, "看完这条，{key}少走弯路"),
        TitlePattern("benefit.easy", .benefit, "{key}做对这几点，省心又省力"),
        TitlePattern("benefit.save", .benefit, "把{key}讲清楚，帮你省时间也省钱"),
        TitlePattern("benefit.moves", .benefit, "学会这{n}招，{key}不再头疼"),
        TitlePattern("benefit.open", .benefit, "{key}的正确打开方式，一看就会"),

        // MARK: scene
        TitlePattern("scene.commute", .scene, "下班回家的路上，聊聊{key}"),
        TitlePattern("scene.weekend", .scene, "周末有空，不妨看看{key}"),
        TitlePattern("scene.friend", .scene, "朋友突然问起{key}，我这样回答"),
        TitlePattern(
            "scene.night", .scene, "深夜刷到{key}，一下子来了精神", flavours: [.bilibili: "深夜档｜刷到{key}，一下子来了精神"]),
        TitlePattern("scene.morning", .scene, "出门之前，先花{n}分钟看看{key}"),
        TitlePattern("scene.home", .scene, "家里人问我{key}，我把这条发了过去"),

        // MARK: pain point
        TitlePattern("pain.pit", .painPoint, "{key}总是踩坑？问题多半出在这里"),
        TitlePattern("pain.tired", .painPoint, "被{key}折腾过的人，都懂这种心情"),
        TitlePattern("pain.worry", .painPoint, "为{key}发愁的你，先看完这条"),
        TitlePattern("pain.money", .painPoint, "钱花了力也出了，{key}怎么还是不满意"),
        TitlePattern("pain.headache", .painPoint, "一说到{key}就头大？拆开讲给你听"),

        // MARK: identity
        TitlePattern("identity.beginner", .identity, "新手入门{key}，看这一条就够"),
        TitlePattern("identity.fresh", .identity, "给刚接触{key}的你，一份避坑笔记"),
        TitlePattern("identity.expert", .identity, "懂行的人聊{key}，先看这几点"),
        TitlePattern("identity.ordinary", .identity, "普通人也能搞定的{key}，不用太复杂"),
        TitlePattern("identity.lazy", .identity, "怕麻烦的人，这样{key}就很省心", kind: .activity),

        // MARK: listicle
        TitlePattern("list.pits", .listicle, "{key}避坑清单，建议收藏"),
        TitlePattern("list.tips", .listicle, "{n}个{key}小技巧，个个都实用"),
        TitlePattern("list.zero", .listicle, "{key}从零开始：{n}步走清单"),
        TitlePattern("list.sheet", .listicle, "一张清单，理清{key}的来龙去脉"),
        TitlePattern("list.lessons", .listicle, "整理了{n}条{key}经验，照着做就行"),

        // MARK: time pressure
        TitlePattern("time.now", .timePressure, "趁现在，把{key}弄明白"),
        TitlePattern("time.busy", .timePressure, "再忙也抽{n}分钟看看{key}"),
        TitlePattern("time.season", .timePressure, "别等用到才想起{key}，现在就看"),
        TitlePattern("time.order", .timePressure, "下单前{n}分钟，再看一眼{key}", kind: .thing),
        TitlePattern("time.today", .timePressure, "今天就开始{key}，别再等下周了", kind: .activity),

        // MARK: story
        TitlePattern("story.year", .story, "我和{key}的这一年，踩过坑也有收获"),
        TitlePattern("story.diary", .story, "从一窍不通到得心应手，我的{key}日记"),
        TitlePattern("story.changed", .story, "从那天起，我对{key}改观了"),
        TitlePattern("story.ordinary", .story, "一个普通人和{key}的故事"),
        TitlePattern("story.after", .story, "接触{key}之后，我的想法变了不少"),

        // MARK: secret
        TitlePattern("secret.expert", .secret, "内行人聊{key}，通常先说这{n}点"),
        TitlePattern("secret.tricks", .secret, "{key}的小窍门，今天一次说清"),
        TitlePattern("secret.detail", .secret, "老手不常提的{key}细节，都在这条里"),
        TitlePattern("secret.truth", .secret, "{key}的真相，其实没那么复杂"),

        // MARK: warning
        TitlePattern("warning.pits", .warning, "{key}别乱来，这{n}个坑先避开"),
        TitlePattern("warning.choose", .warning, "选{key}之前，先看看这{n}个提醒", kind: .thing),
        TitlePattern("warning.stop", .warning, "先停一停！{key}别再这样做了", kind: .activity),
        TitlePattern("warning.cases", .warning, "{key}踩坑预警：这几种情况要当心"),
        TitlePattern("warning.claims", .warning, "关于{key}，这几种说法别轻信"),

        // MARK: result first
        TitlePattern("result.relaxed", .resultFirst, "搞懂{key}之后，整个人轻松多了"),
        TitlePattern("result.conclusion", .resultFirst, "先说结论：{key}值不值得，看这{n}点"),
        TitlePattern("result.weeks", .resultFirst, "{key}坚持{n}周，我发现了这些变化", kind: .activity),
        TitlePattern("result.surprise", .resultFirst, "结果有点意外，{key}原来要这样看"),

        // MARK: how to
        TitlePattern("how.hand", .howTo, "手把手带你搞定{key}"),
        TitlePattern("how.zero", .howTo, "零基础也能看懂的{key}教程"),
        TitlePattern("how.order", .howTo, "{key}怎么做更省心？照着这几步来"),
        TitlePattern("how.clear", .howTo, "一条视频讲明白{key}", flavours: [.xiaohongshu: "一篇笔记讲明白{key}"]),
    ]

    /// Sentences that carry what else the brief says.
    static let details: [TitlePattern] = [
        TitlePattern("identity.audience.look", .identity, "{audience}看过来，{key}这样安排"),
        TitlePattern("identity.audience.letter", .identity, "写给{audience}的{key}指南"),
        TitlePattern("identity.audience.suits", .identity, "适合{audience}的{key}，重点都在这"),
        TitlePattern("identity.audience.regret", .identity, "{audience}必看：{key}怎么挑才不后悔", kind: .thing),
        TitlePattern("identity.audience.number", .identity, "{audience}聊{key}，绕不开这{n}个问题"),
        TitlePattern("benefit.point.who", .benefit, "{point}，这样的{key}谁不想要", kind: .thing),
        TitlePattern("benefit.point.seen", .benefit, "{point}！这样的{key}你见过吗"),
        TitlePattern("benefit.point.study", .benefit, "冲着“{point}”，我认真研究了{key}"),
        TitlePattern("question.point", .question, "{key}好不好，“{point}”重要吗？"),
        TitlePattern("secret.point", .secret, "{key}的小心思：{point}"),
        TitlePattern("identity.audience.point", .identity, "{audience}为什么看中{key}？{point}"),
        TitlePattern("result.point", .resultFirst, "{point}，{key}原来可以这样"),
        TitlePattern("keyword.unavoidable", .keyword, "说到{key}，绕不开{keyword}"),
        TitlePattern("keyword.from", .keyword, "{keyword}怎么看？先从{key}说起"),
        TitlePattern("keyword.number", .keyword, "{key}与{keyword}，这{n}点说清楚"),
        TitlePattern("keyword.together", .keyword, "{key}搭上{keyword}，会有什么不一样？"),
        TitlePattern("keyword.care", .keyword, "在意{keyword}的人，都怎么看{key}"),
    ]

    /// For tight limits: a key word and two to four characters.
    static let short = table(
        """
        short.pits warning {key}避坑
        short.guide how_to {key}指南
        short.list listicle {key}清单
        short.notes story {key}笔记
        short.truth secret {key}真相
        short.talk scene 聊聊{key}
        short.understand benefit 读懂{key}
        short.master how_to 搞懂{key}
        short.play benefit 玩转{key}
        short.choose question {key}咋选
        short.myths warning {key}误区
        short.diary story {key}日记
        short.compare contrast {key}对比
        short.inside secret {key}揭秘
        short.start how_to {key}入门
        short.points number {key}{n}问
        short.lesson how_to {key}小课
        short.lessons story {key}心得
        short.know question 懂{key}吗
        short.worth question {key}值吗
        short.open scene 遇见{key}
        short.story story {key}故事
        short.today time_pressure 今天{key}
        short.unlock secret 解锁{key}
        short.number number {key}{n}招
        short.must identity {key}必看
        short.answer result_first {key}答案
        short.early time_pressure 趁早{key}
        short.about scene 说说{key}
        short.dry listicle {key}干货
        short.worry pain_point {key}难题
        short.newcomer identity 新手{key}
        short.things listicle {key}那些事
        short.five number {key}{n}步走
        short.right benefit {key}这样选
        short.hidden suspense {key}的秘密
        short.nopit warning {key}别踩坑
        short.how question {key}怎么选？
        short.well benefit 把{key}做对
        short.late time_pressure {key}不嫌晚
        """)

    /// For topics whose words do not fit the limit or must not be said. They keep no key word, so they come last.
    static let withoutKeyWord = table(
        """
        plain.chosen question 你选对了吗
        plain.pits warning 别再踩坑了
        plain.decide time_pressure 先看再决定
        plain.newcomer identity 新手看这里
        plain.steps number {n}步搞定它
        plain.detour benefit 少走弯路
        plain.regret suspense 后悔没早看
        plain.glance how_to 一看就会
        plain.so suspense 原来如此
        plain.truth secret 说点真心话
        plain.worth question 到底值不值
        plain.save listicle 建议收藏
        plain.answer result_first 答案在这里
        plain.detail secret 细节见真章
        plain.wrong warning 别再做错了
        plain.easy benefit 省心又省力
        plain.story story 我的小故事
        plain.list listicle 一张小清单
        plain.compare contrast 差别在哪里
        plain.scene scene 周末看一看
        plain.pain pain_point 你也头疼吗
        plain.now time_pressure 今天就开始
        plain.clear how_to 一次说清楚
        plain.expert identity 内行这样看
        plain.look scene 有空看看吧
        plain.surprise result_first 结果很意外
        plain.tricks number 学会这{n}招
        plain.think question 你怎么看
        plain.hand how_to 手把手教你
        plain.before contrast 前后大不同
        plain.why pain_point 问题出在哪
        plain.diary story 踩坑小日记
        plain.long.words suspense 有些话，想认真和你聊聊
        plain.long.points number 记住这{n}个细节，少走很多弯路
        plain.long.ask question 同样的事，为什么别人做得更轻松？
        plain.long.sheet listicle 整理好了，一张清单讲清来龙去脉
        plain.long.order warning 先别急着下决定，看看这{n}个提醒
        plain.long.result result_first 先说结论：做对这几点，真的省心
        """)

    /// One pattern per line: id, formula, sentence.
    private static func table(_ lines: String) -> [TitlePattern] {
        lines.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ", maxSplits: 2)
            guard columns.count == 3, let formula = TitleFormula(rawValue: String(columns[1])) else { return nil }
            return TitlePattern(String(columns[0]), formula, String(columns[2]))
        }
    }
}
