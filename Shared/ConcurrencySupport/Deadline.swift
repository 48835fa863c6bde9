import struct Synchronization.Atomic

/// The instant after which nobody waits for the answer any more. Passed down, so that each hop spends what is left.
public struct Deadline: Sendable, Comparable, Hashable {
    public let instant: ContinuousClock.Instant

    public init(_ instant: ContinuousClock.Instant) { self.instant = instant }

    public static func after(_ duration: Duration) -> Deadline { Deadline(.now + duration) }

    /// What is left; never negative.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    public var isPast: Bool { ContinuousClock.now >= instant }

    /// Waits until then; on an event loop without leaving it.
    ///
    /// - Throws: `CancellationError`, at once when the task is cancelled.
    public func sleep() async throws {
        let isDue = OneShot<Void>()
        let alarm = Alarm.set(at: self) { isDue.succeed() }
        defer { alarm.cancel() }
        try await isDue.value()
    }

    public static func < (lhs: Deadline, rhs: Deadline) -> Bool { lhs.instant < rhs.instant }
}

/// Thrown by ``withDeadline(_:_:)`` when the time is up.
public struct DeadlineExceeded: Error, Equatable {
    public init() {}
}

/// Runs `operation` and cancels it at the deadline; then throws ``DeadlineExceeded``, after the operation has ended.
///
/// The operation must honour cancellation: this function never leaves it running behind. When the calling task is cancelled, the operation
/// is cancelled with it and its own result counts: what was done is not reported as undone.
public func withDeadline<Value: Sendable>(
    _ deadline: Deadline, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    // On an event loop the task stays there, and the alarm is the loop's own.
    let task = Task(executorPreference: EventLoop.current) { try await operation() }
    let isLate = Flag()
    let alarm = Alarm.set(at: deadline) {
        isLate.raise()
        task.cancel()
    }
    defer { alarm.cancel() }
    do {
        let value = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        // An operation that finished in the same moment still counts as late: it has been told so already.
        if isLate.isRaised { throw DeadlineExceeded() }
        return value
    } catch {
        throw isLate.isRaised ? DeadlineExceeded() : error
    }
}

private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with their fraction, for metrics and logs.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
