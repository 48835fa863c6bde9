extension String {
    /// How many characters people see in it: ``count``, for a fraction of its cost in nearly every text.
    public var characterCount: Int {
        var scalars = 0
        for scalar in unicodeScalars {
            guard scalar.standsAlone else { return count }
            scalars += 1
        }
        return scalars
    }

    /// Whether each of its scalars is known to be a character. So it is in nearly every Chinese and Latin text; `false` says nothing.
    public var hasOneScalarPerCharacter: Bool { unicodeScalars.allSatisfy(\.standsAlone) }
}

extension Unicode.Scalar {
    /// Whether it is a character of its own beside any other scalar that stands alone.
    ///
    /// Left out are, from the ranges where the world's commonest texts are written, those that join a neighbour (UAX #29): combining marks,
    /// joiners and variation selectors, the letters that hangul syllables are put together from, the halves of flags, skin tones, and the
    /// carriage return, which makes one character with a line feed.
    var standsAlone: Bool {
        switch value {
        // Punctuation, kana, ideographs, Yi.
        case 0x2E00...0x3029, 0x3030...0x3098, 0x309B...0xA66E: true
        // ASCII and Latin letters.
        case 0x0000...0x02FF: value != 0x0D
        // Hangul syllables; compatibility ideographs; vertical, small and fullwidth forms.
        case 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFF9D: true
        // Greek and Cyrillic; more Latin and Greek; punctuation; symbols.
        case 0x0370...0x0482, 0x1E00...0x200B, 0x200E...0x20CF, 0x2100...0x2CEE: true
        // Emoji; rare ideographs.
        case 0x1F200...0x1F3FA, 0x1F400...0x1FAFF, 0x20000...0x323AF: true
        default: false
        }
    }
}
