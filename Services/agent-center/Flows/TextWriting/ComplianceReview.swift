import DTO

/// A text on its way through compliance: every member is held against the list; where a forbidden word stands, its sentence is mended by
/// the list's own substitutes or handed to a writer, and the whole is checked again.
struct ComplianceReview<Text: Codable & Sendable>: Sendable {
    /// A stretch of whole sentences in which forbidden words stand.
    struct Passage: Sendable, Equatable {
        let pointer: String
        /// Grapheme offsets in the member.
        let range: Range<Int>
        let text: String
        /// The forbidden words in it.
        let words: [String]
    }

    private struct Hit: Sendable {
        let finding: Compliance.Finding
        let pointer: String
        /// Index into ``passages``; `nil` where a substitute did.
        let passage: Int?
    }

    private let draft: Text
    private let compliance: Compliance
    private let members: [TextMembers.Member]
    private var hits: [Hit] = []
    /// What stands in place of a stretch of a member.
    private var replacements: [String: [(range: Range<Int>, text: String)]] = [:]
    /// What no substitute helps: to be written anew.
    private(set) var passages: [Passage] = []

    init(_ draft: Text, _ compliance: Compliance) throws {
        self.draft = draft
        self.compliance = compliance
        members = try TextMembers.all(of: draft)
        for member in members {
            let blocks = Compliance.outermost(compliance.blocks(member.text))
            if !blocks.isEmpty { mend(member, blocks) }
        }
    }

    private mutating func mend(_ member: TextMembers.Member, _ blocks: [Compliance.Finding]) {
        let characters = Array(member.text)
        for range in Sentences.around(blocks.map(\.range), in: characters) {
            let inside = blocks.filter { range.overlaps($0.range) }
            let text = String(characters[range])
            if let mended = compliance.mended(text) {
                replacements[member.pointer, default: []].append((range, mended.text))
                hits += inside.map { Hit(finding: $0, pointer: member.pointer, passage: nil) }
            } else {
                hits += inside.map { Hit(finding: $0, pointer: member.pointer, passage: passages.count) }
                passages.append(
                    Passage(pointer: member.pointer, range: range, text: text, words: inside.map(\.word).removingRepeats()))
            }
        }
    }

    /// - Parameter rewritten: a text for each of ``passages``, in their order.
    mutating func put(_ rewritten: [String]) {
        for (passage, text) in zip(passages, rewritten) {
            replacements[passage.pointer, default: []].append((passage.range, text))
        }
    }

    /// The text with everything put in place; `nil` while something forbidden stands in it.
    func cleanText() throws -> Text? {
        var changes: [String: String] = [:]
        for member in members {
            guard let pieces = replacements[member.pointer] else { continue }
            var characters = Array(member.text)
            for piece in pieces.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
                characters.replaceSubrange(piece.range, with: Array(piece.text))
            }
            changes[member.pointer] = String(characters)
        }
        let isClean = members.allSatisfy { compliance.allows(changes[$0.pointer] ?? $0.text) }
        return isClean ? try TextMembers.replacing(changes, in: draft) : nil
    }

    /// What was forbidden in the draft and what became of it.
    ///
    /// - Parameter isDiscarded: the draft was given up for a text of the templates.
    func findings(isDiscarded: Bool) -> [ComplianceFinding] {
        hits.map { hit in
            ComplianceFinding(
                hit.finding, at: hit.pointer,
                action: isDiscarded ? .discarded : hit.passage == nil ? .replaced : .rewritten)
        }
    }

    /// What may stand in a text but should be looked at.
    static func warnings(in text: Text, _ compliance: Compliance) throws -> [ComplianceFinding] {
        try TextMembers.all(of: text).flatMap { member in
            Compliance.outermost(compliance.check(member.text)).filter { $0.severity == .warn }
                .map { ComplianceFinding($0, at: member.pointer, action: .warned) }
        }
    }
}

extension ComplianceFinding {
    init(_ finding: Compliance.Finding, at pointer: String, action: Action) {
        self.init(
            word: finding.word, category: finding.category.rawValue, severity: finding.severity == .block ? .block : .warn,
            source: finding.source, pointer: pointer, start: finding.range.lowerBound, end: finding.range.upperBound,
            action: action)
    }
}

enum Sentences {
    private static let ends: Set<Character> = ["。", "！", "？", "!", "?", "；", ";", "\n", "…"]

    /// The whole sentences that the ranges touch; those that touch one another as one stretch. A stretch ends before a line break.
    static func around(_ ranges: [Range<Int>], in characters: [Character]) -> [Range<Int>] {
        var stretches: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            var start = range.lowerBound
            while start > 0, !ends.contains(characters[start - 1]) { start -= 1 }
            var end = range.upperBound
            while end < characters.count, !ends.contains(characters[end]) { end += 1 }
            while end < characters.count, ends.contains(characters[end]), characters[end] != "\n" { end += 1 }
            if let last = stretches.last, start < last.upperBound {
                stretches[stretches.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                stretches.append(start..<end)
            }
        }
        return stretches
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in the order of first sight.
    func removingRepeats() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
