import ConcurrencySupport

/// The places of one worker: how many jobs run at a time. Whoever waits for a place gets the next free one by rank, then by time.
///
/// The worker's own look for due jobs takes what is free; where everything is always taken by those who wait, it gets a place of its own
/// once in a while, so that a job whose ticket got lost is found also then.
final class WorkPlaces: Sendable {
    /// How long a look for due jobs goes without a place at most.
    static let longestWithoutLook = Duration.seconds(10)

    private struct Waiter {
        let rank: Int
        let turn: OneShot<Bool>
    }

    private struct State {
        var free: Int
        var waiting: [Waiter] = []
        var missedLook: ContinuousClock.Instant?
        var isClosed = false
    }

    private let state: Lock<State>

    init(_ count: Int) { state = Lock(State(free: count)) }

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

    /// Waits for a place.
    ///
    /// - Parameter rank: less comes first.
    /// - Returns: `false` where there is none any more, or the task was cancelled.
    func take(rank: Int) async -> Bool {
        let turn = OneShot<Bool>()
        let isFree = state.withLock { state -> Bool? in
            if state.isClosed { return false }
            if state.free > 0, state.waiting.isEmpty {
                state.free -= 1
                return true
            }
            let index = state.waiting.firstIndex { $0.rank > rank } ?? state.waiting.endIndex
            state.waiting.insert(Waiter(rank: rank, turn: turn), at: index)
            return nil
        }
        if let isFree { return isFree }
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

    private func giveBack() {
        let next = state.withLock { state -> OneShot<Bool>? in
            let owesLook = state.missedLook.map { $0.duration(to: .now) >= Self.longestWithoutLook } ?? false
            guard !state.waiting.isEmpty, !owesLook else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().turn
        }
        // Cancelled meanwhile: the place goes on to the next.
        if let next, !next.succeed(true) { giveBack() }
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
