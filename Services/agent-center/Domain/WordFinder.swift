/// Finds words of a list in a text, the way an editor would read them: letter case, full-width forms, zero-width characters
/// and, for words with Chinese characters, blanks between the characters make no difference.
///
/// Built once per list; a look-up walks the text once and tries only the words that begin with the character at hand.
struct WordFinder: Sendable {
    private struct Entry: Sendable {
        let word: String
        let scalars: [UInt32]
        /// Longer expressions in which the word is harmless, with the word's offsets inside them.
        let exceptions: [(scalars: [UInt32], offsets: [Int])]
    }

    private var byFirstScalar: [UInt32: [Entry]] = [:]
    private var hasHanWords = false

    init(_ words: [(word: String, exceptions: [String])]) {
        for (word, exceptions) in words {
            let scalars = Self.trimmed(Self.fold(word, keepingBlanks: !Self.hasHan(word)))
            guard let first = scalars.first else { continue }
            if Self.hasHan(word) { hasHanWords = true }
            let folded = exceptions.map { exception -> (scalars: [UInt32], offsets: [Int]) in
                let long = Self.fold(exception, keepingBlanks: false)
                let offsets = long.indices.filter { long[$0...].starts(with: scalars) }
                return (long, offsets)
            }
            byFirstScalar[first, default: []].append(Entry(word: word, scalars: scalars, exceptions: folded))
        }
    }

    init(words: [String]) {
        self.init(words.map { (word: $0, exceptions: []) })
    }

    var isEmpty: Bool { byFirstScalar.isEmpty }

    /// The listed words that occur in the text, each once, in the order of the text.
    func words(in text: String) -> [String] {
        guard !isEmpty else { return [] }
        var found: [String] = []
        for blanks in [true, false] {
            let scalars = Self.fold(text, keepingBlanks: blanks)
            for start in scalars.indices {
                guard let entries = byFirstScalar[scalars[start]] else { continue }
                for entry in entries
                where !found.contains(entry.word) && scalars[start...].starts(with: entry.scalars)
                    && !Self.isExcepted(entry, at: start, in: scalars)
                {
                    found.append(entry.word)
                }
            }
            // A second pass without blanks is for `最 好`; it says nothing new where there are neither blanks nor Chinese words.
            if !hasHanWords || !scalars.contains(0x20) { break }
        }
        return found
    }

    func contains(in text: String) -> Bool { !words(in: text).isEmpty }

    private static func isExcepted(_ entry: Entry, at start: Int, in scalars: [UInt32]) -> Bool {
        entry.exceptions.contains { exception in
            exception.offsets.contains { offset in
                start >= offset && scalars[(start - offset)...].starts(with: exception.scalars)
            }
        }
    }

    private static func trimmed(_ scalars: [UInt32]) -> [UInt32] {
        guard let first = scalars.firstIndex(where: { $0 != 0x20 }), let last = scalars.lastIndex(where: { $0 != 0x20 }) else {
            return []
        }
        return Array(scalars[first...last])
    }

    private static func hasHan(_ text: String) -> Bool { text.contains { $0.isHan } }

    /// Lower case, half width, no zero-width characters; blanks become one kind of blank or go.
    static func fold(_ text: String, keepingBlanks: Bool) -> [UInt32] {
        var folded: [UInt32] = []
        folded.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            var value = scalar.value
            if (0xFF01...0xFF5E).contains(value) { value -= 0xFEE0 }
            switch value {
            case 0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x3000:
                if keepingBlanks { folded.append(0x20) }
            case 0x200B...0x200F, 0x2060, 0xFEFF, 0xAD:
                continue
            case 0x41...0x5A:
                folded.append(value | 0x20)
            case 0..<0x80:
                folded.append(value)
            default:
                // Chinese characters have no case; asking for theirs costs a table look-up.
                if (0x2E80...0x9FFF).contains(value) {
                    folded.append(value)
                } else {
                    folded.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars.map(\.value))
                }
            }
        }
        return folded
    }
}

extension Character {
    /// A Chinese character (CJK unified ideographs with their extensions and compatibility forms).
    var isHan: Bool {
        guard let scalar = unicodeScalars.first else { return false }
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF, 0x3005, 0x3007: return true
        default: return false
        }
    }

    /// A Chinese character, or an ASCII letter or digit: what nearly all of a title consists of, known without a look into Unicode's
    /// tables.
    var isPlainlyWord: Bool {
        switch unicodeScalars.first?.value ?? 0 {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x4E00...0x9FFF: true
        default: false
        }
    }

    /// What does not count where only words do.
    var isMarkOrBlank: Bool { !isPlainlyWord && (isPunctuation || isWhitespace || isSymbol) }

    /// Part of a word in an alphabet: letters and digits that are not Chinese characters.
    var isAlphabetic: Bool { !isHan && (isLetter || isNumber) }
}
