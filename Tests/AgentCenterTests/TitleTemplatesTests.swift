import DTO
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Template titles", .apartFromThePool)
struct TitleTemplatesTests {
    @Test(
        "200 topics of 10 industries: no empty slot, no pattern twice, none over the limit, nothing forbidden, the key word kept")
    func topics() async {
        #expect(TitleTopics.all.count == 200)
        #expect(Set(TitleTopics.all.map(\.industry)).count == 10)
        var titles = 0
        var kept = 0
        for (index, topic) in TitleTopics.all.enumerated() {
            await Task.yield()
            let brief = TitleBrief.sample(
                topic: topic.text, platform: ContentPlatform.allCases[index % ContentPlatform.allCases.count],
                audience: index % 2 == 0 ? "25–35岁上班族" : nil, sellingPoints: index % 3 == 0 ? ["省时省力"] : [],
                keywords: index % 4 == 0 ? ["日常"] : [], count: [5, 10, 20][index % 3], maxLength: [20, 30, 55][index % 3])
            let answer = TitleTemplates.titles(for: brief, seed: UInt64(index))
            checkInvariants(answer, brief, topic.text)
            titles += answer.count
            kept += answer.filter { $0.text.lowercased().contains(topic.keyWord.lowercased()) }.count
        }
        #expect(kept * 100 >= titles * 90, "the key word is kept in \(kept) of \(titles) titles")
    }

    @Test("Tight limits are met with shorter sentences, never with a cut", arguments: [5, 6, 8, 10, 12, 15])
    func tightLimits(limit: Int) async {
        for (index, topic) in TitleTopics.all.enumerated() {
            await Task.yield()
            let brief = TitleBrief.sample(topic: topic.text, count: 20, maxLength: limit)
            checkInvariants(TitleTemplates.titles(for: brief, seed: UInt64(index)), brief, topic.text)
        }
    }

    @Test(
        "Odd topics still get twenty titles",
        arguments: [
            "茶", "😀", "👨‍👩‍👧‍👦", "a", "???", "。。。", "A", "Sustainable packaging for small online stores in 2026",
            "新品coffee上市☕️限时", "{key}{n}{audience}", "\"引号\"和\\反斜杠", "最好的第一国家级顶级", "١٢٣", "ｆｕｌｌ　ｗｉｄｔｈ",
            String(repeating: "我们想推广一款适合上班族的便携咖啡杯，", count: 26), String(repeating: "长", count: 500),
            String(repeating: "e\u{301}", count: 500), "https://example.com/a?b=c",
        ])
    func oddTopics(topic: String) async {
        for limit in [5, 10, 20, 30, 100] {
            for platform in ContentPlatform.allCases {
                await Task.yield()
                let brief = TitleBrief.sample(topic: topic, platform: platform, count: 20, maxLength: limit)
                checkInvariants(TitleTemplates.titles(for: brief, seed: 1), brief, topic)
            }
        }
    }

    @Test("At least 24 patterns fit each limit, whatever the topic", arguments: [5, 10, 30])
    func patternsAvailable(limit: Int) {
        for topic in ["夏季防晒霜推荐", "Sustainable packaging", "长长长长长长长长长长长长长长长长长长长长"] {
            let request = TitleWritingRequest.sample(topic: topic, count: 24, maxLength: limit)
            #expect(TitleTemplates.titles(for: TitleBrief(request), seed: 3).count == 24, "\(topic) at \(limit)")
        }
    }

    @Test(
        "No title has a broken subject",
        arguments: [
            "夏天“最好用”的防晒霜到底是哪一款", "为什么说“早C晚A”的护肤方法不适合你", "宝宝辅食怎么做", "iPhone 17 Pro", "不要再用洗面奶洗脸了", "是什么让你坚持下来的",
        ])
    func subjects(topic: String) {
        for limit in [15, 30] {
            for title in TitleTemplates.titles(for: .sample(topic: topic, count: 20, maxLength: limit), seed: 11) {
                let broken = ["和的", "关于的", "看懂的护", "洗脸，", "同样是不要", "“", "”"].filter(title.text.contains)
                #expect(broken.isEmpty, "\(title.text)")
                #expect(!title.text.contains("17") || title.text.contains("iPhone 17 Pro"), "\(title.text)")
                #expect(!title.text.contains("宝宝") || title.text.contains("宝宝辅食"), "\(title.text)")
            }
        }
    }

