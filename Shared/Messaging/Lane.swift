import ConcurrencySupport

/// Messages that are handled one after the other: the link's thread puts them in, one task takes them out.
final class Lane: Sendable {
    private struct State {
        var waiting: [ReceivedMessage] = []
        var isClosed = false
        var taker: OneShot<Void>?
    }

    private let state = Lock(State())

    func put(_ messages: [ReceivedMessage]) {
        let taker = state.withLock { state -> OneShot<Void>? in
            state.waiting += messages
            defer { state.taker = nil }
            return state.taker
        }
        taker?.succeed()
    }

    /// What waits, or what comes next.
    ///
    /// - Returns: nothing when the lane is closed or the task is cancelled.
    func take(atMost limit: Int) async -> [ReceivedMessage] {
        while !Task.isCancelled {
            let something = OneShot<Void>()
            let taken = state.withLock { state -> [ReceivedMessage]? in
                if state.isClosed { return [] }
                guard !state.waiting.isEmpty else {
                    state.taker = something
                    return nil
                }
                let taken = Array(state.waiting.prefix(limit))
                state.waiting.removeFirst(taken.count)
                return taken
            }
            if let taken { return taken }
            guard (try? await something.value()) != nil else { return [] }
        }
        return []
    }

    /// What still waits goes back to the queue with the channel.
    func close() {
        let taker = state.withLock { state -> OneShot<Void>? in
            state.isClosed = true
            defer { state.taker = nil }
            return state.taker
        }
        taker?.succeed()
    }
}
