import ConcurrencySupport
import Synchronization

/// Counts the requests that a server has in work, on all its loops, and closes when there are none left.
///
/// One atomic number: exchanges count in its upper half, tasks (handlers and stream producers, which may outlive their exchange) in its
/// lower, and the sign says that nothing begins any more.
final class WorkGate: Sendable {
    private struct Waiter {
        let idle: OneShot<Void>
        let waitsForTasks: Bool
    }

    private static let exchange = 1 << 32
    private static let task = 1
    private static let closed = Int.min

    private let work = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)
    private let hasWaiter = Atomic<Bool>(false)
    private let waiter = Lock<Waiter?>(nil)

    /// Answers close their connection, and event streams end.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    var exchangeCount: Int { Self.exchanges(work.load(ordering: .relaxed)) }

    private static func exchanges(_ work: Int) -> Int { (work & ~closed) >> 32 }

    /// A request's exchange and its handler's task begin.
    ///
    /// - Returns: `false` where nothing begins any more.
    func begin() -> Bool {
        let (_, now) = work.add(Self.exchange + Self.task, ordering: .sequentiallyConsistent)
        guard now >= 0 else {
            end(Self.exchange + Self.task)
            return false
        }
        return true
    }

    /// The task of a body begins, within an open exchange.
    func beginTask() { work.add(Self.task, ordering: .sequentiallyConsistent) }

    func endTask() { end(Self.task) }

    func endExchange() { end(Self.exchange) }

    private func end(_ count: Int) {
        work.subtract(count, ordering: .sequentiallyConsistent)
        if hasWaiter.load(ordering: .sequentiallyConsistent) { checkIdle() }
    }

    func beginDraining() { draining.store(true, ordering: .sequentiallyConsistent) }

    /// Nothing begins any more.
    func close() { work.bitwiseOr(Self.closed, ordering: .sequentiallyConsistent) }

    /// Waits until nothing is in work; from then on nothing begins.
    ///
    /// - Throws: `CancellationError`.
    func waitUntilIdle() async throws {
        let idle = OneShot<Void>()
        register(Waiter(idle: idle, waitsForTasks: true))
        try await idle.value()
    }

    /// Waits, cancelled or not, until the library has let go of every exchange, at most for `patience`. The gate must be closed.
    func waitUntilReleased(patience: Duration) async {
        let idle = OneShot<Void>()
        register(Waiter(idle: idle, waitsForTasks: false))
        let alarm = Alarm.set(at: .after(patience)) { idle.succeed() }
        try? await idle.value(onCancel: {})
        alarm.cancel()
    }

    private func register(_ new: Waiter) {
        waiter.withLock { $0 = new }
        hasWaiter.store(true, ordering: .sequentiallyConsistent)
        checkIdle()
    }

    private func checkIdle() {
        let idle = waiter.withLock { waiter -> OneShot<Void>? in
            guard let waiting = waiter, isIdle(waiting) else { return nil }
            waiter = nil
            return waiting.idle
        }
        idle?.succeed()
    }

    private func isIdle(_ waiter: Waiter) -> Bool {
        guard waiter.waitsForTasks else { return exchangeCount == 0 }
        let (_, found) = work.compareExchange(expected: 0, desired: Self.closed, ordering: .sequentiallyConsistent)
        return found == 0 || found == Self.closed
    }
}
