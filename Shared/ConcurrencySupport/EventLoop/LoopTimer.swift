/// A call at an instant; see ``EventLoop/schedule(at:_:)``.
///
/// Unchecked: confined to its loop's thread, which alone hands it to the heap.
public final class LoopTimer: @unchecked Sendable {
    let instant: ContinuousClock.Instant
    fileprivate var action: (@Sendable () -> Void)?
    /// Where the heap keeps it; -1 = nowhere.
    fileprivate var index = -1

    init(instant: ContinuousClock.Instant, action: @escaping @Sendable () -> Void) {
        self.instant = instant
        self.action = action
    }
}

/// A binary heap, soonest first, whose timers know their place: taking one back costs as little as adding it, and leaves nothing behind
/// (most timers guard a request of some milliseconds for thirty seconds).
struct TimerHeap {
    private var timers: ContiguousArray<LoopTimer> = []

    var count: Int { timers.count }

    mutating func insert(_ timer: LoopTimer) {
        timer.index = timers.count
        timers.append(timer)
        moveUp(timer.index)
    }

    mutating func remove(_ timer: LoopTimer) {
        timer.action = nil
        let index = timer.index
        guard index >= 0 else { return }
        timer.index = -1
        let last = timers.removeLast()
        guard index < timers.count else { return }
        timers[index] = last
        last.index = index
        moveUp(index)
        moveDown(last.index)
    }

    /// Takes the soonest timer's action if it is due at `now`.
    mutating func popDue(_ now: ContinuousClock.Instant) -> (@Sendable () -> Void)? {
        guard let first = timers.first, first.instant <= now else { return nil }
        let action = first.action
        remove(first)
        return action
    }

    /// Rounded up, so that a timer is never early; -1 = there is none.
    func millisecondsUntilNext() -> Int32 {
        guard let first = timers.first else { return -1 }
        let rest = ContinuousClock.now.duration(to: first.instant)
        guard rest > .zero else { return 0 }
        return Int32(clamping: (rest + .nanoseconds(999_999)).milliseconds)
    }

    private mutating func moveUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard timers[index].instant < timers[parent].instant else { return }
            exchange(index, parent)
            index = parent
        }
    }

    private mutating func moveDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < timers.count && timers[child].instant < timers[least].instant {
                least = child
            }
            guard least != index else { return }
            exchange(index, least)
            index = least
        }
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        timers.swapAt(first, second)
        timers[first].index = first
        timers[second].index = second
    }
}
