/// Text that somebody typed, as Markdown that shows exactly this text (CommonMark: any ASCII punctuation may stand behind a backslash).
enum MarkdownText {
    /// On one line, also within a table: line breaks become `<br>`.
    static func inline(_ text: String) -> String { lines(of: text).map(escaped).joined(separator: "<br>") }

    /// As paragraphs: an empty line parts them, a single line break stays one.
    static func paragraphs(_ text: String) -> String {
        var paragraphs: [[String]] = [[]]
        for line in lines(of: text) {
            let line = guarded(escaped(line))
            if line.isEmpty { paragraphs.append([]) } else { paragraphs[paragraphs.count - 1].append(line) }
        }
        return paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: "\\\n") }.joined(separator: "\n\n")
    }

    private static func lines(of text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            // Four blanks in front would make it code.
            var line = line.drop { $0 == " " || $0 == "\t" }
            while let last = line.last, last == " " || last == "\t" { line.removeLast() }
            return String(line)
        }
    }

    private static let marks: Set<Character> = ["\\", "`", "*", "_", "[", "]", "<", ">", "|", "~", "&", "$"]

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            if marks.contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
    }

    /// What makes headings, lists and rules at a line's beginning only.
    private static func guarded(_ line: String) -> String {
        guard let first = line.first else { return line }
        if "#+-=".contains(first) { return "\\" + line }
        let digits = line.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let mark = line.dropFirst(digits.count).first, mark == "." || mark == ")" else { return line }
        return digits + "\\" + line.dropFirst(digits.count)
    }
}
