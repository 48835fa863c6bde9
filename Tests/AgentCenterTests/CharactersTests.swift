import Testing

@testable import AgentCenter

@Suite("Characters of a text, and its code points where they stand alone")
struct CharactersTests {
    private static let all = (0...0x1FFFF).compactMap { Unicode.Scalar($0 as UInt32) }

    @Test("A code point that stands alone is a character beside any other that does")
    func standsAlone() {
        let wrong = Self.all.filter(\.standsAlone).filter { scalar in
            ["a", "中", "，", "✨", "😀", "\n", String(scalar)].contains { other in
                (String(scalar) + other).count != 2 || (other + String(scalar)).count != 2
            }
        }
        #expect(wrong.isEmpty, "\(wrong)")
        for text in ["e\u{301}", "👍🏽", "❗️", "🇨🇳", "\r\n", "\u{F9D1}", "か\u{3099}", "ｶﾞ", "Å", "\u{37E}"] {
            #expect(text.lowercaseStandingAlone == nil, "\(text)")
        }
    }

    @Test("Code points say of themselves what characters say")
    func same() {
        let wrong = Self.all.filter { scalar in
            let character = Character(scalar)
            let isMark = !character.isPlainlyWord && (character.isPunctuation || character.isSymbol)
            let isAlphabetic = !character.isHan && (character.isLetter || character.isNumber)
            return scalar.isMark != isMark || scalar.isMarkOrBlank != (isMark || character.isWhitespace)
                || scalar.isAlphabetic != isAlphabetic || scalar.isDigit != character.isDigit
        }
        #expect(wrong.isEmpty, "\(wrong)")
        let inOtherCase = Self.all.filter(\.standsAlone).filter { scalar in
            var lowercase: [UInt32] = []
            scalar.appendLowercase(to: &lowercase)
            return lowercase != Character(scalar).lowercased().unicodeScalars.map(\.value)
        }
        #expect(inOtherCase.isEmpty, "\(inOtherCase)")
    }

    @Test("A title is read alike by its code points and by its characters")
    func outlines() {
        // A character that does not stand alone makes the whole title be read by characters; the mark behind it is one more of each.
        for title in [
            "夏季防晒霜怎么选？3个细节别忽略", "防晒防晒防晒防晒防晒", "防晒！！！", "ＡＰＰ和App，三步学会", "哈哈哈", "", "a", "两个 两个 两个", "100%有效",
            "HOW to choose sunscreen?", "✨📝",
        ] {
            let (plain, joined) = (TitleOutline(of: title), TitleOutline(of: title + "\u{2E3A}"))
            #expect(joined.length == plain.length + 1 && joined.marks == plain.marks + 1, "\(title)")
            #expect(joined.hasQuantity == plain.hasQuantity && joined.stutters == plain.stutters, "\(title)")
            #expect(joined.repeatedWord == plain.repeatedWord, "\(title)")
            #expect(plain.saysTheSame(as: joined) == (title.count { !$0.isMarkOrBlank } > 1), "\(title)")
        }
    }
}
