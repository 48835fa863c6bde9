import ConcurrencySupport

import struct Synchronization.Atomic

/// Calls somebody with deadlines when one may have passed, at a resolution of some milliseconds.
///
/// One alarm for all of them: nearly every deadline lies behind the one that is set already, so that asking costs a comparison.
final class Ticker: Sendable {
    /// What to do, and when to call next; `nil` for not before ``tick(by:)`` asks for it. Must not block.
    typealias Handler = @Sendable (_ now: ContinuousClock.Instant) -> ContinuousClock.Instant?

    private let loop: EventLoop
    private let origin = ContinuousClock.now
    /// In nanoseconds since `origin`.
    private let wakesAt = Atomic<Int64>(.max)
    private let handler = Lock<Handler?>(nil)

    init(loop: EventLoop) { self.loop = loop }

    func start(_ handler: @escaping Handler) { self.handler.withLock { $0 = handler } }

    func stop() { handler.withLock { $0 = nil } }

    /// Makes sure that the handler is called not later than `instant`. Cheap when that is so already.
    func tick(by instant: ContinuousClock.Instant) {
        let due = nanoseconds(instant)
        guard due < wakesAt.load(ordering: .acquiring) else { return }
        guard due < wakesAt.min(due, ordering: .acquiringAndReleasing).oldValue else { return }
        loop.execute { [self] in _ = loop.schedule(at: instant) { [self] in ring() } }
    }

    private func ring() {
        // An alarm that was set before an earlier one was asked for comes for nothing.
        guard nanoseconds(.now) >= wakesAt.load(ordering: .acquiring) else { return }
        // Whoever asks from here on is heard: it finds `.max`, or what others asked for meanwhile.
        wakesAt.store(.max, ordering: .releasing)
        guard let handler = handler.withLock({ $0 }) else { return }
        if let next = handler(.now) { tick(by: next) }
    }

    private func nanoseconds(_ instant: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = origin.duration(to: instant).components
        return seconds > 1_000_000_000 ? .max : seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