    @Test("The same brief and seed give the same titles; another seed gives others")
    func deterministic() {
        let brief = TitleBrief.sample(count: 10)
        #expect(TitleTemplates.titles(for: brief, seed: 42) == TitleTemplates.titles(for: brief, seed: 42))
        #expect(TitleTemplates.titles(for: brief, seed: 42) != TitleTemplates.titles(for: brief, seed: 43))
    }

    @Test("Banned words appear nowhere, however common they are")
    func bannedWords() {
        let banned = ["的", "了", "这", "3", "？", "防晒霜", "新手", "别"]
        let brief = TitleBrief.sample(bannedWords: banned, count: 20)
        let answer = TitleTemplates.titles(for: brief, seed: 5)
        #expect(answer.count == 20)
        for title in answer {
            for word in banned { #expect(!title.text.contains(word), "\(title.text) contains \(word)") }
        }
    }

    @Test("When every sentence is forbidden there are no titles, not bad ones")
    func everythingBanned() {
        let patterns = TitlePatternLibrary.all.flatMap { $0.wordings(on: .douyin) }
        let characters = Set(patterns.joined()).subtracting("{}").map(String.init)
        let brief = TitleBrief.sample(bannedWords: characters)
        #expect(TitleTemplates.titles(for: brief, seed: 1).isEmpty)
    }

    @Test("An answer is varied: the first titles are of different formulas")
    func variety() {
        for seed in 0..<20 as Range<UInt64> {
            let answer = TitleTemplates.titles(for: .sample(count: 8), seed: seed)
            #expect(Set(answer.map(\.formula)).count == 8)
        }
    }

    @Test("Audience, selling points and keywords of the brief find their way into titles")
    func details() {
        let brief = TitleBrief.sample(
            audience: "通勤女生", sellingPoints: ["轻薄不油腻"], keywords: ["户外"], count: 20)
        let text = TitleTemplates.titles(for: brief, seed: 9).map(\.text).joined(separator: "\n")
        #expect(text.contains("通勤女生"))
        #expect(text.contains("轻薄不油腻"))
        #expect(text.contains("户外"))
    }

    @Test("Platforms speak in their own voice", arguments: [ContentPlatform.xiaohongshu, .bilibili, .kuaishou, .wechatChannels])
    func voices(platform: ContentPlatform) {
        let plain = Set(TitleTemplates.titles(for: .sample(platform: .douyin, count: 20), seed: 4).map(\.text))
        let spoken = Set(TitleTemplates.titles(for: .sample(platform: platform, count: 20), seed: 4).map(\.text))
        #expect(!spoken.subtracting(plain).isEmpty)
    }

    @Test("The library: unique ids, every formula, nothing that the law or the machine's habits forbid")
    func library() {
        let ids = TitlePatternLibrary.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(Set(TitlePatternLibrary.all.map(\.formula)) == Set(TitleFormula.allCases))
        #expect(TitlePatternLibrary.short.count >= 24)
        #expect(TitlePatternLibrary.withoutKeyWord.filter { $0.text.replacing("{n}", with: "3").count <= 5 }.count >= 24)
        for pattern in TitlePatternLibrary.all {
            for platform in ContentPlatform.allCases {
                for wording in pattern.wordings(on: platform) {
                    #expect(
                        Compliance(platform: platform).allows(wording),
                        "\(pattern.id): \(Compliance(platform: platform).blocks(wording))")
                    let filled = TitleWording(wording).filled { _ in "词" }
                    #expect(filled?.contains { $0 == "{" || $0 == "}" } == false, "\(pattern.id)")
                }
            }
        }
    }

    private func checkInvariants(_ answer: [TitleTemplates.Title], _ brief: TitleBrief, _ topic: String) {
        let name = topic.prefix(20)
        #expect(answer.count == brief.count, "\(name): \(answer.count) of \(brief.count) at \(brief.maxLength)")
        #expect(Set(answer.map(\.patternId)).count == answer.count, "\(name): a pattern twice")
        #expect(Set(answer.map(\.text)).count == answer.count, "\(name): a title twice")
        for title in answer {
            #expect(title.text.count <= brief.maxLength, "\(title.text) is too long")
            #expect(title.text.count >= 2)
            #expect(brief.compliance.allows(title.text), "\(title.text): \(brief.compliance.blocks(title.text))")
            for hole in ["“”", "，，", "  ", "，。", "：？"] { #expect(!title.text.contains(hole), "\(title.text) has a hole") }
            if !topic.contains("{") { #expect(!title.text.contains("{"), "\(title.text) has a slot") }
        }
    }
}
