import DTO

/// Prints what it costs to hold a text against the lists, with and without a tenant's 11,000 words, and beside it a search word by word.
@main
enum ComplianceBench {
    static let sentences = [
        "夏季通勤防晒很容易漏掉耳后和脖子，出门前十五分钟涂好，补涂也别忘记。", "先把自己的需求写下来，分成必须有和可以没有，再看预算。",
        "SmartSun SPF50+ 的质地比较清爽，油皮用着也不闷。", "多看真实的使用场景，少看夸张的描述，遇到拿不准的地方先放一天。", "最近总有人问我，索性一次说明白，第一步先看成分表。",
        "把步骤拆开，一次只做好一件事，做完再回头检查。",
    ]

    /// Words of two to five ordinary characters, as tenants list them.
    static func word(_ index: Int) -> String {
        var word = ""
        for place in 0..<2 + index % 4 {
            let value = 0x4E00 + (index * 7_919 + place * 104_729) % 20_000
            if let scalar = Unicode.Scalar(UInt32(value)) { word.unicodeScalars.append(scalar) }
        }
        return word
    }

    static func main() {
        let text = String(repeating: sentences.joined(separator: "\n"), count: 20)
        let characters = text.count
        let words = (0..<11_000).map(word)
        let clock = ContinuousClock()
        func nanoseconds(_ rounds: Int, _ body: () -> Int) -> (each: Double, found: Int) {
            var found = body()
            let spent = clock.measure { for _ in 0..<rounds { found = body() } }
            let (seconds, attoseconds) = spent.components
            return ((Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(rounds), found)
        }
        func show(_ name: String, _ result: (each: Double, found: Int), per count: Int) {
            let each = (result.each / Double(count) * 10).rounded() / 10
            print("\(name): \(each) ns per character, \(Int(result.each / 1_000)) us per text, \(result.found) found")
        }
        print("a text of \(characters) characters, \(ComplianceList.all.count) listed words")
        let listed = Compliance(platform: .douyin)
        show("listed words", nanoseconds(200) { listed.check(text).count }, per: characters)
        let built = nanoseconds(5) { WordFinder(words: words).entries.count }
        print("automaton of 11,000 words: built in \(Int(built.each / 1_000_000)) ms, once per list")
        let all = Compliance(platform: .douyin, bannedWords: WordFinder(words: words))
        show("listed and 11,000 words", nanoseconds(200) { all.check(text).count }, per: characters)
        let oneByOne = nanoseconds(1) { (words + ComplianceList.all.map(\.word)).count { text.contains($0) } }
        show("the same, word by word", oneByOne, per: characters)
    }
}
