import DTO
import Testing

@testable import ContentCenter

@Suite struct SearchTokensTests {
    private func tokens(titles: [String] = [], lines: [String] = []) -> Set<String> {
        Set(SearchTokens.tokens(titles: titles, lines: lines).texts)
    }

    @Test func chineseFallsIntoNeighboursAndCharacters() {
        #expect(tokens(lines: ["防晒霜"]) == ["防", "晒", "霜", "防晒", "晒霜"])
    }

    @Test func areOneTextToo() {
        let tokens = SearchTokens.tokens(titles: ["iPhone15手机壳"], lines: ["internationalisation 🔥"])
        let parts = tokens.joined(with: ["label"], separator: "|").split(separator: "|").map(String.init)
        #expect(parts.sorted() == (tokens.texts + ["label"]).sorted())
        #expect(TokenSet().joined(separator: "|").isEmpty)
    }

    @Test func mixedTextFallsApartWhereTheSortChanges() {
        let runs = SearchTokens.runs("iPhone15手机壳 🔥新品")
        #expect(runs.map(\.text) == ["iphone", "15", "手机壳", "🔥", "新品"])
        #expect(runs.map(\.start) == [0, 6, 8, 12, 13])
    }

    @Test(arguments: [
        ("ＳＰＦ５０＋", ["spf", "50"]), ("Lancôme", ["lancome"]), ("#油皮防晒#", ["油皮防晒"]), ("👨‍👩‍👧买", ["👨", "买"]),
        ("繁體", ["繁體"]), ("カメラ 한글", ["カメラ", "한글"]), ("a.b-c_d", ["a", "b", "c", "d"]), ("…，。！", []), ("", []),
        ("İstanbul", ["istanbul"]), ("e\u{301}te\u{301}", ["ete"]),
    ])
    func foldsWhatMakesNoDifference(text: String, runs: [String]) {
        #expect(SearchTokens.runs(text).map(\.text) == runs)
    }

    @Test func wordsHaveTheirBeginnings() {
        #expect(tokens(lines: ["SPF 50"]) == ["spf", "p:s", "p:sp", "p:spf", "50", "p:5", "p:50"])
    }

    @Test func titlesAreMarkedAndHaveInitials() {
        let tokens = tokens(titles: ["防晒霜"], lines: ["油皮"])
        #expect(tokens.isSuperset(of: ["防晒", "t:防晒", "i:fs", "i:ss", "t:i:fs", "油皮"]))
        #expect(!tokens.contains("t:油皮"))
        #expect(!tokens.contains("i:yp"))
    }

    @Test(arguments: [("中国", "zg"), ("抖音", "dy"), ("重庆", "zq"), ("女装", "nz"), ("绿茶", "lc"), ("爱用", "ay")])
    func initialsAreThoseOfTheCommonestReading(word: String, initials: String) {
        #expect(String(word.unicodeScalars.compactMap(PinyinInitials.initial)) == initials)
    }

    @Test(arguments: [
        ("银行理财", "yhlc"), ("会计入门", "kjrm"), ("长沙美食", "csms"), ("重庆火锅", "cqhg"), ("重复购买", "cfgm"), ("行业报告", "hybg"),
        ("厦门旅行", "xmlx"),
        ("音乐节穿搭", "yyjcd"), ("音乐节穿搭", "yljcd"), ("重庆火锅", "zqhg"), ("调音", "ty"), ("长大", "zd"),
    ])
    func aPolyphoneStandsUnderEachOfItsReadings(title: String, typed: String) {
        let asked = SearchQuery(typed).tokens(knowing: [:]).tokens
        #expect(tokens(titles: [title]).isSuperset(of: asked))
        let marked = Highlighter(tokens: Set(asked)).parts(of: title).filter(\.isMatch).map(\.text).joined()
        #expect(marked.count == typed.count, "\(marked)")
    }

