import Testing

@testable import GatewayBFF

@Suite("A token bucket")
struct TokenBucketTests {
    let policy = TokenBucket.Policy(burst: 3, window: .seconds(30))
    let start = ContinuousClock.now

    @Test("lets a burst through, then refuses and says when to come again")
    func burstThenRefusal() {
        var bucket = TokenBucket(now: start)
        #expect(bucket.take(policy: policy, now: start) == .allowed(remaining: 2, fullAfter: .seconds(10)))
        #expect(bucket.take(policy: policy, now: start) == .allowed(remaining: 1, fullAfter: .seconds(20)))
        #expect(bucket.take(policy: policy, now: start) == .allowed(remaining: 0, fullAfter: .seconds(30)))
        #expect(bucket.take(policy: policy, now: start) == .refused(retryAfter: .seconds(10)))
    }

    @Test("refills evenly and never above its size")
    func refill() {
        var bucket = TokenBucket(now: start)
        for _ in 0..<3 { _ = bucket.take(policy: policy, now: start) }
        #expect(bucket.take(policy: policy, now: start + .seconds(9)) == .refused(retryAfter: .seconds(1)))
        #expect(bucket.take(policy: policy, now: start + .seconds(10)) == .allowed(remaining: 0, fullAfter: .seconds(30)))
        #expect(bucket.take(policy: policy, now: start + .seconds(1_000)) == .allowed(remaining: 2, fullAfter: .seconds(10)))
    }

    @Test("does not pay out twice when the clock is read out of order")
    func clockOutOfOrder() {
        var bucket = TokenBucket(now: start)
        for _ in 0..<3 { _ = bucket.take(policy: policy, now: start + .seconds(10)) }
        _ = bucket.take(policy: policy, now: start)
        guard case .refused = bucket.take(policy: policy, now: start + .seconds(10)) else {
            Issue.record("an earlier instant must not make the bucket refill twice")
            return
        }
    }
}

@Suite("Rate limits")
struct RateLimitsTests {
    private func limits(tenant: Int, address: Int) -> RateLimits {
        RateLimits(
            policies: .init(
                perTenant: [.read: .init(burst: tenant, window: .seconds(60))],
                perAddress: [.read: .init(burst: address, window: .seconds(60))]))
    }

    @Test("are kept apart by tenant, by address and by class")
    func separateOwners() throws {
        let limits = limits(tenant: 1, address: 1)
        let first = try #require(limits.takeForTenant("t1", class: .read))
        #expect(first.decision == .allowed(remaining: 0, fullAfter: .seconds(60)))
        guard case .refused = try #require(limits.takeForTenant("t1", class: .read)).decision else {
            Issue.record("the second request of the tenant must be refused")
            return
        }
        #expect(
            try #require(limits.takeForTenant("t2", class: .read)).decision == .allowed(remaining: 0, fullAfter: .seconds(60)))
        #expect(
            try #require(limits.takeForAddress("t1", class: .read)).decision == .allowed(remaining: 0, fullAfter: .seconds(60)))
        #expect(limits.takeForTenant("t1", class: .write) == nil)
    }

    /// A budget for 100 calls is seen to refuse the other 900 of a thousand at once.
    @Test("of generating calls come after the budgets in money and calls")
    func generating() {
        let policies = RateLimits.Policies.standard()
        #expect(policies.perTenant[.generate]?.burst == 3_000 && policies.perAddress[.generate]?.burst == 3_000)
    }

    @Test("tell the client where it stands")
    func headers() throws {
        let standing = try #require(limits(tenant: 10, address: 10).takeForTenant("t", class: .read))
        #expect(
            standing.headers.map(\.0) == ["RateLimit-Policy", "RateLimit"]
                && standing.headers.map(\.1) == ["\"tenant\";q=10;w=60", "\"tenant\";r=9;t=6"])
    }

    @Test("admit exactly the burst when many ask at once")
    func concurrent() async {
        let limits = limits(tenant: 50, address: 1)
        let allowed = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    if case .allowed? = limits.takeForTenant("t", class: .read)?.decision { true } else { false }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect((50...51).contains(allowed))
    }
}
