/// What somebody looks for, read from what they typed.
///
/// `"…"` or `“…”` asks for the words exactly so. A word of letters means, in this order: a word that the tenant has used (the last word of
/// the query also a beginning of one), the nearest such word if it is nearly spelt so, else the initials of Chinese words in a title: all
/// of them, where nothing else is asked.
struct SearchQuery: Equatable, Sendable {
    /// As many of a query's tokens count.
    static let most = 32
    /// Shorter words have too many neighbours.
    static let correctedLength = 4

    /// Folded.
    var phrases: [String] = []
    private var parts: [Part] = []

    private enum Part: Equatable, Sendable {
        case token(String)
        /// Letters; `isOpen`: they stand at the query's end, where somebody may be typing on.
        case word(String, isOpen: Bool)
    }

    init(_ text: String) {
        let pieces = Self.unquoted(text)
        for (index, piece) in pieces.enumerated() {
            if piece.isPhrase { phrases.append(SearchTokens.folded(piece.text)) }
            let runs = SearchTokens.runs(piece.text)
            let isLastPiece = index == pieces.count - 1 && !piece.isPhrase
            for (place, run) in runs.enumerated() {
                let end = run.start + run.scalars.count
                let isOpen = isLastPiece && place == runs.count - 1 && end == piece.text.count
                append(run, isOpen: isOpen)
            }
        }
    }

    private mutating func append(_ run: SearchTokens.Run, isOpen: Bool) {
        switch run.sort {
        case .chinese: parts += (run.scalars.count == 1 ? [run.text] : run.pairs).map(Part.token)
        case .emoji: parts.append(.token(run.text))
        case .digits: parts.append(.token(isOpen ? Self.beginning(run) : run.word))
        case .letters: parts.append(.word(run.word, isOpen: isOpen))
        }
    }

    private static func beginning(_ run: SearchTokens.Run) -> String { beginning(run.word) }

    private static func beginning(_ word: String) -> String {
        word.count > SearchTokens.prefixLength ? word : SearchTokens.prefixMark + word
    }

    /// Whether there is anything to look for.
    var isEmpty: Bool { parts.isEmpty }

    /// The words to ask the tenant's vocabulary for.
    var words: [String] {
        var seen: Set<String> = []
        return parts.compactMap { if case .word(let word, _) = $0, seen.insert(word).inserted { word } else { nil } }
    }

    /// A word that was read as another.
    struct Correction: Equatable {
        var from: String
        var to: String
    }

    /// What the vocabulary knows of a word.
    struct Known: Equatable {
        var isWord = false
        var isBeginning = false
        /// Of similar spelling.
        var near: [String] = []
    }

    /// The query as a tenant's words have it.
    struct Reading: Equatable {
        /// What a document should have.
        var tokens: [String]
        /// What it must have: two letters alone say nothing, so that a query of nothing but initials is about what has all of them.
        var required: [String] = []
        var corrections: [Correction] = []
    }

    func tokens(knowing vocabulary: [String: Known]) -> Reading {
        var tokens: [String] = []
        var corrections: [Correction] = []
        var isInitials = true
        for part in parts {
            switch part {
            case .token(let token):
                tokens.append(token)
                isInitials = false
            case .word(let word, let isOpen):
                let known = vocabulary[word] ?? Known()
                if known.isWord || (isOpen && known.isBeginning) {
                    tokens.append(isOpen ? Self.beginning(word) : word)
                } else if let nearest = Self.nearest(to: word, of: known.near) {
                    tokens.append(nearest)
                    corrections.append(Correction(from: word, to: nearest))
                } else if let initials = Self.initials(word) {
                    tokens += initials
                    continue
                } else {
                    tokens.append(isOpen ? Self.beginning(word) : word)
                }
                isInitials = false
            }
        }
        var seen: Set<String> = []
        tokens = Array(tokens.filter { seen.insert($0).inserted }.prefix(Self.most))
        return Reading(tokens: tokens, required: isInitials ? tokens : [], corrections: corrections)
    }

    /// `fss` → `i:fs`, `i:ss`.
    private static func initials(_ word: String) -> [String]? {
        let letters = Array(word)
        guard (2...8).contains(letters.count), letters.allSatisfy({ ("a"..."z").contains($0) }) else { return nil }
        return zip(letters, letters.dropFirst()).map { "\(SearchTokens.initialsMark)\($0)\($1)" }
    }

    private static func nearest(to word: String, of candidates: [String]) -> String? {
        guard word.count >= correctedLength else { return nil }
        let limit = word.count < 8 ? 1 : 2
        // Of those as near as each other the one of the same length, then the first in the alphabet.
        return candidates.map { (word: $0, distance: editDistance(word, $0), difference: abs($0.count - word.count)) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.difference, $0.word) < ($1.distance, $1.difference, $1.word) }?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func editDistance(_ first: String, _ second: String) -> Int {
        let (a, b) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }

    private static func unquoted(_ text: String) -> [(text: String, isPhrase: Bool)] {
        var pieces: [(text: String, isPhrase: Bool)] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: isQuote) {
            let inside = rest[rest.index(after: open)...]
            guard let close = inside.firstIndex(where: isQuote) else { break }
            pieces.append((String(rest[..<open]), false))
            pieces.append((String(inside[..<close]), true))
            rest = inside[inside.index(after: close)...]
        }
        pieces.append((String(rest), false))
        return pieces.filter { !$0.text.allSatisfy(\.isWhitespace) }
    }

    private static func isQuote(_ character: Character) -> Bool { character == "\"" || character == "“" || character == "”" }
}
