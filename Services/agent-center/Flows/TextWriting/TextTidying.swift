import DTO
import HTTPCore

/// Slips of models that can be mended without guessing.
struct TextTidying: Sendable {
    let rules: CopyRules
    let brands: [String]

    init(_ brief: WritingBrief) {
        rules = brief.request.rules
        brands = brief.request.brandWords
    }

    /// A text of one line: no breaks, no blanks around it.
    func line(_ raw: String) -> String {
        let joined = raw.split(whereSeparator: \.isNewline).map { Self.trimmed($0) }.filter { !$0.isEmpty }.joined(separator: " ")
        return BrandSpelling.corrected(withoutEmoji(joined), brands: brands)
    }

    /// A text of paragraphs: one kind of line break, at most one empty line between two, no blanks at the ends.
    func paragraphs(_ raw: String) -> String {
        var lines: [String] = []
        for piece in raw.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let line = Self.trimmed(piece)
            if !line.isEmpty || lines.last?.isEmpty == false { lines.append(line) }
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return BrandSpelling.corrected(withoutEmoji(lines.joined(separator: "\n")), brands: brands)
    }

    /// `#防晒 ` → `防晒`; each once, no more than the platform takes.
    func hashtags(_ raw: [String]) -> [String] {
        let tags = raw.map { $0.filter { !$0.isWhitespace && $0 != "#" && $0 != "＃" && !$0.isEmoji } }
        return Array(
            tags.map { BrandSpelling.corrected($0, brands: brands) }.filter { !$0.isEmpty }.removingRepeats().prefix(
                rules.maxHashtags))
    }

    /// Takes hashtags off the end of a text, where models like to repeat them.
    static func splitOffHashtags(_ text: String) -> (text: String, hashtags: [String]) {
        var rest = text[...]
        var tags: [String] = []
        while true {
            rest = trimmedEnd(rest)
            let start = rest.lastIndex(where: \.isWhitespace).map { rest.index(after: $0) } ?? rest.startIndex
            let word = rest[start...]
            guard let first = word.first, first == "#" || first == "＃", start > rest.startIndex else { break }
            tags.insert(contentsOf: word.split { $0 == "#" || $0 == "＃" }.map(String.init), at: 0)
            rest = rest[..<start]
        }
        return (String(rest), tags)
    }

    private func withoutEmoji(_ text: String) -> String {
        rules.emoji == .none ? Self.trimmed(text.filter { !$0.isEmoji }[...]) : text
    }

    private static func trimmed(_ text: Substring) -> String { String(trimmedEnd(text.drop(while: \.isWhitespace))) }

    private static func trimmedEnd(_ text: Substring) -> Substring {
        var rest = text
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}

/// Reads the members of a model's answer.
struct AnswerReader {
    let json: JSONValue
    private(set) var faults: [String] = []

    init(_ json: JSONValue) { self.json = json }

    /// A text that must be there; an empty one counts as missing unless it `mayBeEmpty`.
    mutating func text(_ name: String, mayBeEmpty: Bool = false) -> String {
        guard let text = json[name]?.string else {
            faults.append("缺少字符串 \(name)")
            return ""
        }
        if !mayBeEmpty, text.allSatisfy(\.isWhitespace) { faults.append("\(name) 是空的") }
        return text
    }

    func optionalText(_ name: String) -> String? {
        json[name]?.string.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }

    func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }

    mutating func objects(_ name: String) -> [JSONValue] {
        let items = json[name]?.array ?? []
        if items.isEmpty { faults.append("缺少数组 \(name)") }
        return items
    }

    mutating func add(_ fault: String) { faults.append(fault) }

    func finish() throws(TextFaults) { if !faults.isEmpty { throw TextFaults(faults) } }
}
