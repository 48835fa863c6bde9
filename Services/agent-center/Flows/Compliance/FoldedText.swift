/// A text as an editor reads it: letter case, full-width forms, traditional characters and zero-width characters make no difference,
/// every kind of blank is the same blank. Remembers where each code point came from.
struct FoldedText: Sendable {
    static let blank: UInt32 = 0x20

    private(set) var scalars: [UInt32] = []
    /// For each of `scalars`, the index of the code point of the text that it stands for.
    private(set) var sources: [UInt32] = []
    private(set) var hasBlanks = false

    init(_ text: String) {
        scalars.reserveCapacity(text.utf8.count)
        sources.reserveCapacity(text.utf8.count)
        let simplified = SimplifiedCharacters.table
        var source: UInt32 = 0
        for scalar in text.unicodeScalars {
            append(scalar, from: source, simplified)
            source += 1
        }
    }

    private init(scalars: [UInt32], sources: [UInt32]) {
        self.scalars = scalars
        self.sources = sources
    }

    /// The same without blanks.
    var withoutBlanks: FoldedText {
        guard hasBlanks else { return self }
        var kept = FoldedText(scalars: [], sources: [])
        kept.scalars.reserveCapacity(scalars.count)
        kept.sources.reserveCapacity(scalars.count)
        for index in scalars.indices where scalars[index] != Self.blank {
            kept.scalars.append(scalars[index])
            kept.sources.append(sources[index])
        }
        return kept
    }

    /// The same without blanks at either end.
    var trimmed: [UInt32] {
        guard let first = scalars.firstIndex(where: { $0 != Self.blank }),
            let last = scalars.lastIndex(where: { $0 != Self.blank })
        else { return [] }
        return Array(scalars[first...last])
    }

    private mutating func append(_ scalar: Unicode.Scalar, from source: UInt32, _ simplified: [UInt16]) {
        var value = scalar.value
        if (0xFF01...0xFF5E).contains(value) { value -= 0xFEE0 }
        switch value {
        // Chinese characters have no case; asking for theirs costs a table look-up.
        case SimplifiedCharacters.range: value = UInt32(simplified[Int(value - SimplifiedCharacters.range.lowerBound)])
        case 0x2E80...0x2FFF, 0x3001...0x4DFF: break
        case 0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x3000:
            hasBlanks = true
            value = Self.blank
        case 0x200B...0x200F, 0x2060, 0xFEFF, 0xAD: return
        case 0x41...0x5A: value |= 0x20
        case 0..<0x80: break
        default:
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                scalars.append(lower.value)
                sources.append(source)
            }
            return
        }
        scalars.append(value)
        sources.append(source)
    }
}

/// Turns code-point offsets of a text into grapheme offsets, for ascending offsets in one walk.
struct GraphemeRuler {
    private let text: String
    private var index: String.Index
    private var scalarOffset = 0
    private(set) var graphemeOffset = 0

    init(_ text: String) {
        self.text = text
        index = text.startIndex
    }

    /// The offset of the grapheme that holds the code point. Offsets must not fall from call to call.
    mutating func grapheme(holding scalar: Int) -> Int {
        while index < text.endIndex {
            let next = text.index(after: index)
            let length = text.unicodeScalars.distance(from: index, to: next)
            if scalar < scalarOffset + length { return graphemeOffset }
            scalarOffset += length
            graphemeOffset += 1
            index = next
        }
        return graphemeOffset
    }
}
