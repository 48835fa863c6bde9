import HTTPCore
import Testing

@Suite struct CharacterCountTests {
    @Test(arguments: [
        ("", 0), ("防晒霜 SPF50+，不闷！", 14), ("a\r\nb\n", 4), ("👨‍👩‍👧‍👦👍🏽", 2), ("e\u{301}", 1), ("🇨🇳🇫🇷", 2),
        ("\u{1112}\u{1161}\u{11AB}한글", 3), ("क्षि", 1), ("1️⃣か\u{3099}", 2),
    ])
    func countsWhatPeopleSee(text: String, count: Int) {
        #expect(text.characterCount == count)
    }

    /// What joins its neighbours, and what is often beside it.
    private static let pieces = [
        "防", "晒", "霜", "a", "é", "ß", "Ω", "Я", "1", " ", "，", "“", "〰", "𠀀", "\n", "\r", "\r\n", "\t",
        "e\u{301}", "\u{301}", "\u{483}", "\u{302A}", "か", "\u{3099}", "ﾞ", "\u{AD}", "\u{200B}", "\u{200D}", "\u{FE0F}",
        "\u{600}",
        "👨", "👩‍👧", "❤️‍🔥", "🔥", "👍🏽", "\u{1F3FD}", "🇨", "🇳", "🏴\u{E0067}\u{E007F}", "#\u{20E3}",
        "\u{1100}", "\u{1161}", "\u{11A8}", "가", "각", "क", "\u{94D}", "ष", "ि", "กำ",
    ]

    @Test func countsAnyTextAsCountDoes() {
        var state: UInt64 = 1
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let texts = (0..<2_000).map { _ in (0..<below(8)).map { _ in Self.pieces[below(Self.pieces.count)] }.joined() }
        let miscounted = texts.filter { $0.characterCount != $0.count }
        #expect(miscounted.map { $0.unicodeScalars.map(\.value) } == [])
    }

    /// Of whatever stands alone any two make two characters, which shows in one text that has each of them beside several others.
    @Test func whatStandsAloneJoinsNothing() {
        let alone = (0...0x323AF as ClosedRange<UInt32>).filter { value in
            Unicode.Scalar(value).map { String($0).hasOneScalarPerCharacter } ?? false
        }
        #expect(alone.count > 60_000)
        // Beside itself, 中, 가, 🔥 and a line feed.
        let row = alone + alone.flatMap { [$0, $0, 0x4E2D, $0, 0xAC00, $0, 0x1F525, $0, 0x0A] }
        #expect(String(decoding: row, as: UTF32.self).count == row.count)
    }
}
