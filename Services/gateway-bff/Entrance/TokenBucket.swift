import ConcurrencySupport

/// A bucket of tokens that refills evenly: `burst` requests at once, `burst` per `window` over time. A pure value; the caller brings the clock.
struct TokenBucket: Sendable {
    struct Policy: Sendable, Equatable {
        /// Tokens in a full bucket.
        let burst: Int
        /// How long an empty bucket takes to fill.
        let window: Duration
    }

    enum Decision: Sendable, Equatable {
        case allowed(remaining: Int, fullAfter: Duration)
        case refused(retryAfter: Duration)
    }

    private var tokens: Double
    private(set) var updatedAt: ContinuousClock.Instant

    init(policy: Policy, now: ContinuousClock.Instant) {
        tokens = Double(policy.burst)
        updatedAt = now
    }

    mutating func take(policy: Policy, now: ContinuousClock.Instant) -> Decision {
        let perSecond = Double(policy.burst) / policy.window.inSeconds
        let elapsed = max(0, updatedAt.duration(to: now).inSeconds)
        tokens = min(Double(policy.burst), tokens + elapsed * perSecond)
        updatedAt = max(updatedAt, now)
        guard tokens >= 1 else {
            return .refused(retryAfter: .seconds((1 - tokens) / perSecond))
        }
        tokens -= 1
        return .allowed(remaining: Int(tokens), fullAfter: .seconds((Double(policy.burst) - tokens) / perSecond))
    }

    /// Whether the bucket is full again and may be forgotten.
    func isIdle(policy: Policy, now: ContinuousClock.Instant) -> Bool {
        updatedAt.duration(to: now) >= policy.window
    }
}
