/// The little grammar that ``KeyWord`` needs: what a prohibition forbids, what a *why* asks about, and which words cannot stand alone.
enum KeyWordGrammar {
    // MARK: Prohibitions

    private static let prohibitions = [
        "千万不要再", "千万不要", "千万别再", "千万别", "请不要再", "请不要", "请别再", "请别", "不要再", "不要", "别再", "别",
    ]
    /// What follows 别 where it forbids: 别墅 and 别针 are things.
    private static let forbidden: Set<Character> = Set("再用买吃喝穿选乱去让给把做信只总急")
    private static let verbs = ["乱用", "乱买", "乱吃", "用", "买", "吃", "喝", "穿", "选", "信"]

    /// `不要再用洗面奶洗脸了` → `洗面奶`; `不要空腹喝咖啡` → `空腹喝咖啡`. `nil` where nothing is forbidden.
    static func objectOfProhibition(_ clause: String) -> String? {
        guard let opening = prohibitions.first(where: clause.hasPrefix) else { return nil }
        var rest = clause.dropFirst(opening.count)
        if opening == "别", rest.first.map(forbidden.contains) != true { return nil }
        while let last = rest.last, "了啦吧啊呀".contains(last) { rest.removeLast() }
        guard rest.count >= 2 else { return nil }
        let verb = verbs.first(where: rest.hasPrefix) ?? ""
        let segments = KeyWordLexicon.segments(of: String(rest.dropFirst(verb.count)))
        guard var end = segments.firstIndex(where: \.isNoun) else { return String(rest) }
        while end + 1 < segments.count, segments[end + 1].isNoun { end += 1 }
        return segments[...end].map(\.text).joined()
    }

    // MARK: Why

    private static let whys = ["为什么说", "为什么", "为啥说", "为啥", "为何说", "为何", "凭什么说", "凭什么"]
    /// Where what is said of the subject begins.
    private static let predicates = [
        "不适合", "不建议", "不推荐", "不值得", "不能", "不会", "不该", "这么", "那么", "总是", "总会", "老是", "越来越", "会让", "容易", "没有", "没用", "没效果",
        "一直",
    ].map(Array.init)
    private static let pronouns: Set<String> = [
        "我们", "你们", "他们", "大家", "自己", "有人", "别人", "很多人", "有些人", "有的人", "越来越多的人",
    ]

    /// `为什么说早C晚A的护肤方法不适合你` → `早C晚A的护肤方法`. `nil` where there is no *why*, or its subject is nothing to speak of.
    static func subjectOfWhy(_ clause: String) -> String? {
        guard let opening = whys.first(where: clause.hasPrefix) else { return nil }
        let rest = Array(clause.dropFirst(opening.count))
        guard rest.count > 2 else { return nil }
        let end = rest.indices.dropFirst(2).first { index in
            predicates.contains { rest[index...].starts(with: $0) }
                // 越涂越黑
                || rest[index] == "越" && index + 2 < rest.count && rest[index + 2] == "越"
        }
        guard let end, !pronouns.contains(String(rest[..<end])) else { return nil }
        return String(rest[..<end])
    }

    // MARK: Words that cannot stand alone

    private static let dependent: Set<Character> = Set("的和在是与及跟都也却")
    private static let trailing: Set<Character> = Set("的了着吗呢啊呀和与及在是")
    /// Words that begin with such a character.
    private static let words: Set<String> = [
        "的确", "的士", "和牛", "和平", "和服", "和田", "和风", "和谐", "和面", "和睦", "在家", "在职", "在线", "在编", "在读", "在校", "是非", "与众", "及时", "及格",
        "跟拍",
        "跟团", "跟练", "都市", "都江", "也门",
    ]
    private static let endings: Set<String> = ["衣着", "执着", "沉着", "目的", "标的", "所在", "存在", "参与", "温和", "饱和", "共和", "普及"]

    /// Whether the text's first character, one of 的和在是…, belongs to a word.
    static func beginsAWord(_ text: some StringProtocol) -> Bool { words.contains(String(text.prefix(2))) }

    private static let nouns: Set<String> = ["方法", "技巧", "小技巧", "经验", "心得", "知识", "常识", "注意事项"]

    /// Whether an ending is what the phrase is about: of `早C晚A的护肤方法` nothing can be taken away.
    static func belongs(_ ending: String, to rest: Substring) -> Bool {
        nouns.contains(ending) && rest.last != "的" && rest.suffix(3).contains("的")
    }

    /// Whether the text neither begins nor ends with a word that hangs on another one.
    static func isWhole(_ text: String) -> Bool {
        guard let first = text.first, let last = text.last else { return false }
        if dependent.contains(first), !beginsAWord(text) { return false }
        if ["什么", "怎么", "是否", "哪里", "哪个", "哪些"].contains(String(text.prefix(2))) { return false }
        return !trailing.contains(last) || endings.contains(String(text.suffix(2)))
    }
}
