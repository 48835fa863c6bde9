import TestSupport
import Testing

@testable import ContentCenter

@Suite(.apartFromThePool) struct TextFingerprintTests {
    private let text = "夏天通勤最怕晒黑，其实防晒只要三步：先涂防晒霜，再戴一顶大檐帽，最后别忘了每两小时补涂一次。iPhone15 手机壳也别暴晒。"

    @Test func charactersAndWordsAreTokens() {
        let tokens = TokenizedText("ｉＰｈｏｎｅ15手机壳，OK！").tokens.map(\.text)
        #expect(tokens == ["iphone15", "手", "机", "壳", "ok"])
    }

    @Test func punctuationCaseAndWidthMakeNoDifference() {
        let other = TokenizedText(text.filter { !"，：。 ".contains($0) }.uppercased())
        #expect(SharedPassages.share(of: TokenizedText(text), in: other) == 1)
        #expect(TextFingerprint(TokenizedText(text)) == TextFingerprint(other))
    }

    /// Stored values must not change from one build to the next.
    @Test func hashesAreStable() {
        #expect(StableHash.of("") == StableHash.mixed(0xCBF2_9CE4_8422_2325))
        #expect(StableHash.of("a") == StableHash.mixed(0xAF63_DC4C_8601_EC8C))
        #expect(StableHash.mixed(0) == 0xE220_A839_7B1D_CDAF)
    }

    @Test func estimatesWhatIsShared() throws {
        let halves = ["甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒", "日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜"]
        let (one, two) = (TokenizedText(text + halves[0]), TokenizedText(text + halves[1]))
        let (mine, theirs) = (Set(one.shingles), Set(two.shingles))
        let exact = Double(mine.intersection(theirs).count) / Double(mine.union(theirs).count)
        let estimate = try #require(TextFingerprint(one)).resemblance(to: try #require(TextFingerprint(two)))
        #expect(abs(estimate - exact) < 0.2)
        #expect(!Set(try #require(TextFingerprint(one)).bands).isDisjoint(with: try #require(TextFingerprint(two)).bands))
    }

    /// Wherever it stands, and whatever stands around it.
    @Test func whoeverSharesAPassageSharesAMark() throws {
        let characters = (0..<3_000).compactMap { Unicode.Scalar(0x4E00 + UInt32($0) * 7 % 20_000).map { String(Character($0)) } }
        for start in stride(from: 100, to: 2_900, by: 53) {
            let passage = characters[start..<start + TextFingerprint.surePassage].joined()
            let one = try #require(TextFingerprint(TokenizedText(characters[..<(start / 2)].reversed().joined() + passage)))
            let long = try #require(TextFingerprint(TokenizedText(characters.joined())))
            #expect(!one.marks.isDisjoint(with: long.marks), "\(start)")
            #expect(!Set(one.wanted).isDisjoint(with: long.bands), "\(start)")
        }
    }

    @Test func textsOnOtherThingsShareNothing() throws {
        let other = TokenizedText("猫砂盆这样选，家里再没味道：一看大小，二看高低，三看是不是好清洗。")
        #expect(SharedPassages.share(of: TokenizedText(text), in: other) == 0)
        #expect(SharedPassages.passages(of: TokenizedText(text), in: other).isEmpty)
        let bands = Set(try #require(TextFingerprint(TokenizedText(text))).bands)
        #expect(bands.isDisjoint(with: try #require(TextFingerprint(other)).bands))
    }

    @Test func showsThePassagesAsEachWritesThem() {
        let other = TokenizedText("有人说，防晒只要三步——先涂防晒霜 再戴一顶大檐帽！别的都不重要。")
        let passages = SharedPassages.passages(of: TokenizedText(text), in: other)
        #expect(passages.map(\.text) == ["防晒只要三步：先涂防晒霜，再戴一顶大檐帽"])
        #expect(passages.map(\.otherText) == ["防晒只要三步——先涂防晒霜 再戴一顶大檐帽"])
    }

    @Test func aTextWithoutWordsHasNoFingerprint() {
        #expect(TextFingerprint(TokenizedText("！？ 😀")) == nil)
        #expect(TextFingerprint(TokenizedText("好"))?.values.count == TextFingerprint.count)
    }

    @Test func repeatedTextsEnd() {
        let many = TokenizedText(String(repeating: "买一送一", count: 2_000))
        let passages = SharedPassages.passages(of: many, in: many)
        #expect(!passages.isEmpty)
        #expect(SharedPassages.share(of: many, in: many) == 1)
    }
}
