import DTO
import Testing

@testable import AgentCenter

@Suite("Title score")
struct TitleScoreTests {
    private let brief = TitleBrief.sample(
        audience: "通勤女生", sellingPoints: ["轻薄不油腻"], keywords: ["户外"], bannedWords: ["打折"], maxLength: 30)

    @Test("A good title scores high and each rule is named")
    func good() {
        let score = TitleScore(of: "通勤女生看过来：轻薄不油腻的夏季防晒霜，户外3小时怎么选？", for: brief)
        #expect(score.value >= 90, "\(score)")
        let reasons = score.reasons.joined(separator: "\n")
        for rule in ["长度", "有钩子", "内容具体", "覆盖主题词", "覆盖关键词（1/1）", "点出卖点", "读来通顺"] { #expect(reasons.contains(rule), "\(rule)") }
    }

    @Test("A flat title scores lower, and says why")
    func flat() {
        let score = TitleScore(of: "产品介绍", for: brief)
        #expect(score.value <= 30, "\(score)")
        #expect(score.reasons.contains { $0.hasPrefix("缺少钩子") })
        #expect(score.reasons.contains { $0.hasPrefix("未提到主题") })
        #expect(score.reasons.contains { $0.hasPrefix("长度偏短（4/30）") })
    }

    @Test("A banned word makes a title unusable")
    func banned() {
        let score = TitleScore(of: "夏季防晒霜怎么选？3个打折细节", for: brief)
        #expect(score.value == 0)
        #expect(score.reasons.contains { $0.contains("禁用词“打折”") })
    }

    @Test("A title over the limit is unusable; characters are grapheme clusters")
    func limit() {
        let family = String(repeating: "👨‍👩‍👧‍👦", count: 30)
        #expect(TitleScore(of: family, for: .sample(maxLength: 30)).reasons.allSatisfy { !$0.contains("超出") })
        let long = TitleScore(of: family + "多", for: .sample(maxLength: 30))
        #expect(long.value == 0)
        #expect(long.reasons.contains { $0.hasPrefix("超出长度上限（31/30）") })
    }

    @Test("Advertising-law words cost 30 points each and are named with category and source")
    func law() {
        let clean = TitleScore(of: "夏季防晒霜怎么选？3个细节别忽略", for: brief)
        let risky = TitleScore(of: "夏季防晒霜怎么选？3个顶级细节", for: brief)
        #expect(risky.value <= clean.value - 25)
        #expect(risky.reasons.contains { $0.contains("“顶级”（级别用语，广告法第九条第三项）：-30 分") })
    }

    @Test("A near copy of a neighbour loses points")
    func nearDuplicate() {
        let title = "夏季防晒霜怎么选？3个细节别忽略"
        let alone = TitleScore(of: title, for: brief)
        let copy = TitleScore(of: title, for: brief, beside: [TitleOutline(of: "夏季防晒霜怎么选？5个细节别忽略")])
        #expect(copy.value == alone.value - 20)
        #expect(TitleScore(of: title, for: brief, beside: [TitleOutline(of: "完全不同的一个题目")]) == alone)
    }

    @Test("Rules that the brief does not raise drop out of the sum")
    func notApplicable() {
        let plain = TitleScore(of: "夏季防晒霜怎么选？3个细节别忽略", for: .sample())
        #expect(!plain.reasons.contains { $0.contains("关键词（") || $0.contains("卖点") })
        #expect(plain.value >= 90)
    }

    @Test("Repeats and heaps of marks read badly")
    func readability() {
        #expect(TitleScore(of: "防晒防晒防晒防晒防晒", for: brief).reasons.contains { $0.hasPrefix("不够通顺") && $0.contains("重复") })
        #expect(TitleScore(of: "防晒！！！", for: brief).reasons.contains { $0.hasPrefix("不够通顺") })
    }

    @Test("Any text is scored between 0 and 100")
    func range() {
        for text in ["", " ", "😀", String(repeating: "最第一顶级绝对", count: 20), "a"] {
            #expect((0...100).contains(TitleScore(of: text, for: brief).value))
        }
    }
}
