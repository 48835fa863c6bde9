import ConcurrencySupport
import FoundationEssentials

/// The places of one worker: how many jobs run at a time. Whoever waits for a place gets the next free one by rank, then by time.
///
/// No tenant has more than its share of them. Who comes with a job of one that has is sent away at once: nobody waits behind him.
///
/// The worker's own look for due jobs takes what is free; where everything is always taken by those who wait, it gets a place of its own
/// once in a while, so that a job whose ticket got lost is found also then.
final class WorkPlaces: Sendable {
    /// How long a look for due jobs goes without a place at most.
    static let longestWithoutLook = Duration.seconds(10)

    /// Whose turns are remembered; of more tenants than that those who have waited longest all count as new.
    private static let mostRemembered = 1_000

    private struct Waiter {
        let rank: Int
        let tenant: UUID
        let turn: OneShot<Bool>
    }

    private struct State {
        var free: Int
        let share: Int
        var waiting: [Waiter] = []
        var running: [UUID: Int] = [:]
        /// Who had a place before, the last one last.
        var served: [UUID] = []
        var missedLook: ContinuousClock.Instant?
        var isClosed = false

        func isFull(_ tenant: UUID) -> Bool { running[tenant, default: 0] >= share }

        mutating func enter(_ tenant: UUID) {
            running[tenant, default: 0] += 1
            served.removeAll { $0 == tenant }
            served.append(tenant)
            if served.count > WorkPlaces.mostRemembered { served.removeFirst() }
        }

        mutating func leave(_ tenant: UUID) {
            let left = running[tenant, default: 1] - 1
            running[tenant] = left > 0 ? left : nil
        }
    }

    private let state: Lock<State>

    /// - Parameter share: how many of them one tenant may have; all where it is left out.
    init(_ count: Int, share: Int? = nil) { state = Lock(State(free: count, share: share ?? .max)) }

    /// The ranks of those who wait, whose turn is next first.
    var waitingRanks: [Int] { state.withLock { $0.waiting.map(\.rank) } }

    /// Takes all that are free; give back what is not needed.
    func takeFree() -> Int {
        state.withLock { state in
            defer { state.free = 0 }
            state.missedLook = state.free > 0 ? nil : state.missedLook ?? .now
            return state.free
        }
    }

    /// Tenants that have their share.
    var full: [UUID] { state.withLock { state in state.running.keys.filter(state.isFull) } }

    /// Who had a place before, the last one last.
    var served: [UUID] { state.withLock { $0.served } }

    /// Puts a tenant's job on a place that was taken as a free one.
    ///
    /// - Returns: `false` where the tenant has its share by now.
    func enter(_ tenant: UUID) -> Bool {
        state.withLock { state in
            guard !state.isFull(tenant) else { return false }
            state.enter(tenant)
            return true
        }
    }

    /// Waits for a place.
    ///
    /// - Parameters:
    ///   - rank: less comes first.
    ///   - patience: how long at most; for ever where it is left out.
    /// - Returns: `false` where there is none any more or in time, where the tenant has its share, or the task was cancelled.
    func take(rank: Int, tenant: UUID, patience: Duration? = nil) async -> Bool {
        let turn = OneShot<Bool>()
        let isFree = state.withLock { state -> Bool? in
            if state.isClosed || state.isFull(tenant) { return false }
            if state.free > 0, state.waiting.isEmpty {
                state.free -= 1
                state.enter(tenant)
                return true
            }
            let index = state.waiting.firstIndex { $0.rank > rank } ?? state.waiting.endIndex
            state.waiting.insert(Waiter(rank: rank, tenant: tenant, turn: turn), at: index)
            return nil
        }
        if let isFree { return isFree }
        let alarm = patience.map { patience in Alarm.set(at: .after(patience)) { self.forget(turn) } }
        defer { alarm?.cancel() }
        return (try? await turn.value(onCancel: { self.forget(turn) })) ?? false
    }

    private func forget(_ turn: OneShot<Bool>) {
        state.withLock { $0.waiting.removeAll { $0.turn === turn } }
        // Where the turn has come in this very moment, it counts.
        turn.succeed(false)
    }

    func giveBack(_ count: Int) {
        for _ in 0..<count { giveBack() }
    }

    /// The job of a tenant is over.
    func leave(_ tenant: UUID) {
        state.withLock { $0.leave(tenant) }
        giveBack()
    }

    private func giveBack() {
        var sentAway: [OneShot<Bool>] = []
        let next = state.withLock { state -> Waiter? in
            let owesLook = state.missedLook.map { $0.duration(to: .now) >= Self.longestWithoutLook } ?? false
            while !owesLook, let waiter = state.waiting.first {
                state.waiting.removeFirst()
                guard !state.isFull(waiter.tenant) else {
                    sentAway.append(waiter.turn)
                    continue
                }
                state.enter(waiter.tenant)
                return waiter
            }
            state.free += 1
            return nil
        }
        for turn in sentAway { turn.succeed(false) }
        // Cancelled meanwhile: the place goes on to the next.
        if let next, !next.turn.succeed(true) { leave(next.tenant) }
    }

    /// Nobody gets a place any more.
    func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = true
            return state.waiting
        }
        for waiter in waiting { waiter.turn.succeed(false) }
    }
}
