import ConcurrencySupport
import HTTPCore
import HTTPServing

/// Token buckets by tenant and by client address for each class of routes. They live in this process: with n replicas behind the
/// ingress a caller has at most n times the stated budget.
final class RateLimits: Sendable {
    /// Requests that one tenant, and one address, may send.
    struct Policies: Sendable {
        var perTenant: [PublicRoute.RateClass: TokenBucket.Policy]
        var perAddress: [PublicRoute.RateClass: TokenBucket.Policy]

        /// Model time is guarded by budgets in money and calls, which say what they refuse; that of requests must not come before them.
        static func standard(scale: Int = 1) -> Policies {
            func perMinute(_ count: Int) -> TokenBucket.Policy { .init(burst: count * scale, window: .seconds(60)) }
            return Policies(
                perTenant: [
                    .read: perMinute(6_000), .write: perMinute(1_200), .generate: perMinute(3_000), .stream: perMinute(600),
                ],
                perAddress: [
                    .signIn: perMinute(20), .read: perMinute(6_000), .write: perMinute(1_200), .generate: perMinute(3_000),
                    .stream: perMinute(120),
                ])
        }
    }

    fileprivate struct Key: Hashable {
        let rateClass: PublicRoute.RateClass
        let owner: String

        /// An owner has few classes, and those cost more to hash than to compare.
        func hash(into hasher: inout Hasher) { hasher.combine(owner) }
    }

    private struct State {
        var buckets: [Key: TokenBucket] = [:]
        var nextSweep: ContinuousClock.Instant = .now

        /// - Returns: also whose bucket it was taken from.
        mutating func take(
            _ policy: TokenBucket.Policy, from key: Key, now: ContinuousClock.Instant
        ) -> (slot: Key, decision: TokenBucket.Decision) {
            if now >= nextSweep {
                buckets = buckets.filter { !$0.value.isFull(now: now) }
                nextSweep = now + .seconds(60)
            }
            let slot = self.slot(for: key)
            return (slot, buckets[slot, default: TokenBucket(now: now)].take(policy: policy, now: now))
        }

        /// A bucket that has been forgotten since was full.
        mutating func giveBack(_ tokens: [(key: Key, policy: TokenBucket.Policy)]) {
            for (slot, policy) in tokens { buckets[slot]?.giveBack(policy: policy) }
        }

        private func slot(for key: Key) -> Key {
            guard buckets.count >= maximumBuckets, buckets[key] == nil else { return key }
            return Key(rateClass: key.rateClass, owner: "*")
        }
    }

    /// More owners than this within a minute are answered from one shared bucket per class: an attacker with many addresses must not
    /// grow our memory.
    private static let maximumBuckets = 100_000

    private let policies: Policies
    private let state = Lock(State())

    init(policies: Policies) { self.policies = policies }

    /// What the answer tells about the limit, as `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers).
    struct Standing: Sendable, Equatable {
        let name: String
        let policy: TokenBucket.Policy
        let decision: TokenBucket.Decision

        var headers: [(String, String)] {
            let (remaining, reset) =
                switch decision {
                case .allowed(let remaining, let fullAfter): (remaining, Int(fullAfter.inSeconds.rounded(.up)))
                case .refused(let retryAfter): (0, Int(retryAfter.inSeconds.rounded(.up)))
                }
            return [
                ("RateLimit-Policy", "\"\(name)\";\(policy.quota)"),
                ("RateLimit", "\"\(name)\";r=\(remaining);t=\(reset)"),
            ]
        }
    }

    func takeForAddress(_ address: String, class rateClass: PublicRoute.RateClass) -> Standing? {
        take(policies.perAddress[rateClass], name: "address", key: Key(rateClass: rateClass, owner: "a:" + address))
    }

    func takeForTenant(_ tenant: String, class rateClass: PublicRoute.RateClass) -> Standing? {
        take(policies.perTenant[rateClass], name: "tenant", key: Key(rateClass: rateClass, owner: "t:" + tenant))
    }

    // MARK: Guessing passwords

    /// Only failures count in the end, so whoever knows the password may come as often as other limits allow. From one address an account
    /// has few; from all together it has many, since its owner, too, is kept out by what others get wrong.
    private static func guesses(at email: String, from address: String) -> [(key: Key, policy: TokenBucket.Policy)] {
        [
            (Key(rateClass: .signIn, owner: "g:\(address) \(email)"), .init(burst: 10, window: .seconds(300))),
            (Key(rateClass: .signIn, owner: "u:" + email), .init(burst: 200, window: .seconds(3_600))),
        ]
    }

    /// An attempt to sign in. It counts as a failure unless it is taken back.
    struct Guess: Sendable {
        fileprivate var tokens: [(key: Key, policy: TokenBucket.Policy)] = []
    }

    /// Counts an attempt before anybody looks at its password: of many that come at once, no more are looked at than may fail.
    ///
    /// - Throws: how long to wait before the next attempt.
    func takeGuess(at email: String, from address: String) throws -> Guess {
        let now = ContinuousClock.now
        return try state.withLock { state in
            var guess = Guess()
            for (key, policy) in Self.guesses(at: email, from: address) {
                let (slot, decision) = state.take(policy, from: key, now: now)
                if case .refused(let retryAfter) = decision {
                    state.giveBack(guess.tokens)
                    throw TooManyRequests(code: "auth.too_many_failures", retryAfter: retryAfter)
                }
                guess.tokens.append((slot, policy))
            }
            return guess
        }
    }

    /// The password was right, or nobody has said whether it was.
    func takeBack(_ guess: Guess) { state.withLock { $0.giveBack(guess.tokens) } }

    // MARK: Buckets

    private func take(_ policy: TokenBucket.Policy?, name: String, key: Key) -> Standing? {
        guard let policy else { return nil }
        let now = ContinuousClock.now
        let decision = state.withLock { $0.take(policy, from: key, now: now).decision }
        return Standing(name: name, policy: policy, decision: decision)
    }
}
