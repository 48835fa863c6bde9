import ConcurrencySupport

import struct Synchronization.Atomic

/// Wakes one loop; a ring that comes while nobody waits is not lost.
final class WakeSignal: Sendable {
    private struct State {
        var isRung = false
        var waiter: OneShot<Void>?
    }

    private let state = Lock(State())

    func ring() {
        let waiter = state.withLock { state -> OneShot<Void>? in
            state.isRung = state.waiter == nil
            return state.waiter.take()
        }
        waiter?.succeed()
    }

    /// Returns at the next ring, after `limit`, or when the task is cancelled.
    func wait(atMost limit: Duration) async {
        let waiter = OneShot<Void>()
        let isRung = state.withLock { state -> Bool in
            if state.isRung {
                state.isRung = false
                return true
            }
            state.waiter = waiter
            return false
        }
        if isRung { return }
        let alarm = Alarm.set(at: .after(limit)) { self.ring() }
        try? await waiter.value()
        alarm.cancel()
        state.withLock { if $0.waiter === waiter { $0.waiter = nil } }
    }
}

/// Says once that something is so.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
