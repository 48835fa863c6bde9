import DTO
import Testing

@testable import AgentCenter

@Suite("Compliance: the list")
struct ComplianceListTests {
    private func words(_ text: String, on platform: ContentPlatform? = nil, banned: [String] = []) -> [String] {
        Compliance(platform: platform, bannedWords: WordFinder(words: banned)).blocks(text).map(\.word)
    }

    @Test(
        "Finds violations",
        arguments: [
            ("全城最好的火锅", "最"), ("销量第一", "第一"), ("国家级品质", "国家级"), ("100%有效", "100%"), ("１００％正品", "100%"),
            ("绝对不踩雷", "绝对"), ("顶 级 享受", "顶级"), ("最​好用", "最"), ("根治脱发", "根治"), ("稳赚不赔的副业", "稳赚"), ("包过班", "包过"),
            ("行业唯一", "唯一"), ("全国第一次会议上评为第一品牌", "第一"), ("no.1 选择", "NO.1"), ("最近最火的店", "最"), ("跳楼价甩卖", "跳楼价"),
            ("七天变白不是梦", "七天变白"), ("买了就保录取", "保录取"), ("喝酒养生的秘密", "喝酒养生"), ("升值潜力无限的好房", "升值潜力无限"), ("开光手串", "开光"),
            ("绝对值得入手", "绝对"), ("绝 对 值 得入手", "绝对"), ("全国第一口碑品牌", "第一"), ("行业第一集团", "第一"), ("全城第一口腔诊所", "第一"),
            ("华东第一批发市场", "第一"), ("第一代言人", "第一"), ("全国首家庭院餐厅", "首家"), ("万能胶囊咖啡机", "万能"), ("这张卡全网通用", "全网"),
            ("求绝对值，绝对值得一学", "绝对"), ("我们是第一集团，也是老店", "第一"), ("华南第一集成商", "第一"), ("全国第一口红品牌", "第一"),
            ("西北第一轮胎品牌", "第一"), ("本市第一眼科医院", "第一"),
            ("國家級品質", "国家级"), ("国家级產品", "国家级"), ("全城獨家", "独家"), ("頂級享受", "顶级"), ("世界級水準", "世界级"), ("治療糖尿病", "治疗糖尿病"),
            ("穩賺不賠的副業", "稳赚不赔"), ("裏外煥膚如初", "焕肤如初"), ("我们是第1名", "第1"), ("排名第 1", "第1"), ("销量第１", "第1"), ("全国第1口碑品牌", "第1"),
            ("No1 之选", "NO1"), ("Ｎｏ１之选", "NO1"), ("NO. 1 之选", "NO. 1"), ("№1 之选", "№1"), ("top 1 好物", "TOP 1"), ("免检产品", "免检"),
        ])
    func violations(text: String, word: String) {
        #expect(words(text).contains(word))
    }

    @Test(
        "Leaves alone what is no claim",
        arguments: [
            "第一次露营要带什么", "最近在看的书", "一般人都能学会", "我的第一杯咖啡", "最后三天", "第一时间通知你", "国家级非遗走进校园",
            "100%纯棉四件套", "绝对值的计算", "避免绝对化用语", "被这部电影治愈系画面打动", "影视特效怎么做", "历史上的今天", "最佳食用期", "周末TOP10清单", "升国旗的早晨", "快递转运中心",
            "吃第一口味道就惊艳", "第一口红烧肉", "第一集成功出圈", "陆军第一集团军", "第一批发货的朋友", "第一节能学到什么", "第一代理想汽车", "第一天然后呢", "绝对值的和",
            "全网通用户看过来", "第一集成为收视冠军", "第一集团宠小公主", "第一集散场后", "杂志第一期刊登了", "看第一眼科技感十足", "喝第一口红牛", "喝第一口红枣茶",
            "喝第一口味噌汤", "第一轮胎心监护", "第一代购买者",
            "第1次露营", "第1步先洗手", "第10名", "第１２届", "喝第1口味道就惊艳", "排名第 15", "No12 展位", "NO. 10 展位", "周末TOP 10清单", "nano1 耳机", "車輛免檢標誌",
            "避免检查遗漏", "歷史上的今天", "國家級非遺走進校園",
            "打开光线更好的那扇窗", "大家相互关心", "国宴大厨教你做狮子头",
        ])
    func exceptions(text: String) {
        #expect(words(text).isEmpty, "\(words(text))")
    }

