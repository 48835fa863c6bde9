import HTTPCore

/// How a text falls into what can be looked for: one rule for documents and queries. Full-width forms, case and the accents of Latin
/// letters make no difference; simplified and traditional characters do.
///
/// - Chinese (and kana, hangul): every two neighbours (`防晒霜` → `防晒`, `晒霜`), and each character alone.
/// - Letters and digits: whole words, a word ending where letters turn into digits (`iPhone15` → `iphone`, `15`), and their beginnings.
/// - Emoji: each alone.
/// - Chinese in titles: also the initials of every two neighbours' readings (`fs`, `ss`), in all their common ones.
///
/// Everything else only separates.
enum SearchTokens {
    /// Longer words are known by their beginning.
    static let wordLength = 40
    static let prefixLength = 10

    /// A stretch of one sort.
    struct Run: Equatable {
        enum Sort: Equatable { case chinese, letters, digits, emoji }

        var sort: Sort
        /// Folded, one for each character of the text.
        var scalars: ArraySlice<Unicode.Scalar>
        /// Where it begins, in characters of the text.
        var start: Int { scalars.startIndex }

        var text: String { Self.text(scalars) }

        static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            String(decoding: scalars.flatMap(\.utf8), as: UTF8.self)
        }

        /// A word, not longer than words are kept.
        var word: String { Self.text(scalars.prefix(SearchTokens.wordLength)) }

        /// Every two neighbours.
        var pairs: [String] { zip(scalars, scalars.dropFirst()).map { Self.text([$0, $1]) } }

        /// The initials of every two neighbours, of each reading of the one with each of the other: 银行 is `yx` and `yh`.
        var initialPairs: [[String]] {
            let initials = scalars.map(PinyinInitials.initials)
            return zip(initials, initials.dropFirst()).map { first, second in
                first.flatMap { first in second.map { "\(first)\($0)" } }
            }
        }
    }

    static func runs(_ text: String) -> [Run] { runs(folded: fold(text)) }

    static func runs(_ characters: [Character]) -> [Run] { runs(folded: fold(characters)) }

    private static func runs(folded scalars: [Unicode.Scalar]) -> [Run] {
        var runs: [Run] = []
        var start = 0
        while start < scalars.count {
            var end = start + 1
            if let sort = sort(of: scalars[start]) {
                while sort != .emoji, end < scalars.count, self.sort(of: scalars[end]) == sort { end += 1 }
                runs.append(Run(sort: sort, scalars: scalars[start..<end]))
            }
            start = end
        }
        return runs
    }

    /// What a document is found by: its tokens, and those of its titles once more as `t:…`.
    static func tokens(titles: [String], lines: [String]) -> TokenSet {
        var titled = TokenSet()
        for title in titles {
            for run in runs(title) {
                insert(run, into: &titled)
                guard run.sort == .chinese else { continue }
                for pair in run.initialPairs.joined() { titled.insert(pair.unicodeScalars, mark: initialsMark) }
            }
        }
        // Nearly two for each character of three bytes.
        var all = TokenSet(minimumCapacity: (titles + lines).reduce(0) { $0 + $1.utf8.count } / 2)
        for line in lines { for run in runs(line) { insert(run, into: &all) } }
        for token in titled.texts {
            all.insert(token.unicodeScalars)
            all.insert(token.unicodeScalars, mark: titleMark)
        }
        return all
    }

    private static func insert(_ run: Run, into tokens: inout TokenSet) {
        let scalars = run.scalars
        switch run.sort {
        case .chinese:
            for place in scalars.indices {
                tokens.insert(scalars[place...place])
                tokens.insert(scalars[place...].prefix(2))  // the last, which has no neighbour, alone again
            }
        case .letters, .digits:
            tokens.insert(scalars.prefix(wordLength))
            for length in 1...min(prefixLength, scalars.count) { tokens.insert(scalars.prefix(length), mark: prefixMark) }
        case .emoji: tokens.insert(scalars)
        }
    }

    /// The words of letters in a text, for what is nearly spelt so.
    static func words(in texts: [String]) -> Set<String> {
        Set(texts.flatMap { runs($0).filter { $0.sort == .letters && $0.scalars.count >= 2 }.map(\.word) })
    }

    static let titleMark = "t:"
    static let prefixMark = "p:"
    static let initialsMark = "i:"

    // MARK: Characters

    /// The text with everything folded that makes no difference, for looking for a phrase in it.
    static func folded(_ text: String) -> String { Run.text(fold(text)) }

    /// One for each character.
    private static func fold(_ text: String) -> [Unicode.Scalar] {
        text.hasOneScalarPerCharacter ? text.unicodeScalars.map(fold) : fold(Array(text))
    }

    private static func fold(_ characters: [Character]) -> [Unicode.Scalar] {
        characters.map { $0.unicodeScalars.first.map(fold) ?? " " }
    }

    /// - Parameter scalar: folded.
    private static func sort(of scalar: Unicode.Scalar) -> Run.Sort? {
        if isChinese(scalar) { return .chinese }
        if isASCII(scalar) {
            switch scalar.value {
            case 0x30...0x39: return .digits
            case 0x61...0x7A: return .letters
            default: return nil
            }
        }
        if scalar.properties.isEmojiPresentation || (0x1F000...0x1FAFF).contains(scalar.value) { return .emoji }
        return scalar.properties.isAlphabetic ? .letters : nil
    }

    private static func isASCII(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x80 }

    private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF, 0x3005, 0x3007: true
        case 0x3041...0x30FF, 0xAC00...0xD7AF: true
        default: false
        }
    }

    static func fold(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        // Nothing from the Chinese radicals to the last of Yi has another case, and 0x3000 is the only one with a narrow form.
        case 0x2E80..<0x3000, 0x3001...0xA48F: scalar
        case 0x41...0x5A: Unicode.Scalar(UInt8(scalar.value + 0x20))
        case 0..<0x80: scalar
        case 0xFF01...0xFF5E: Unicode.Scalar(scalar.value - 0xFEE0).map(fold) ?? scalar
        case 0x3000: " "
        case 0xC0...0xFF: latin1[Int(scalar.value - 0xC0)]
        default: scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
        }
    }

    /// U+00C0…U+00FF without accents.
    private static let latin1 = Array("aaaaaaaceeeeiiiidnooooo×ouuuuyþsaaaaaaaceeeeiiiidnooooo÷ouuuuyþy".unicodeScalars)
}
