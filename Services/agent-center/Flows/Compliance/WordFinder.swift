/// Finds words of a list in a text, the way an editor would read them: letter case, full-width forms, traditional
/// characters, zero-width characters and, for words with Chinese characters, blanks between the characters make no difference.
///
/// Built once per list; a look-up walks the text once, however long the list is.
struct WordFinder: Sendable {
    struct Entry: Sendable {
        let word: String
        /// Longer expressions in which the word is harmless.
        let exceptions: [String]
        /// Longer ones still in which it is not: they begin like an exception and say something else. At any place the longest expression
        /// decides.
        var violations: [String] = []
    }

    /// One place where a word stands.
    struct Match: Sendable, Equatable {
        /// Index into the list that the finder was built from.
        let entry: Int
        /// Code points of the text, what stands between them (blanks, zero-width characters) included.
        let scalars: Range<Int>
    }

    /// What a pattern of ``compact`` stands for.
    private enum Meaning: Sendable {
        case word(Int)
        /// The word at these offsets inside a longer expression is harmless, or is not.
        case expression(of: Int, at: Range<Int>, isHarmless: Bool)
    }

    let entries: [String]
    /// Length of each word after folding, in code points.
    private var lengths: [Int] = []
    /// Words without Chinese characters, and which entries they are: found in the text with its blanks.
    private let plain: WordAutomaton
    private var plainEntries: [Int] = []
    /// Words with Chinese characters and all longer expressions: found in the text without its blanks.
    private let compact: WordAutomaton
    private var meanings: [Meaning] = []
    /// Length of each pattern of ``compact``.
    private var compactLengths: [Int] = []

    init(_ list: [Entry]) {
        entries = list.map(\.word)
        var plainPatterns: [[UInt32]] = []
        var compactPatterns: [[UInt32]] = []
        for (index, entry) in list.enumerated() {
            let hasHan = entry.word.contains { $0.isHan }
            let scalars = hasHan ? Self.fold(entry.word, keepingBlanks: false) : FoldedText(entry.word).trimmed
            lengths.append(scalars.count)
            guard !scalars.isEmpty else { continue }
            if hasHan {
                compactPatterns.append(scalars)
                meanings.append(.word(index))
            } else {
                plainPatterns.append(scalars)
                plainEntries.append(index)
            }
            let needle = scalars.filter { $0 != FoldedText.blank }
            for (expression, isHarmless) in entry.exceptions.map({ ($0, true) }) + entry.violations.map({ ($0, false) }) {
                let long = Self.fold(expression, keepingBlanks: false)
                for offset in long.indices where long[offset...].starts(with: needle) {
                    compactPatterns.append(long)
                    meanings.append(.expression(of: index, at: offset..<offset + needle.count, isHarmless: isHarmless))
                }
            }
        }
        plain = WordAutomaton(plainPatterns)
        compact = WordAutomaton(compactPatterns)
        compactLengths = compactPatterns.map(\.count)
    }

    init(words: [String]) { self.init(words.map { Entry(word: $0, exceptions: []) }) }

    var isEmpty: Bool { plain.isEmpty && compact.isEmpty }

    /// Every place where a listed word stands and is not harmless, in the order of the text; at one place the longest first.
    func matches(in text: String) -> [Match] { matches(in: FoldedText(text)) }

    func matches(in folded: FoldedText) -> [Match] {
        guard !isEmpty else { return [] }
        var matches: [Match] = []
        // Of the longest expression around a word.
        var verdicts: [Match: (length: Int, isHarmless: Bool)] = [:]
        func span(_ entry: Int, _ text: FoldedText, _ start: Int, _ end: Int) -> Match {
            Match(entry: entry, scalars: Int(text.sources[start])..<Int(text.sources[end - 1]) + 1)
        }
        if !plain.isEmpty {
            plain.scan(folded.scalars) { pattern, end in
                let entry = plainEntries[pattern]
                matches.append(span(entry, folded, end - lengths[entry], end))
            }
        }
        if !compact.isEmpty {
            let dense = folded.withoutBlanks
            compact.scan(dense.scalars) { pattern, end in
                switch meanings[pattern] {
                case .word(let entry): matches.append(span(entry, dense, end - lengths[entry], end))
                case .expression(let entry, let offsets, let isHarmless):
                    let length = compactLengths[pattern]
                    let start = end - length
                    let place = span(entry, dense, start + offsets.lowerBound, start + offsets.upperBound)
                    if length > verdicts[place]?.length ?? 0 { verdicts[place] = (length, isHarmless) }
                }
            }
        }
        if matches.isEmpty { return [] }
        if !verdicts.isEmpty { matches.removeAll { verdicts[$0]?.isHarmless == true } }
        matches.sort {
            ($0.scalars.lowerBound, $1.scalars.upperBound, $0.entry) < ($1.scalars.lowerBound, $0.scalars.upperBound, $1.entry)
        }
        return matches
    }

    /// The listed words that occur in the text, each once, in the order of the text.
    func words(in text: String) -> [String] {
        var seen: Set<Int> = []
        var found: [String] = []
        for match in matches(in: text) where seen.insert(match.entry).inserted && !found.contains(entries[match.entry]) {
            found.append(entries[match.entry])
        }
        return found
    }

    func contains(in text: String) -> Bool { !matches(in: text).isEmpty }

    /// Lower case, half width, simplified, no zero-width characters; blanks become one kind of blank or go.
    static func fold(_ text: String, keepingBlanks: Bool) -> [UInt32] {
        let folded = FoldedText(text)
        return keepingBlanks ? folded.scalars : folded.withoutBlanks.scalars
    }
}

extension WordFinder.Match: Hashable {}
