import Testing

@testable import PostgresStore

/// The pool's decisions, without sockets, threads or time.
@Suite struct PoolStateMachineTests {
    private let start = ContinuousClock.now

    private func machine(capacity: Int = 2) -> PoolStateMachine {
        PoolStateMachine(configuration: .init(capacity: capacity, idleTimeout: .seconds(60)))
    }

    private func waiter(
        _ id: UInt64, at offset: Duration = .zero, limit: Duration = .seconds(5), home: Int? = nil
    ) -> PoolStateMachine.Waiter {
        .init(id: id, since: start + offset, deadline: start + offset + limit, home: home)
    }

    @Test func opensAsManyAsAreWaitedForUpToTheCapacity() {
        var pool = machine()
        #expect(pool.acquire(waiter(1)) == .wait(open: 1, tickBy: start + .seconds(5)))
        #expect(pool.acquire(waiter(2)) == .wait(open: 2, tickBy: start + .seconds(5)))
        #expect(pool.acquire(waiter(3)) == .wait(open: nil, tickBy: start + .seconds(5)))
        #expect(pool.opened(2, now: start) == .lease(waiter: 1))
        #expect(pool.opened(1, now: start) == .lease(waiter: 2))
        #expect(pool.release(2, now: start) == .lease(waiter: 3))
        #expect((pool.leasedCount, pool.idleCount, pool.waitingCount) == (2, 0, 0))
        #expect(pool.release(1, now: start) == .keep)
        #expect(pool.acquire(waiter(4)) == .lease(1))
    }

    @Test func theWarmestConnectionIsLentFirst() {
        var pool = machine()
        _ = pool.acquire(waiter(1))
        _ = pool.acquire(waiter(2))
        _ = pool.opened(1, now: start)
        _ = pool.opened(2, now: start)
        _ = pool.release(1, now: start)
        _ = pool.release(2, now: start + .seconds(1))
        #expect(pool.acquire(waiter(3)) == .lease(2))
    }

    @Test func aConnectionOfTheCallersHomeIsLentFirstAndAnyOtherMovesThere() {
        var pool = machine()
        _ = pool.acquire(waiter(1, home: 0))
        _ = pool.acquire(waiter(2, home: 1))
        #expect((pool.home(of: 1), pool.home(of: 2)) == (0, 1))
        _ = pool.opened(1, now: start)
        _ = pool.opened(2, now: start)
        _ = pool.release(1, now: start)
        _ = pool.release(2, now: start)
        #expect(pool.acquire(waiter(3, home: 0)) == .lease(1))
        #expect(pool.acquire(waiter(4, home: 0)) == .lease(2))
        #expect(pool.home(of: 2) == 0)
    }

    @Test func waitersOfTheSameHomeGoFirstUnlessAnotherHasWaitedForLong() {
        var pool = machine(capacity: 1)
        _ = pool.acquire(waiter(1, home: 0))
        _ = pool.opened(1, now: start)
        _ = pool.acquire(waiter(2, home: 1))
        _ = pool.acquire(waiter(3, home: 0))
        _ = pool.acquire(waiter(4, home: 0))
        #expect(pool.release(1, now: start + .milliseconds(1)) == .lease(waiter: 3))
        #expect(pool.release(1, now: start + .milliseconds(5)) == .lease(waiter: 2))
        #expect(pool.release(1, now: start + .milliseconds(6)) == .lease(waiter: 4))
        #expect(pool.release(1, now: start + .milliseconds(7)) == .keep)
    }

    @Test func waitersLeaveByCancellationAndByDeadline() {
        var pool = machine(capacity: 1)
        _ = pool.acquire(waiter(1))
        _ = pool.opened(1, now: start)
        _ = pool.acquire(waiter(2, limit: .seconds(1)))
        _ = pool.acquire(waiter(3))
        _ = pool.acquire(waiter(4))
        let cancelled = [pool.cancel(3), pool.cancel(3)]
        #expect(cancelled == [true, false])
        #expect(pool.nextTick(now: start) == start + .seconds(1))
        #expect(pool.tick(now: start + .milliseconds(999)).expired == [])
        #expect(pool.tick(now: start + .seconds(1)).expired.map(\.id) == [2])
        #expect(pool.release(1, now: start) == .lease(waiter: 4))
        #expect(pool.waitingCount == 0)
    }

    @Test func aFailureWithoutAnyConnectionIsToldToAll() {
        var pool = machine()
        _ = pool.acquire(waiter(1))
        _ = pool.acquire(waiter(2))
        #expect(pool.lost(1, now: start, jitter: 0.5) == .init())
        let orders = pool.lost(2, now: start, jitter: 0.5)
        #expect(orders.failed == [1, 2] && orders.open == [])
        #expect(pool.connectionCount == 0)
    }

