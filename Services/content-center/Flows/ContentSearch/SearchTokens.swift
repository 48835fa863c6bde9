/// How a text falls into what can be looked for: one rule for documents and queries. Full-width forms, case and the accents of Latin
/// letters make no difference; simplified and traditional characters do.
///
/// - Chinese (and kana, hangul): every two neighbours (`防晒霜` → `防晒`, `晒霜`), and each character alone.
/// - Letters and digits: whole words, a word ending where letters turn into digits (`iPhone15` → `iphone`, `15`), and their beginnings.
/// - Emoji: each alone.
/// - Chinese in titles: also the initials of every two neighbours' readings (`fs`, `ss`).
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
        var scalars: [Unicode.Scalar]
        /// Where it begins, in characters of the text.
        var start: Int

        var text: String { Self.text(scalars) }

        static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return String(text)
        }

        /// A word, not longer than words are kept.
        var word: String { Self.text(scalars.prefix(SearchTokens.wordLength)) }

        /// Every two neighbours.
        var pairs: [String] { zip(scalars, scalars.dropFirst()).map { Self.text([$0, $1]) } }

        /// The initials of every two neighbours, where both have one.
        var initialPairs: [String?] {
            zip(scalars, scalars.dropFirst()).map { first, second in
                guard let first = PinyinInitials.initial(of: first), let second = PinyinInitials.initial(of: second) else {
                    return nil
                }
                return "\(first)\(second)"
            }
        }
    }

    static func runs(_ text: some Sequence<Character>) -> [Run] {
        var runs: [Run] = []
        var isOpen = false
        for (index, character) in text.enumerated() {
            guard let (sort, scalar) = classify(character) else {
                isOpen = false
                continue
            }
            if isOpen, sort != .emoji, runs[runs.count - 1].sort == sort {
                runs[runs.count - 1].scalars.append(scalar)
            } else {
                runs.append(Run(sort: sort, scalars: [scalar], start: index))
            }
            isOpen = true
        }
        return runs
    }

    /// What a document is found by: its tokens, and those of its titles once more as `t:…`.
    static func tokens(titles: [String], lines: [String]) -> Set<String> {
        var all: Set<String> = []
        var titled: Set<String> = []
        for line in lines { insert(line, into: &all) }
        for title in titles {
            insert(title, into: &titled)
            for run in runs(title) where run.sort == .chinese {
                for pair in run.initialPairs { if let pair { titled.insert(initialsMark + pair) } }
            }
        }
        all.formUnion(titled)
        for token in titled { all.insert(titleMark + token) }
        return all
    }

    private static func insert(_ text: String, into tokens: inout Set<String>) {
        for run in runs(text) {
            switch run.sort {
            case .chinese:
                for scalar in run.scalars { tokens.insert(String(Character(scalar))) }
                tokens.formUnion(run.pairs)
            case .letters, .digits:
                tokens.insert(run.word)
                for length in 1...min(prefixLength, run.scalars.count) {
                    tokens.insert(prefixMark + Run.text(run.scalars.prefix(length)))
                }
            case .emoji: tokens.insert(run.text)
            }
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
    static func folded(_ text: String) -> String {
        Run.text(text.map { $0.unicodeScalars.first.map(fold) ?? " " })
    }

    private static func classify(_ character: Character) -> (Run.Sort, Unicode.Scalar)? {
        guard let first = character.unicodeScalars.first else { return nil }
        let scalar = fold(first)
        if isASCII(scalar) {
            switch scalar.value {
            case 0x30...0x39: return (.digits, scalar)
            case 0x61...0x7A: return (.letters, scalar)
            default: return nil
            }
        }
        if isChinese(scalar) { return (.chinese, scalar) }
        if scalar.properties.isEmojiPresentation || (0x1F000...0x1FAFF).contains(scalar.value) { return (.emoji, scalar) }
        return scalar.properties.isAlphabetic ? (.letters, scalar) : nil
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