    @Test func theCommonestReadingComesFirstAndEachOnce() {
        for value in 0x4E00...0x9FFF as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let initials = PinyinInitials.initials(of: scalar)
            #expect(initials.first == PinyinInitials.initial(of: scalar))
            #expect(Set(initials).count == initials.count)
        }
        #expect(PinyinInitials.initials(of: "重") == ["z", "c"])
    }

    @Test func initialsKnowTheWholeBlockAndNothingElse() throws {
        let known = (0x4E00...0x9FFF).compactMap { Unicode.Scalar(UInt32($0)) }.compactMap(PinyinInitials.initial)
        #expect(known.count > 20_800)
        #expect(known.allSatisfy { ("a"..."z").contains($0) })
        #expect(PinyinInitials.initial(of: "a") == nil)
        #expect(PinyinInitials.initial(of: "ア") == nil)
    }

    /// Nothing that a person can type is too much or breaks a rule.
    @Test func anyTextHasTokensOfBoundedLength() {
        let long = String(repeating: "a", count: 10_000) + String(repeating: "e\u{301}\u{302}", count: 100)
        for token in tokens(titles: [long], lines: [long, "\u{0}\u{FFFF}\u{10FFFF}"]) {
            #expect(token.count <= SearchTokens.wordLength + 2)
        }
    }

    /// The rule, a string at a time.
    private func plainTokens(titles: [String], lines: [String]) -> Set<String> {
        func tokens(_ text: String) -> [String] {
            SearchTokens.runs(Array(text)).flatMap { run in
                let beginnings = (1...min(SearchTokens.prefixLength, run.scalars.count)).map { "p:" + run.text.prefix($0) }
                return switch run.sort {
                case .chinese: run.text.map { String($0) } + run.pairs
                case .letters, .digits: [run.word] + beginnings
                case .emoji: [run.text]
                }
            }
        }
        let initials = titles.flatMap { SearchTokens.runs(Array($0)) }.filter { $0.sort == .chinese }.flatMap { run in
            run.initialPairs.joined().map { "i:" + $0 }
        }
        let titled = titles.flatMap(tokens) + initials
        return Set(lines.flatMap(tokens) + titled + titled.map { "t:" + $0 })
    }

    @Test func anyTextHasTheTokensOfThePlainRule() {
        let pieces = [
            "防晒", "霜", "油皮", "𠀀", "𪜶", "あ", "カ", "한글", "〇", "々", "a", "SPF", "Lancôme", "supercalifragilisticexpialidocious", "Ω",
            "Я", "ß", "50", "１２",
            "🔥", "👨‍👩‍👧", "🇨🇳", "e\u{301}", "か\u{3099}", "，", "。", "\u{3000}", " ", "\n", "\r\n", "-", "\u{0}", "क्षि",
        ]
        var dice = Dice(seed: 5)
        func text() -> String { (0..<dice.below(9)).map { _ in dice.pick(pieces) }.joined() }
        for _ in 0..<200 {
            let (titles, lines) = ([text(), text()], [text(), text()])
            #expect(tokens(titles: titles, lines: lines) == plainTokens(titles: titles, lines: lines), "\(titles) \(lines)")
        }
    }

    @Test func textsAndTheirCharactersHaveTheSameRuns() {
        for text in ["", "防晒霜 SPF50＋🔥", "防晒\r\n霜", "👨‍👩‍👧买", "か\u{3099}あ", "\u{301}é", "क्षि"] {
            #expect(SearchTokens.runs(text) == SearchTokens.runs(Array(text)))
        }
    }

    @Test func eachTokenIsThereOnce() {
        let texts = SearchTokens.tokens(titles: ["防晒防晒 SPF spf"], lines: ["防晒SPF", "防晒防晒"]).texts
        #expect(Set(texts).count == texts.count)
    }

    @Test func chineseHasNoOtherCase() {
        let scalars = (0x2E80...0xA48F as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init).filter { $0 != "\u{3000}" }
        #expect(scalars.map(SearchTokens.fold) == scalars.compactMap(\.properties.lowercaseMapping.unicodeScalars.first))
    }
}

@Suite struct SearchQueryTests {
    private func tokens(_ text: String, _ vocabulary: [String: SearchQuery.Known] = [:]) -> [String] {
        SearchQuery(text).tokens(knowing: vocabulary).tokens
    }

    @Test func chineseAsksForNeighboursOnly() {
        #expect(tokens("油皮防晒") == ["油皮", "皮防", "防晒"])
        #expect(tokens("猫") == ["猫"])
    }

    @Test func theLastWordMayBeABeginning() {
        let vocabulary = ["iphone": SearchQuery.Known(isWord: true, isBeginning: true), "ca": .init(isBeginning: true)]
        #expect(tokens("iPhone 手机壳 ca", vocabulary) == ["iphone", "手机", "机壳", "p:ca"])
        #expect(tokens("iphone15") == ["i:ip", "i:ph", "i:ho", "i:on", "i:ne", "p:15"])
        #expect(tokens("iphone ", vocabulary) == ["iphone"])
    }

