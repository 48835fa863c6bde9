import DTO

/// Marks what was found. Parts instead of markup: nothing has to be escaped, whatever the text says.
struct Highlighter {
    static let snippetLength = 100
    /// What stands before the first match of a snippet.
    static let lead = 20

    let tokens: Set<String>
    private let hasInitials: Bool

    init(tokens: Set<String>) {
        self.tokens = tokens
        hasInitials = tokens.contains { $0.hasPrefix(SearchTokens.initialsMark) }
    }

    func parts(of text: String) -> [SearchTextPart] {
        let characters = Array(text)
        return parts(of: characters[...], marks: marks(in: characters))
    }

    /// A line, and how many of the tokens it has.
    struct Line {
        fileprivate let characters: [Character]
        let count: Int
    }

    /// The line that says most of what was looked for; of none, the first.
    func best(of lines: [String]) -> Line? {
        var best: Line?
        for line in lines {
            let characters = Array(line)
            let count = found(in: characters)
            if best.map({ count > $0.count }) ?? true { best = Line(characters: characters, count: count) }
        }
        return best
    }

    /// The line, cut around its first match; without one, its beginning.
    func snippet(of line: Line) -> [SearchTextPart] {
        let marks = marks(in: line.characters)
        let first = marks.firstIndex(of: true) ?? 0
        let start = line.characters.count <= Self.snippetLength ? 0 : max(0, first - Self.lead)
        return parts(of: line.characters[start..<min(start + Self.snippetLength, line.characters.count)], marks: marks)
    }

    func snippet(of lines: [String]) -> [SearchTextPart] { best(of: lines).map(snippet) ?? [] }

    private func parts(of characters: ArraySlice<Character>, marks: [Bool]) -> [SearchTextPart] {
        var parts: [SearchTextPart] = []
        for index in characters.indices {
            if let last = parts.indices.last, parts[last].isMatch == marks[index] {
                parts[last].text.append(characters[index])
            } else {
                parts.append(SearchTextPart(text: String(characters[index]), isMatch: marks[index]))
            }
        }
        return parts
    }

    /// How many different tokens the text has.
    private func found(in characters: [Character]) -> Int {
        var found: Set<String> = []
        for run in SearchTokens.runs(characters) { matches(in: run) { token, _ in found.insert(token) } }
        return found.count
    }

    private func marks(in characters: [Character]) -> [Bool] {
        var marks = Array(repeating: false, count: characters.count)
        for run in SearchTokens.runs(characters) {
            matches(in: run) { _, range in for index in range { marks[run.start + index] = true } }
        }
        return marks
    }

    private func matches(in run: SearchTokens.Run, _ body: (String, Range<Int>) -> Void) {
        switch run.sort {
        case .chinese:
            for (index, scalar) in run.scalars.enumerated() {
                let single = String(Character(scalar))
                if tokens.contains(single) { body(single, index..<index + 1) }
            }
            for (index, pair) in run.pairs.enumerated() where tokens.contains(pair) { body(pair, index..<index + 2) }
            guard hasInitials else { return }
            for (index, pairs) in run.initialPairs.enumerated() {
                for token in pairs.map({ SearchTokens.initialsMark + $0 }) where tokens.contains(token) {
                    body(token, index..<index + 2)
                }
            }
        case .emoji: if tokens.contains(run.text) { body(run.text, 0..<1) }
        case .letters, .digits:
            if tokens.contains(run.word) { body(run.word, 0..<run.scalars.count) }
            for length in 1...min(SearchTokens.prefixLength, run.scalars.count) {
                let beginning = SearchTokens.prefixMark + SearchTokens.Run.text(run.scalars.prefix(length))
                if tokens.contains(beginning) { body(beginning, 0..<length) }
            }
        }
    }
}
