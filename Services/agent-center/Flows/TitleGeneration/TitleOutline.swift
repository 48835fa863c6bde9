/// A title as its judges look at it, read once: how long it is, what word finders see in it, the pairs of neighbouring characters by which
/// it is compared with others, and how it reads.
struct TitleOutline: Sendable {
    /// Beyond this share of common pairs two titles say the same.
    static let nearDuplicate = 0.82

    let text: String
    /// In characters as a reader counts them.
    let length: Int
    /// For word finders.
    let folded: FoldedText
    let hasQuantity: Bool
    /// Punctuation and symbols.
    let marks: Int
    /// Whether one character stands three times in a row.
    let stutters: Bool
    /// A word of two Chinese characters that occurs three times or more.
    let repeatedWord: String?
    /// In lower case, where each code point is a character of its own; else `nil`.
    fileprivate let lowercase: [UInt32]?
    /// Ascending. Marks and blanks do not count.
    fileprivate let pairs: [UInt64]

    init(of text: String) {
        if let lowercase = text.lowercaseStandingAlone {
            let scalars = Array(text.unicodeScalars)
            self.init(text, scalars, lowercase: lowercase, hasQuantity: TitleHooks.hasQuantity(scalars))
        } else {
            let characters = Array(text)
            self.init(text, characters, lowercase: nil, hasQuantity: TitleHooks.hasQuantity(characters))
        }
    }

    private init<Letter: Sign>(_ text: String, _ characters: [Letter], lowercase: [UInt32]?, hasQuantity: Bool) {
        self.text = text
        self.lowercase = lowercase
        self.hasQuantity = hasQuantity
        length = characters.count
        folded = FoldedText(text)
        marks = characters.count(where: \.isMark)
        stutters = characters.indices.dropLast(2).contains {
            characters[$0] == characters[$0 + 1] && characters[$0] == characters[$0 + 2]
        }
        let sorted = Self.pairs(of: characters).sorted()
        pairs = sorted
        // Where code points are characters, a word that stands three times shows as three equal pairs.
        let mayRepeat = lowercase == nil || sorted.indices.dropLast(2).contains { sorted[$0] == sorted[$0 + 2] }
        repeatedWord = (mayRepeat ? Self.repeatedWord(in: characters) : nil).map { index in
            var word = String.UnicodeScalarView()
            for character in characters[index...(index + 1)] { character.append(to: &word) }
            return String(word)
        }
    }

    func saysTheSame(as other: TitleOutline) -> Bool {
        if dice(other) >= Self.nearDuplicate { return true }
        // Where code points are characters, equal titles have equal pairs.
        return (lowercase == nil || other.lowercase == nil) && text == other.text
    }

    /// Sørensen–Dice coefficient of the two titles' character pairs, 0–1.
    func dice(_ other: TitleOutline) -> Double {
        guard !pairs.isEmpty, !other.pairs.isEmpty else { return text == other.text ? 1 : 0 }
        var (mine, theirs, common) = (0, 0, 0)
        while mine < pairs.count, theirs < other.pairs.count {
            if pairs[mine] == other.pairs[theirs] {
                (mine, theirs, common) = (mine + 1, theirs + 1, common + 1)
            } else if pairs[mine] < other.pairs[theirs] {
                mine += 1
            } else {
                theirs += 1
            }
        }
        return 2 * Double(common) / Double(pairs.count + other.pairs.count)
    }

    private struct Pair<Letter: Sign>: Hashable {
        let first: Letter
        let second: Letter
    }

    /// Where the word begins for the third time.
    private static func repeatedWord<Letter: Sign>(in characters: [Letter]) -> Int? {
        guard characters.count >= 6 else { return nil }
        var counts: [Pair<Letter>: Int] = [:]
        counts.reserveCapacity(characters.count)
        for index in 0..<(characters.count - 1) where characters[index].isHan && characters[index + 1].isHan {
            let count = counts[Pair(first: characters[index], second: characters[index + 1]), default: 0] + 1
            if count == 3 { return index }
            counts[Pair(first: characters[index], second: characters[index + 1])] = count
        }
        return nil
    }

    /// Two code points each, in the order of the text.
    fileprivate static func pairs<Letter: Sign>(of characters: [Letter]) -> [UInt64] {
        var scalars: [UInt32] = []
        scalars.reserveCapacity(characters.count)
        for character in characters where !character.isMarkOrBlank { character.appendLowercase(to: &scalars) }
        guard scalars.count > 1 else { return [] }
        return (1..<scalars.count).map { UInt64(scalars[$0 - 1]) << 32 | UInt64(scalars[$0]) }
    }
}

/// Words that a brief wants to see in titles, read once per brief.
struct TitlePhrase: Sendable {
    let text: String
    private let lowercase: [UInt32]?
    /// Ascending, each once.
    private let pairs: [UInt64]

    init(_ text: String) {
        let outline = TitleOutline(of: text)
        self.text = text
        lowercase = outline.lowercase
        pairs = outline.pairs.indices.filter { $0 == 0 || outline.pairs[$0] != outline.pairs[$0 - 1] }.map { outline.pairs[$0] }
    }

    /// Whether a title carries the phrase: literally, or with at least half of its character pairs.
    ///
    /// - Parameter spelling: the title as a phrase of a single character is looked for in it.
    func isMentioned(in title: TitleOutline, as spelling: @autoclosure () -> String) -> Bool {
        guard !pairs.isEmpty else { return !text.isEmpty && spelling().contains(text) }
        var (wanted, there, common) = (0, 0, 0)
        while wanted < pairs.count, there < title.pairs.count {
            if pairs[wanted] == title.pairs[there] {
                (wanted, there, common) = (wanted + 1, there + 1, common + 1)
            } else if pairs[wanted] < title.pairs[there] {
                wanted += 1
            } else {
                there += 1
            }
        }
        return common * 2 >= pairs.count
    }

    /// Whether it stands in a title in any letter case.
    func stands(in title: TitleOutline) -> Bool {
        if let lowercase, let there = title.lowercase { return there.contains(run: lowercase) }
        return title.text.lowercased().contains(text.lowercased())
    }
}
