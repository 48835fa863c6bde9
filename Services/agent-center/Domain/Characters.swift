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

extension Character {
    /// Shown as a picture. Digits and `#`, which may begin one, are not.
    var isEmoji: Bool {
        guard !isPlainlyWord, let first = unicodeScalars.first, first.properties.isEmoji else { return false }
        return first.properties.isEmojiPresentation || unicodeScalars.contains { $0.value == 0xFE0F }
    }
}
