import DTO
import FoundationEssentials

/// The words that a tenant set for all its texts, kept by its people.
struct Vocabulary: Sendable {
    let store: VocabularyStore

    /// In the order in which they were added.
    func words(_ list: WordList, after position: Int64?, limit: Int, of tenantId: UUID) async throws -> [StoredWord] {
        try await store.words(list, after: position, limit: limit, of: tenantId)
    }

    /// Takes the place of the whole list.
    ///
    /// - Throws: ``VocabularyError/duplicates(_:)`` if two are the same word.
    func replace(_ list: WordList, with words: [String], of tenantId: UUID) async throws -> Int {
        try await store.replace(list, with: words, of: tenantId)
    }

    /// Adds a word; one that is there already takes the new spelling.
    ///
    /// - Throws: ``VocabularyError/full(_:)``.
    func add(_ word: String, to list: WordList, of tenantId: UUID) async throws {
        try await store.add(word, to: list, of: tenantId)
    }

    /// - Throws: ``VocabularyError/notFound``.
    func remove(_ word: String, from list: WordList, of tenantId: UUID) async throws {
        guard try await store.remove(word, from: list, of: tenantId) else { throw VocabularyError.notFound }
    }
}

enum WordList: String, Sendable, CaseIterable {
    /// Spelt exactly so.
    case brandWords = "brand-words"
    /// Never to be seen.
    case bannedWords = "banned-words"

    /// What agent-center takes with every request, the caller's and the platform's own words apart.
    var limit: Int {
        switch self {
        case .brandWords: 200
        case .bannedWords: 10_000
        }
    }
}

struct StoredWord: Sendable, Equatable {
    let word: VocabularyWord
    /// Its place in the list.
    let position: Int64
}
