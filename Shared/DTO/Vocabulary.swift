public import FoundationEssentials

// The words that a tenant set for all its texts: brand words are spelt exactly so, banned words are never to be seen.

/// One line of `GET /api/vocabulary/brand-words` and `GET /api/vocabulary/banned-words`.
public struct VocabularyWord: Codable, Sendable, Equatable {
    public var word: String
    public var createdAt: Date

    public init(word: String, createdAt: Date) {
        self.word = word
        self.createdAt = createdAt
    }
}

/// `PUT /api/vocabulary/brand-words` (at most 200) and `PUT /api/vocabulary/banned-words` (at most 10,000): the whole new list.
public struct VocabularyWords: Codable, Sendable, Equatable {
    /// 1–50 characters each. Two that differ in case, width or surrounding space only are the same word.
    public var words: [String]

    public init(words: [String]) { self.words = words }
}

/// How long a list is now.
public struct VocabularyCount: Codable, Sendable, Equatable {
    public var count: Int

    public init(count: Int) { self.count = count }
}
