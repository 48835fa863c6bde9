/// A text as the words and characters that it is made of, for telling whether two texts say the same in the same words.
///
/// Each character of Chinese, Japanese or Korean is a token; letters and digits that stand together are one, lower case, with full-width
/// forms folded. Punctuation, space and emoji are passed over: moving a comma makes no other text.
struct TokenizedText: Sendable {
    struct Token: Sendable {
        var text: String
        /// Where it stands.
        var range: Range<String.Index>
    }

    /// How many tokens one shingle has.
    static let shingleLength = 3

    let text: String
    let tokens: [Token]
    /// The hashes of all runs of ``shingleLength`` tokens, in their order; of a shorter text the hash of all there is.
    let shingles: [UInt64]

    init(_ text: String) {
        self.text = text
        var tokens: [Token] = []
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            let next = text.index(after: index)
            defer { index = next }
            guard character.isLetter || character.isNumber else { continue }
            let folded = Self.folded(character)
            let isWord = !Self.isIdeographic(character)
            if isWord, let last = tokens.last, last.range.upperBound == index, Self.isWord(last.text) {
                tokens[tokens.count - 1].text += folded
                tokens[tokens.count - 1].range = last.range.lowerBound..<next
            } else {
                tokens.append(Token(text: folded, range: index..<next))
            }
        }
        self.tokens = tokens
        let hashes = tokens.map { StableHash.of($0.text) }
        let count = Self.shingleLength
        shingles =
            hashes.count < count
            ? (hashes.isEmpty ? [] : [StableHash.of(hashes)])
            : (0...hashes.count - count).map { StableHash.of(hashes[$0..<$0 + count]) }
    }

    private static func isWord(_ text: String) -> Bool { text.first.map { !isIdeographic($0) } ?? false }

    private static func isIdeographic(_ character: Character) -> Bool {
        guard let scalar = character.unicodeScalars.first else { return false }
        return switch scalar.value {
        case 0x2E80...0x9FFF, 0xAC00...0xD7AF, 0xF900...0xFAFF, 0x20000...0x3FFFF: true
        default: false
        }
    }

    private static func folded(_ character: Character) -> String {
        var folded = ""
        for scalar in character.unicodeScalars {
            // U+FF01…U+FF5E are ASCII, 0xFEE0 further on.
            let isFullWidth = (0xFF01...0xFF5E).contains(scalar.value)
            let plain = isFullWidth ? Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar : scalar
            folded += plain.properties.lowercaseMapping
        }
        return folded
    }
}

/// The same in every process and on every machine, since its values are stored.
enum StableHash {
    static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return mixed(hash)
    }

    static func of(_ numbers: some Sequence<UInt64>) -> UInt64 {
        numbers.reduce(0x9E37_79B9_7F4A_7C15) { mixed(($0 << 7 | $0 >> 57) ^ $1) }
    }

    /// Spreads every bit over the whole (the finaliser of SplitMix64).
    static func mixed(_ number: UInt64) -> UInt64 {
        var number = number &+ 0x9E37_79B9_7F4A_7C15
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}

/// MinHash: the share of equal values of two fingerprints estimates the share of shingles that two texts have in common (Jaccard).
///
/// That says little of a short text that stands whole in a long one. So a fingerprint has marks as well (winnowing, Schleimer et al. 2003): of
/// every ``window`` neighbouring shingles the least. Whoever has the same neighbours has the same mark, whatever stands around them: two texts
/// that share a passage of ``surePassage`` tokens share a mark.
struct TextFingerprint: Sendable, Equatable {
    /// Changes with what is stored of a text.
    static let method = 2
    static let count = 64
    /// How many values make a band: texts that share a tenth of their shingles meet in one of the bands about every fourth time, those
    /// that share three tenths nearly always.
    static let bandLength = 2

    static let window = 8
    /// Of so many tokens.
    static let surePassage = window + TokenizedText.shingleLength - 1
    /// A text of more shingles is looked for by its marks alone.
    static let mostShinglesAsked = 512

