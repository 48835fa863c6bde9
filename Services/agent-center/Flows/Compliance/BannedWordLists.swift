import ConcurrencySupport
import FoundationEssentials

/// Keeps what was built from a tenant's words, so that a list of 10,000 is read into an automaton once and not per text.
final class BannedWordLists: Sendable {
    /// Lists below this length are built faster than looked up.
    static let keptFrom = 32

    private struct Key: Hashable {
        let tenantId: UUID
        let words: [String]
    }

    private struct State {
        var finders: [Key: (finder: WordFinder, used: UInt64)] = [:]
        var clock: UInt64 = 0
    }

    private let state = Lock(State())
    private let capacity: Int

    /// - Parameter capacity: lists kept at once, of all tenants; the one that was used longest ago goes first.
    init(capacity: Int = 256) { self.capacity = max(1, capacity) }

    func finder(for words: [String], of tenantId: UUID) -> WordFinder {
        guard words.count >= Self.keptFrom else { return WordFinder(words: words) }
        let key = Key(tenantId: tenantId, words: words)
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

    /// How many lists are kept.
    var count: Int { state.withLock { $0.finders.count } }
}
