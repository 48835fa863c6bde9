import ConcurrencySupport
import FoundationEssentials

/// Finds the words that a tenant forbids in all its texts, for calls that bring no words themselves.
///
/// A call asks the database for the list's revision alone; the list is read, and made into an automaton, when that has changed.
final class TenantBannedWords: Sendable {
    private struct Kept {
        let revision: Int64
        let finder: WordFinder
    }

    private let store: BannedWordsStore
    private let kept = Lock<[UUID: Kept]>([:])

    private static let none = WordFinder(words: [])
    private static let mostKept = 256

    init(store: BannedWordsStore) { self.store = store }

    func finder(of tenantId: UUID) async throws -> WordFinder {
        guard let revision = try await store.revision(of: tenantId) else { return Self.none }
        if let known = kept.withLock({ $0[tenantId] }), known.revision == revision { return known.finder }
        // What is newer than the revision is read again by the next call.
        let finder = WordFinder(words: try await store.words(of: tenantId))
        kept.withLock { kept in
            if kept[tenantId] == nil, kept.count >= Self.mostKept, let other = kept.keys.first { kept[other] = nil }
            kept[tenantId] = Kept(revision: revision, finder: finder)
        }
        return finder
    }
}