    let values: [UInt64]
    let marks: Set<UInt64>
    /// All of them, of a text that is not long.
    private let asked: Set<UInt64>

    /// `nil` for a text without any word.
    init?(_ text: TokenizedText) {
        guard !text.shingles.isEmpty else { return nil }
        marks = Self.marks(of: text.shingles)
        let shingles = Set(text.shingles)
        asked = shingles.count <= Self.mostShinglesAsked ? shingles : marks
        values = (0..<Self.count).map { row in
            let seed = StableHash.mixed(UInt64(row))
            return shingles.reduce(UInt64.max) { min($0, StableHash.mixed($1 ^ seed)) }
        }
    }

    /// Estimated, 0–1.
    func resemblance(to other: TextFingerprint) -> Double {
        Double(zip(values, other.values).filter { $0 == $1 }.count) / Double(Self.count)
    }

    /// Of a text that is shorter than a window all.
    private static func marks(of shingles: [UInt64]) -> Set<UInt64> {
        guard shingles.count >= window else { return Set(shingles) }
        return Set((0...shingles.count - window).map { start in shingles[start..<start + window].reduce(UInt64.max, min) })
    }

    /// What two texts of which one looks for the other may have in common: stored of each.
    var bands: [Int64] { resemblances + Self.stored(marks) }

    /// By which others are looked for.
    var wanted: [Int64] { resemblances + Self.stored(asked) }

    private var resemblances: [Int64] {
        stride(from: 0, to: Self.count, by: Self.bandLength).map { start in
            Int64(bitPattern: StableHash.of([UInt64(start)] + values[start..<start + Self.bandLength]))
        }
    }

    private static func stored(_ marks: Set<UInt64>) -> [Int64] {
        marks.map { Int64(bitPattern: StableHash.of([UInt64(count), $0])) }
    }
}

/// Where two texts say the same.
enum SharedPassages {
    /// Shorter runs are what any two texts have in common.
    static let shortest = 6
    static let most = 10

    /// The share of the first text's shingles that the second has too, 0–1.
    static func share(of text: TokenizedText, in other: TokenizedText) -> Double {
        let (mine, theirs) = (Set(text.shingles), Set(other.shingles))
        return mine.isEmpty ? 0 : Double(mine.intersection(theirs).count) / Double(mine.count)
    }

    /// The runs of tokens that both have, the longest first; none lies in another.
    static func passages(of text: TokenizedText, in other: TokenizedText) -> [(text: String, otherText: String)] {
        let length = TokenizedText.shingleLength
        guard text.tokens.count >= length, other.tokens.count >= length else { return [] }
        let places = Dictionary(grouping: other.shingles.indices, by: { other.shingles[$0] })
        var runs: [(start: Int, other: Int, count: Int)] = []
        var index = 0
        while index < text.shingles.count {
            // A phrase that stands everywhere is looked for in few places: the run found is as good.
            let starts = (places[text.shingles[index]] ?? []).prefix(32)
            let best = starts.map { ($0, run(of: text, from: index, in: other, from: $0)) }.max { $0.1 < $1.1 }
            if let (place, count) = best, count >= shortest {
                runs.append((index, place, count))
                index += max(1, count - length + 1)
            } else {
                index += 1
            }
        }
        return runs.sorted { ($1.count, $0.start) < ($0.count, $1.start) }.prefix(most).map { run in
            (slice(text, run.start, run.count), slice(other, run.other, run.count))
        }
    }

    private static func run(of text: TokenizedText, from start: Int, in other: TokenizedText, from place: Int) -> Int {
        var count = 0
        while start + count < text.tokens.count, place + count < other.tokens.count,
            text.tokens[start + count].text == other.tokens[place + count].text
        {
            count += 1
        }
        return count
    }

    private static func slice(_ text: TokenizedText, _ start: Int, _ count: Int) -> String {
        String(text.text[text.tokens[start].range.lowerBound..<text.tokens[start + count - 1].range.upperBound])
    }
}
