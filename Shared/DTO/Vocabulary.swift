/// `GET` and `PUT /api/vocabulary`: the words that a tenant set for all its texts.
public struct Vocabulary: Codable, Sendable, Equatable {
    /// Spelt exactly so, at most 200.
    public var brandWords: [String]
    /// Never to be seen, at most 10,000.
    public var bannedWords: [String]

    public init(brandWords: [String], bannedWords: [String]) {
        self.brandWords = brandWords
        self.bannedWords = bannedWords
    }
}