    @Test func anUnknownWordIsTheNearestOneOrInitials() {
        let near = ["xioami": SearchQuery.Known(near: ["xiaomi", "xiami"])]
        let reading = SearchQuery("xioami 手机").tokens(knowing: near)
        #expect(reading.tokens == ["xiaomi", "手机"] && reading.required == [])
        #expect(reading.corrections == [SearchQuery.Correction(from: "xioami", to: "xiaomi")])
        #expect(tokens("fss") == ["i:fs", "i:ss"])
        #expect(tokens("abcdefghijk") == ["abcdefghijk"])
    }

    @Test func nothingButInitialsMustAllBeThere() {
        let shop = SearchQuery("shop").tokens(knowing: [:])
        #expect(shop.tokens == ["i:sh", "i:ho", "i:op"] && shop.required == shop.tokens)
        #expect(SearchQuery("shop 防晒").tokens(knowing: [:]).required == [])
        #expect(SearchQuery("shop").tokens(knowing: ["shop": .init(isWord: true)]).required == [])
        #expect(SearchQuery("shop 15").tokens(knowing: [:]).required == [])
    }

    @Test func quotesAskForTheWordsExactlySo() {
        let query = SearchQuery("“平价替代” 防晒 \"SPF 50\"")
        #expect(query.phrases == ["平价替代", "spf 50"])
        #expect(query.tokens(knowing: ["spf": .init(isWord: true)]).tokens == ["平价", "价替", "替代", "防晒", "spf", "50"])
        #expect(SearchQuery("\"half open").phrases.isEmpty)
    }

    @Test func nothingToLookForIsSaid() {
        for text in ["…", "，。", "\"\"", "+-*/"] { #expect(SearchQuery(text).isEmpty, "\(text)") }
    }

    @Test func queriesAreBounded() {
        let all = String((0..<100).compactMap { Unicode.Scalar(0x4E00 + UInt32($0)) }.map(Character.init))
        #expect(tokens(all).count == SearchQuery.most)
    }

    @Test(arguments: [
        ("xiaomi", "xiaomi", 0), ("xioami", "xiaomi", 1), ("xiaom", "xiaomi", 1), ("siaomi", "xiaomi", 1), ("abc", "cba", 2),
        ("", "ab", 2),
    ])
    func countsEdits(first: String, second: String, distance: Int) {
        #expect(SearchQuery.editDistance(first, second) == distance)
        #expect(SearchQuery.editDistance(second, first) == distance)
    }
}

@Suite struct HighlighterTests {
    private func shown(_ text: String, _ tokens: Set<String>) -> String {
        Highlighter(tokens: tokens).parts(of: text).map { $0.isMatch ? "[\($0.text)]" : $0.text }.joined()
    }

    @Test func marksWhatWasFound() {
        #expect(shown("油皮的防晒霜", ["油皮", "防晒", "晒霜"]) == "[油皮]的[防晒霜]")
        #expect(shown("iPhone15 手机壳", ["p:ip", "15"]) == "[iP]hone[15] 手机壳")
        #expect(shown("ＳＰＦ 50", ["spf"]) == "[ＳＰＦ] 50")
        #expect(shown("买防晒霜吧", ["i:fs", "i:ss"]) == "买[防晒霜]吧")
        #expect(shown("🔥新", ["🔥"]) == "[🔥]新")
        #expect(shown("<script>防晒</script>", ["防晒"]) == "<script>[防晒]</script>")
        #expect(shown("", ["防晒"]) == "")
    }

    @Test func partsAreTheText() {
        for text in ["油皮👨‍👩‍👧防晒e\u{301}", "a\r\nb", "防晒防晒"] {
            let parts = Highlighter(tokens: ["防晒", "油皮"]).parts(of: text)
            #expect(parts.map(\.text).joined() == text)
        }
    }

    @Test func theSnippetIsTheLineThatSaysMost() {
        let long = String(repeating: "无关", count: 100) + "油皮选防晒" + String(repeating: "其他", count: 100)
        let snippet = Highlighter(tokens: ["油皮", "防晒"]).snippet(of: ["防晒", long, "没有"])
        let text = snippet.map(\.text).joined()
        #expect(text.count == Highlighter.snippetLength)
        #expect(text.contains("油皮选防晒"))
        #expect(snippet.filter(\.isMatch).map(\.text) == ["油皮", "防晒"])
        #expect(Highlighter(tokens: ["防晒"]).snippet(of: ["没有"]).map(\.text) == ["没有"])
        #expect(Highlighter(tokens: ["防晒"]).snippet(of: []).isEmpty)
    }
}
