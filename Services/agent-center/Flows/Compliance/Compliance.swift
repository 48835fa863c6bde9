import DTO

/// Checks texts against advertising law, the special trades' rules, platform bans and the tenant's own words (issue §7: as data, with
/// source and severity). The whole list is looked for in one walk over the text.
struct Compliance: Sendable {
    /// A listed word in a text, and where.
    struct Finding: Sendable, Equatable {
        let word: String
        let category: ComplianceWord.Category
        let severity: ComplianceWord.Severity
        let source: String
        /// Grapheme offsets into the text that was checked; what stands between the word's characters (blanks) is inside.
        let range: Range<Int>
        /// What may stand in its place; see ``ComplianceWord/substitute``.
        let substitute: String?
    }

    let platform: ContentPlatform?
    /// The caller's, the tenant's and the platform rules' words together; found on every platform, and always a block.
    let bannedWords: WordFinder

    init(platform: ContentPlatform?, bannedWords: WordFinder = WordFinder(words: [])) {
        self.platform = platform
        self.bannedWords = bannedWords
    }

    /// Every finding, in the order of the text; words inside longer words too.
    func check(_ text: String) -> [Finding] { check(text, folded: FoldedText(text)) }

    /// The same for a text that is folded already.
    func check(_ text: String, folded: FoldedText) -> [Finding] {
        let listed = Self.finder.matches(in: folded).filter { match in
            guard let platforms = Self.list[match.entry].platforms else { return true }
            return platform.map(platforms.contains) ?? false
        }
        let banned = bannedWords.matches(in: folded)
        if listed.isEmpty && banned.isEmpty { return [] }
        let places =
            listed.map { (span: $0.scalars, word: Self.list[$0.entry]) }
            + banned.map { (span: $0.scalars, word: Self.bannedWord(bannedWords.entries[$0.entry])) }
        return Self.findings(places, in: text)
    }

    /// The findings that forbid the text.
    func blocks(_ text: String) -> [Finding] { blocks(text, folded: FoldedText(text)) }

    func blocks(_ text: String, folded: FoldedText) -> [Finding] { check(text, folded: folded).filter { $0.severity == .block } }

    /// Whether the text may go out, cheaper than asking for all findings when it may.
    func allows(_ text: String) -> Bool { blocks(text).isEmpty }

    /// Without those that lie inside another of at least their severity: what a person has to be told.
    static func outermost(_ findings: [Finding]) -> [Finding] {
        findings.enumerated().filter { index, finding in
            !findings.enumerated().contains { other, outer in
                guard other != index, outer.severity == finding.severity || outer.severity == .block else { return false }
                guard outer.range.lowerBound <= finding.range.lowerBound, finding.range.upperBound <= outer.range.upperBound
                else {
                    return false
                }
                // Of two at the very same place the first speaks.
                return outer.range != finding.range || outer.severity != finding.severity || other < index
            }
        }.map(\.element)
    }

    /// The text with every forbidden word replaced that has a substitute, as far as the result stands the check again.
    ///
    /// - Returns: `nil` when something forbidden has no substitute or the result is not clean either.
    func mended(_ text: String) -> (text: String, replaced: [Finding])? {
        let blocks = Self.outermost(blocks(text))
        guard !blocks.isEmpty, blocks.allSatisfy({ $0.substitute != nil }) else { return nil }
        var characters = Array(text)
        var end = characters.count
        for finding in blocks.reversed() {
            // Words that overlap cannot both be replaced.
            guard finding.range.upperBound <= end else { return nil }
            characters.replaceSubrange(finding.range, with: Array(finding.substitute ?? ""))
            end = finding.range.lowerBound
        }
        let mended = String(characters)
        return allows(mended) && mended.contains { !$0.isMarkOrBlank } ? (mended, blocks) : nil
    }

    // MARK: The list

    static let list = ComplianceList.all
    private static let finder = WordFinder(
        list.map { WordFinder.Entry(word: $0.word, exceptions: $0.exceptions, violations: $0.violations) })

    private static func bannedWord(_ word: String) -> ComplianceWord {
        ComplianceWord(
            word: word, category: .banned, severity: .block, source: "企业或平台禁用词", platforms: nil, exceptions: [], substitute: nil)
    }

    private static func findings(_ places: [(span: Range<Int>, word: ComplianceWord)], in text: String) -> [Finding] {
        // Offsets are measured in ascending order, once each.
        let marks = Set(places.flatMap { [$0.span.lowerBound, $0.span.upperBound - 1] }).sorted()
        var ruler = GraphemeRuler(text)
        var graphemes: [Int: Int] = [:]
        for mark in marks { graphemes[mark] = ruler.grapheme(holding: mark) }
        return places.map { place in
            let start = graphemes[place.span.lowerBound] ?? 0
            let last = graphemes[place.span.upperBound - 1] ?? start
            return Finding(
                word: place.word.word, category: place.word.category, severity: place.word.severity, source: place.word.source,
                range: start..<last + 1, substitute: place.word.substitute)
        }.enumerated().sorted {
            ($0.element.range.lowerBound, $1.element.range.upperBound, $0.offset)
                < ($1.element.range.lowerBound, $0.element.range.upperBound, $1.offset)
        }.map(\.element)
    }
}
