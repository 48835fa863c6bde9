/// What rules ask of one character of a text. A `Character` answers for every text; where each code point is a character of its own (see
/// ``Swift/Unicode/Scalar/standsAlone``), which is so in nearly every text, the code points give the same answers many times faster.
protocol Sign: Hashable, Sendable {
    /// Its first code point, which decides what kind of character it is.
    var leading: Unicode.Scalar { get }
    /// 0–9.
    var isDigit: Bool { get }
    func append(to text: inout String.UnicodeScalarView)
    func appendLowercase(to scalars: inout [UInt32])
}

extension Character: Sign {
    var leading: Unicode.Scalar { unicodeScalars[unicodeScalars.startIndex] }

    var isDigit: Bool { isASCII && isNumber }

    func append(to text: inout String.UnicodeScalarView) { text.append(contentsOf: unicodeScalars) }

    func appendLowercase(to scalars: inout [UInt32]) {
        scalars.append(contentsOf: lowercased().unicodeScalars.lazy.map(\.value))
    }
}

extension Unicode.Scalar: Sign {
    var leading: Unicode.Scalar { self }

    var isDigit: Bool { (0x30...0x39).contains(value) }

    func append(to text: inout String.UnicodeScalarView) { text.append(self) }

    func appendLowercase(to scalars: inout [UInt32]) { scalars.append(lowercaseStandingAlone) }

    /// Whether it is a character of its own, and the only spelling of it, wherever it stands among its like: ASCII, Chinese characters
    /// and kana with their marks and full-width forms, and the pictures that are not parts of others.
    var standsAlone: Bool {
        switch value {
        case 0x20...0x7E, 0x4E00...0x9FFF, 0x3001...0x3029, 0x3041...0x3096, 0x30A1...0x30FE, 0xFF01...0xFF5E: true
        case 0x09, 0x0A, 0xB7, 0x2013...0x2026, 0x25A0...0x27BF, 0x1F300...0x1F3FA, 0x1F400...0x1F64F, 0x1F680...0x1F6C5: true
        default: false
        }
    }

    /// Of the characters that stand alone only the letters of ASCII, full width or not, have cases.
    private var lowercaseStandingAlone: UInt32 {
        switch value {
        case 0x41...0x5A, 0xFF21...0xFF3A: value + 0x20
        default: value
        }
    }
}

extension Sign {
    /// A Chinese character (CJK unified ideographs with their extensions and compatibility forms).
    var isHan: Bool {
        switch leading.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF, 0x3005, 0x3007: true
        default: false
        }
    }

    /// A Chinese character, or an ASCII letter or digit: what nearly all of a title consists of, known without a look into Unicode's
    /// tables.
    var isPlainlyWord: Bool {
        switch leading.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x4E00...0x9FFF: true
        default: false
        }
    }

    /// Punctuation or a symbol.
    var isMark: Bool {
        if isPlainlyWord { return false }
        switch leading.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return true
        default: return false
        }
    }

    /// What does not count where only words do.
    var isMarkOrBlank: Bool { isMark || isBlank }

    /// White space of any kind, line breaks included.
    var isBlank: Bool { !isPlainlyWord && leading.properties.isWhitespace }

    /// Part of a word in an alphabet: letters and digits that are not Chinese characters.
    var isAlphabetic: Bool {
        if isHan { return false }
        return isPlainlyWord || leading.properties.isAlphabetic || leading.properties.numericType != nil
    }
}

extension Character {
    /// Shown as a picture. Digits and `#`, which may begin one, are not.
    var isEmoji: Bool {
        guard !isPlainlyWord, let first = unicodeScalars.first, first.properties.isEmoji else { return false }
        return first.properties.isEmojiPresentation || unicodeScalars.contains { $0.value == 0xFE0F }
    }
}

extension String {
    /// The code points in lower case, where each is a character of its own; else `nil`.
    var lowercaseStandingAlone: [UInt32]? {
        var lowercase: [UInt32] = []
        lowercase.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            guard scalar.standsAlone else { return nil }
            scalar.appendLowercase(to: &lowercase)
        }
        return lowercase
    }

    /// How many code points it has: each has one byte that does not continue another's, so nothing need be decoded.
    var scalarCount: Int {
        utf8.withContiguousStorageIfAvailable { bytes in bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }
            ?? unicodeScalars.count
    }
}

extension [UInt32] {
    /// Whether the other stands in it, in one piece.
    func contains(run: [UInt32]) -> Bool {
        guard let first = run.first else { return true }
        guard run.count <= count else { return false }
        return (0...(count - run.count)).contains { start in
            self[start] == first && run.indices.allSatisfy { self[start + $0] == run[$0] }
        }
    }
}