    @Test("Every entry is found, alone and inside a sentence, on the platforms it is for")
    func everyEntry() {
        for entry in ComplianceList.all {
            for platform in ContentPlatform.allCases {
                let wanted = entry.platforms?.contains(platform) ?? true
                for text in [entry.word, "今天聊聊" + entry.word.uppercased() + "这件事"] {
                    let found = Compliance(platform: platform).check(text).contains { $0.word == entry.word }
                    #expect(found == wanted, "\(entry.word) on \(platform)")
                }
            }
        }
    }

    @Test("Every exception holds its word and is not found, alone and inside a sentence")
    func everyException() {
        for entry in ComplianceList.all {
            for exception in entry.exceptions {
                #expect(exception.contains(entry.word), "\(entry.word): \(exception)")
                for text in [exception, "今天聊聊" + exception + "这件事", exception.map(String.init).joined(separator: " ")] {
                    let found = Compliance(platform: entry.platforms?.first ?? .douyin).check(text)
                    #expect(!found.contains { $0.word == entry.word }, "\(entry.word) in \(text)")
                }
            }
        }
    }

    @Test("Every expression that only looks like an exception is found, alone and inside a sentence")
    func everyViolation() {
        for entry in ComplianceList.all {
            for violation in entry.violations {
                #expect(entry.exceptions.contains { violation.contains($0) && violation != $0 }, "\(entry.word): \(violation)")
                for text in [violation, "今天聊聊" + violation + "这件事", violation.map(String.init).joined(separator: " ")] {
                    let found = Compliance(platform: entry.platforms?.first ?? .douyin).check(text)
                    #expect(found.contains { $0.word == entry.word }, "\(entry.word) in \(text)")
                }
            }
        }
    }

    @Test("The data: hundreds of words, each once, with source; every category but the callers'; substitutes are clean")
    func data() {
        let list = ComplianceList.all
        #expect(list.count >= 500)
        #expect(Set(list.map(\.category)) == Set(ComplianceWord.Category.allCases).subtracting([.banned]))
        for (word, entries) in Dictionary(grouping: list, by: \.word) {
            let everywhere = entries.contains { $0.platforms == nil }
            #expect(entries.count == 1 || !everywhere, "\(word) stands \(entries.count) times")
        }
        for entry in list {
            #expect(!entry.source.isEmpty)
            guard let substitute = entry.substitute else { continue }
            #expect(entry.severity == .block)
            for platform in ContentPlatform.allCases {
                #expect(Compliance(platform: platform).allows(substitute), "\(entry.word) → \(substitute)")
            }
        }
    }

    @Test("Platform bans hold on their platforms only")
    func platforms() {
        #expect(words("想要的加微信", on: .douyin) == ["加微信"])
        #expect(words("想要的加微信", on: .xiaohongshu) == ["加微信"])
        #expect(words("想要的加微信", on: .wechatChannels).isEmpty)
        #expect(words("想要的加微信").isEmpty)
        #expect(words("扫码进群", on: .douyin) == ["进群"])
        #expect(words("走进群山，融入群体，增加群众", on: .douyin).isEmpty)
        #expect(words("集赞领礼品", on: .wechatChannels) == ["集赞领"])
        #expect(words("集赞领礼品", on: .douyin).isEmpty)
    }

    @Test("A warning does not forbid")
    func warnings() {
        let compliance = Compliance(platform: .douyin)
        #expect(compliance.allows("这支面霜主打美白"))
        let findings = compliance.check("这支面霜主打美白")
        #expect(findings.map(\.word) == ["美白"])
        #expect(findings.map(\.severity) == [.warn])
        #expect(findings.map(\.range) == [6..<8])
    }
}

@Suite("Compliance: what and where")
struct ComplianceFindingTests {
    private let compliance = Compliance(platform: .douyin, bannedWords: WordFinder(words: ["友商", "便宜货", "便宜"]))

