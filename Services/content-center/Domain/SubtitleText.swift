/// Line breaking for subtitles, Chinese first: at most two lines of sixteen whole-width characters, no line begins with a closing mark or
/// ends with an opening one, and words and numbers in Latin script stay whole.
enum SubtitleText {
    /// Columns of one line; a whole-width character takes two.
    static let lineWidth = 32

    /// The text in blocks of one or two lines. A sentence's end ends a block.
    static func blocks(_ text: String) -> [[String]] {
        // A cue ends at an empty line, and an arrow could pass for a time.
        sentences(in: text.replacing("-->", with: "→")).flatMap { sentence -> [[String]] in
            var blocks: [[String]] = []
            var current: [Unit] = []
            for piece in pieces(of: units(of: sentence)) {
                if current.isEmpty || end(ofFirstLine: current + piece) != nil {
                    current += piece
                } else {
                    blocks.append(lines(of: current))
                    current = piece
                }
            }
            if !current.isEmpty { blocks.append(lines(of: current)) }
            return blocks
        }
    }

    static func width(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + ($1.isASCII ? 1 : 2) } }

    // MARK: Cutting

    private static let sentenceEnds: Set<Character> = ["。", "！", "？", "!", "?", "；", ";", "…"]
    private static let clauseEnds: Set<Character> = ["，", "、", "：", ",", ":"]
    /// A word ends with them: a line that breaks behind one breaks none.
    private static let particles: Set<Character> = ["的", "吗", "呢", "吧", "啊", "呀", "嘛"]
    private static let closing: Set<Character> = Set("。！？；…，、：,.!?;:）)》」』】]”’％%°—～~")
    private static let opening: Set<Character> = Set("（(《「『【[“‘¥￥$#")

    /// Cut after the last of several ends (`？！`) and at new lines. A full stop may be a number's or an address's, so it is no end.
    private static func sentences(in text: String) -> [String] {
        var sentences: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var current = ""
            var isOver = false
            for character in line {
                if isOver, !closing.contains(character) {
                    sentences.append(current)
                    current = ""
                    isOver = false
                }
                current.append(character)
                if sentenceEnds.contains(character) { isOver = true }
            }
            sentences.append(current)
        }
        return sentences.map(trimmed).filter { !$0.isEmpty }
    }

    /// What is never broken: a word in Latin script or a character, with the marks and the blank that belong to it.
    private struct Unit {
        var text: String
        var width: Int
        var endsClause: Bool { text.last { $0 != " " }.map(clauseEnds.contains) ?? false }
        var endsWord: Bool { text.last.map { $0 == " " || particles.contains($0) } ?? false }
        var blanks: Int { text.reversed().prefix { $0 == " " }.count }

        mutating func append(_ character: Character) {
            text.append(character)
            width += SubtitleText.width(String(character))
        }
    }

    private static func units(of text: String) -> [Unit] {
        var units: [Unit] = []
        var last: Character?
        for character in text {
            let joins =
                last.map { last in
                    opening.contains(last) || closing.contains(character) || character == " "
                        || isWordPart(last) && isWordPart(character) || (last == "," || last == ":") && isDigit(character)
                } ?? false
            if joins {
                units[units.count - 1].append(character)
            } else {
                units.append(Unit(text: String(character), width: width(String(character))))
            }
            last = character
        }
        return units
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

    private static func isWordPart(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "'-_.@/&+".contains(character))
    }

    /// What blocks are filled with: clauses, and the units of a clause that is too long for a block.
    private static func pieces(of units: [Unit]) -> [[Unit]] {
        var clauses: [[Unit]] = [[]]
        for unit in units {
            clauses[clauses.count - 1].append(unit)
            if unit.endsClause { clauses.append([]) }
        }
        return clauses.filter { !$0.isEmpty }.flatMap { end(ofFirstLine: $0) == nil ? $0.map { [$0] } : [$0] }
    }

    // MARK: Lines

    /// By how many columns more the two lines may differ where the first then surely ends with a whole word. There is no dictionary here:
    /// elsewhere a line may end within one.
    private static let leewayForWords = 12

    /// How many units stand on the first line: all where they fit, else so many that the two lines differ least in width, after a clause
    /// where that is possible, after a particle or a blank where that costs little.
    ///
    /// - Returns: `nil` where two lines do not hold them.
    private static func end(ofFirstLine units: [Unit]) -> Int? {
        let total = units.reduce(0) { $0 + $1.width } - (units.last?.blanks ?? 0)
        if total <= lineWidth { return units.count }
        guard total <= 2 * lineWidth + 1 else { return nil }
        var best: (end: Int, rank: Int)?
        var before = 0
        for (index, unit) in units.dropLast().enumerated() {
            before += unit.width
            let (first, second) = (before - unit.blanks, total - before)
            guard first <= lineWidth, second <= lineWidth else { continue }
            let rank = abs(first - second) + (unit.endsClause ? 0 : 2 * lineWidth + (unit.endsWord ? 0 : leewayForWords))
            if rank < best?.rank ?? Int.max { best = (index + 1, rank) }
        }
        return best?.end
    }

    /// A single unit may be wider than any line: better long than torn.
    private static func lines(of units: [Unit]) -> [String] {
        let end = end(ofFirstLine: units) ?? units.count
        return [units[..<end], units[end...]].map { trimmed($0.map(\.text).joined()) }.filter { !$0.isEmpty }
    }

    static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
