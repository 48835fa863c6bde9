import ConcurrencySupport
import FoundationEssentials

/// Keeps what was built from a tenant's words, so that a list is read into an automaton once and not per text.
final class BannedWordLists: Sendable {
    /// Longer lists have a shelf of their own: the many short ones that come with single requests never push out a list of 10,000.
    static let longFrom = 32

    private struct Key: Hashable {
        let tenantId: UUID
        /// All words in UTF-8, each with a byte behind it that stands in no text: hashed and compared as bytes, not by Unicode's rules.
        let words: [UInt8]

        init(_ words: [String], of tenantId: UUID) {
            self.tenantId = tenantId
            var bytes: [UInt8] = []
            bytes.reserveCapacity(words.count * 16)
            for word in words {
                bytes += word.utf8
                bytes.append(0xFF)
            }
            self.words = bytes
        }
    }

    private let long: Shelf
    private let short: Shelf

    /// - Parameter capacity: lists kept at once on each shelf, of all tenants; the one that was used longest ago goes first.
    init(capacity: Int = 256) {
        long = Shelf(capacity: max(1, capacity))
        short = Shelf(capacity: max(1, capacity))
    }

    func finder(for words: [String], of tenantId: UUID) -> WordFinder {
        if words.isEmpty { return Self.none }
        let shelf = words.count >= Self.longFrom ? long : short
        return shelf.finder(for: words, under: Key(words, of: tenantId))
    }

    private static let none = WordFinder(words: [])

    /// How many long lists are kept.
    var count: Int { long.count }

    private final class Shelf: Sendable {
        private struct State {
            var finders: [Key: (finder: WordFinder, used: UInt64)] = [:]
            var clock: UInt64 = 0
        }

        private let state = Lock(State())
        private let capacity: Int

        init(capacity: Int) { self.capacity = capacity }

        var count: Int { state.withLock { $0.finders.count } }

        func finder(for words: [String], under key: Key) -> WordFinder {
            let kept = state.withLock { state -> WordFinder? in
                state.clock += 1
                state.finders[key]?.used = state.clock
                return state.finders[key]?.finder
            }
            if let kept { return kept }
            // Built outside the lock: two that come at once both build, and one is kept.
            let finder = WordFinder(words: words)
            state.withLock { state in
                if state.finders.count >= capacity, let oldest = state.finders.min(by: { $0.value.used < $1.value.used })?.key {
                    state.finders[oldest] = nil
                }
                state.finders[key] = (finder, state.clock)
            }
            return finder
        }
    }
}
