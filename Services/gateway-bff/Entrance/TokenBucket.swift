import ConcurrencySupport

/// A bucket of tokens that refills evenly: `burst` requests at once, `burst` per `window` over time. A pure value; the caller brings the clock.
struct TokenBucket: Sendable {
    struct Policy: Sendable, Equatable {
        /// Tokens in a full bucket.
        let burst: Int
        /// How long an empty bucket takes to fill.
        let window: Duration
        /// How long one token takes to come back.
        let perToken: Duration
        /// As the `RateLimit-Policy` field says it; made once, since every answer carries it.
        let quota: String

        init(burst: Int, window: Duration) {
            self.burst = burst
            self.window = window
            perToken = window / burst
            quota = "q=\(burst);w=\(Int(window.inSeconds.rounded(.up)))"
        }
    }

    enum Decision: Sendable, Equatable {
        case allowed(remaining: Int, fullAfter: Duration)
        case refused(retryAfter: Duration)
    }

    /// When the bucket is full again. Keeping that instant instead of a count (the generic cell rate algorithm) makes the sums exact.
    private var fullAt: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { fullAt = now }

    mutating func take(policy: Policy, now: ContinuousClock.Instant) -> Decision {
        let next = max(fullAt, now) + policy.perToken
        let fullAfter = now.duration(to: next)
        guard fullAfter <= policy.window else { return .refused(retryAfter: fullAfter - policy.window) }
        fullAt = next
        // The division is in floating point: a hair below a whole number is that number.
        return .allowed(remaining: Int((policy.window - fullAfter) / policy.perToken + 1e-9), fullAfter: fullAfter)
    }

    /// Puts back what ``take(policy:now:)`` has let through.
    mutating func giveBack(policy: Policy) { fullAt = fullAt - policy.perToken }

    /// Whether the bucket is full and may be forgotten.
    func isFull(now: ContinuousClock.Instant) -> Bool { fullAt <= now }
}
