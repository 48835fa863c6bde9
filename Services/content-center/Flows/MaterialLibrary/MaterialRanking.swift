import DTO
import FoundationEssentials
import Glibc

/// How well a material does, from what became of it and how long ago: a pure rule.
///
///     n       = max(sent, opened, won)                       a win whose sending nobody told of was sent all the same
///     quality = 0.8 (won + 1) / (n + 10) + 0.2 (opened + 3) / (n + 10)
///     score   = 1,000 · quality · 2 ^ (−age / 90 days)
///
/// The added numbers are ten imagined sendings of which one was won and three were opened: a new material begins in the middle and not at
/// either end, and one lucky win moves it little. `age` counts from its last change or its last win, whichever is later.
enum MaterialRanking {
    struct Counts: Sendable, Equatable {
        var sent = 0
        var opened = 0
        var won = 0
    }

    static let halfLife: TimeInterval = 90 * 86_400

    /// Above 0, below 1.
    static func quality(_ counts: Counts) -> Double {
        let tries = Double(max(counts.sent, counts.opened, counts.won) + 10)
        return 0.8 * Double(counts.won + 1) / tries + 0.2 * Double(counts.opened + 3) / tries
    }

    /// 0–1,000, as people see it.
    static func score(_ counts: Counts, activeAt: Date, now: Date) -> Int {
        let age = max(0, now.timeIntervalSince(activeAt))
        return Int((1_000 * quality(counts) * exp2(-age / halfLife)).rounded())
    }

    /// Sorts materials as their scores do, at whatever moment: all scores fade alike, so the logarithm of the score is this number less the
    /// same for all. That is why it can be stored, and be a page's key.
    static func rank(_ counts: Counts, activeAt: Date) -> Int {
        Int(((log2(quality(counts)) + activeAt.timeIntervalSince1970 / halfLife) * 1_000_000_000).rounded())
    }
}