    @Test func attemptsBackOffAndRecover() {
        var pool = machine()
        var now = start
        var delays: [Duration] = []
        for attempt in 0..<8 {
            let offset = start.duration(to: now)
            guard case .wait(let opening, let tickBy) = pool.acquire(waiter(UInt64(attempt), at: offset)) else {
                Issue.record("leased from nowhere")
                return
            }
            var connection = opening
            if connection == nil {
                // Not yet: the tick at the retry opens it.
                delays.append(now.duration(to: tickBy))
                now = tickBy
                connection = pool.tick(now: now).open.first
            }
            guard let connection else {
                Issue.record("attempt \(attempt) never opened")
                return
            }
            #expect(pool.lost(connection, now: now, jitter: 0.5).failed == [UInt64(attempt)])
        }
        let expected = [50, 100, 200, 400, 800, 1_000, 1_000].map { Duration.milliseconds($0) }
        #expect(delays == expected)
        now += .seconds(2)
        guard case .wait(.some(let id), _) = pool.acquire(waiter(100, at: start.duration(to: now))) else {
            Issue.record("no attempt after the pause")
            return
        }
        #expect(pool.opened(id, now: now) == .lease(waiter: 100))
        // Recovered: the next ones open at once.
        #expect(pool.acquire(waiter(101, at: start.duration(to: now))) == .wait(open: id + 1, tickBy: now + .seconds(5)))
    }

    @Test func aFailureBesideLivingConnectionsKeepsWaitersWaiting() {
        var pool = machine()
        _ = pool.acquire(waiter(1))
        _ = pool.opened(1, now: start)
        _ = pool.acquire(waiter(2))
        let orders = pool.lost(2, now: start, jitter: 0.5)
        #expect(orders.failed == [] && orders.open == [])
        #expect(pool.tick(now: start + .milliseconds(10)).open == [])
        #expect(pool.tick(now: start + .milliseconds(50)).open == [3])
        #expect(pool.release(1, now: start) == .lease(waiter: 2))
    }

    @Test func aDeadLeaseIsReplacedForThoseWhoWait() {
        var pool = machine(capacity: 1)
        _ = pool.acquire(waiter(1))
        _ = pool.opened(1, now: start)
        _ = pool.acquire(waiter(2))
        #expect(pool.lost(1, now: start, jitter: 0).open == [2])
        #expect(pool.release(1, now: start) == .close, "what is lost does not come back")
        #expect(pool.opened(2, now: start) == .lease(waiter: 2))
    }

    @Test func idleConnectionsAreClosedAfterAWhile() {
        var pool = machine()
        _ = pool.acquire(waiter(1))
        _ = pool.acquire(waiter(2))
        _ = pool.opened(1, now: start)
        _ = pool.opened(2, now: start)
        _ = pool.release(1, now: start)
        _ = pool.release(2, now: start + .seconds(30))
        #expect(pool.nextTick(now: start) == start + .seconds(60))
        #expect(pool.tick(now: start + .seconds(60)).close == [1])
        #expect(pool.nextTick(now: start) == start + .seconds(90))
        #expect(pool.tick(now: start + .seconds(90)).close == [2])
        #expect(pool.connectionCount == 0 && pool.nextTick(now: start) == nil)
    }

    @Test func closingRefusesAndEmpties() {
        var pool = machine(capacity: 3)
        for id in 1...4 { _ = pool.acquire(waiter(UInt64(id))) }
        _ = pool.opened(1, now: start)
        _ = pool.opened(2, now: start)
        _ = pool.cancel(3)
        _ = pool.cancel(4)
        _ = pool.release(2, now: start)
        _ = pool.acquire(waiter(5))
        _ = pool.acquire(waiter(6))
        let orders = pool.close()
        #expect(orders.close == [3] && orders.failed == [6])
        #expect(pool.acquire(waiter(7)) == .refuse)
        #expect(pool.release(1, now: start) == .close)
        #expect(pool.opened(3, now: start) == .close)
    }

    @Test func manyWaitersAreServedInOrder() {
        var pool = machine(capacity: 1)
        for id in 0..<10_000 { _ = pool.acquire(waiter(UInt64(id))) }
        var served: [UInt64] = []
        var next = pool.opened(1, now: start)
        while case .lease(let id) = next {
            served.append(id)
            next = pool.release(1, now: start)
        }
        #expect(served == (0..<10_000).map { UInt64($0) })
        #expect(pool.idleCount == 1 && pool.waitingCount == 0)
    }
}