    @Test(
        "Ranges count graphemes of the text as it was given",
        arguments: [
            ("最好", ["最": 0..<1]), ("👨‍👩‍👧‍👦最好", ["最": 1..<2]), ("这是顶 级享受", ["顶级": 2..<5]), ("e\u{301}友\u{200B}商", ["友商": 1..<4]),
            ("比友商好", ["友商": 1..<3]), ("ＮＯ．１店", ["NO.1": 0..<4]), ("\r\n最好", ["最": 1..<2]),
            ("👨‍👩‍👧‍👦頂\u{200B}級享受", ["顶级": 1..<4]), ("排名第 １", ["第1": 2..<5]),
        ] as [(String, [String: Range<Int>])])
    func ranges(text: String, expected: [String: Range<Int>]) {
        let found = Dictionary(compliance.check(text).map { ($0.word, $0.range) }, uniquingKeysWith: { first, _ in first })
        #expect(found == expected)
    }

    @Test("Words inside words are all found; a person is told the outermost")
    func overlapping() {
        let findings = compliance.check("全网最低的便宜货")
        #expect(findings.map(\.word) == ["全网最低", "全网", "最", "便宜货", "便宜"])
        #expect(Compliance.outermost(findings).map(\.word) == ["全网最低", "便宜货"])
        // A warning does not hide a block that lies inside it.
        let both = compliance.check("保证有效率")
        #expect(Set(Compliance.outermost(both).map(\.word)) == ["保证有效", "有效率"])
    }

    @Test("A substitute adds no claim; where nothing else would be left there is none")
    func substitutes() {
        #expect(compliance.mended("史上最低")?.text == "很低")
        #expect(compliance.mended("国内首款折叠伞")?.text == "国内一款折叠伞")
        #expect(compliance.mended("史上！") == nil)
    }

    @Test("Every traditional character has one simplified one, which has no other")
    func simplified() {
        let table = SimplifiedCharacters.table
        let pairs = SimplifiedCharacters.range.filter { table[Int($0 - SimplifiedCharacters.range.lowerBound)] != UInt16($0) }
        #expect(pairs.count > 2_800)
        for code in pairs {
            let simplified = UInt32(table[Int(code - SimplifiedCharacters.range.lowerBound)])
            #expect(SimplifiedCharacters.range.contains(simplified))
            #expect(table[Int(simplified - SimplifiedCharacters.range.lowerBound)] == UInt16(simplified), "\(code)")
        }
    }

    @Test("The same word twice is two findings")
    func twice() {
        #expect(compliance.check("最好最大").map(\.range) == [0..<1, 2..<3])
    }

    @Test("Substitutes: only where every forbidden word has one, and the result is checked again")
    func mended() {
        #expect(compliance.mended("顶级面料，绝对舒服")?.text == "优质面料，确实舒服")
        #expect(compliance.mended("顶级面料，绝对舒服")?.replaced.map(\.word) == ["顶级", "绝对"])
        #expect(compliance.mended("顶级面料，根治脱发") == nil)
        #expect(compliance.mended("普通面料") == nil)
        #expect(compliance.mended("友商的面料") == nil)
        // 「很」 is banned here, so replacing would break another rule.
        #expect(Compliance(platform: .douyin, bannedWords: WordFinder(words: ["很"])).mended("最好") == nil)
    }

    @Test("A tenant's list is built once and kept by tenant and content; the longest unused goes first")
    func cache() {
        let lists = BannedWordLists(capacity: 2)
        let words = (0..<10_000).map { "词\($0)号" }
        let finder = lists.finder(for: words, of: TestTenants.one)
        #expect(finder.words(in: "这里有词7号和词９９９９号") == ["词7号", "词9999号"])
        _ = lists.finder(for: words, of: TestTenants.one)
        #expect(lists.count == 1)
        _ = lists.finder(for: words, of: TestTenants.two)
        #expect(lists.count == 2)
        #expect(lists.finder(for: words.reversed(), of: TestTenants.one).words(in: "词3号") == ["词3号"])
        #expect(lists.count == 2)
        // Short lists push no long one out.
        for word in ["短", "表", "甲", "短"] {
            #expect(lists.finder(for: [word, "同"], of: TestTenants.one).words(in: "短表甲，相同") == [word, "同"])
        }
        #expect(lists.finder(for: [], of: TestTenants.one).isEmpty)
        #expect(lists.count == 2)
        // A changed list is another list.
        #expect(lists.finder(for: Array(words.dropLast()) + ["新词"], of: TestTenants.two).words(in: "新词") == ["新词"])
    }
}
