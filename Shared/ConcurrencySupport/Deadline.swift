/// The instant after which nobody waits for the answer any more. Passed down, so that each hop spends what is left.
public struct Deadline: Sendable, Comparable, Hashable {
    public let instant: ContinuousClock.Instant

    public init(_ instant: ContinuousClock.Instant) { self.instant = instant }

    public static func after(_ duration: Duration) -> Deadline { Deadline(.now + duration) }

    /// What is left; never negative.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    public var isPast: Bool { ContinuousClock.now >= instant }

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
    try await withThrowingTaskGroup(of: RaceEvent<Value>.self) { group in
        group.addTask {
            do { return .ended(.success(try await operation())) } catch { return .ended(.failure(error)) }
        }
        group.addTask {
            do {
                try await Task.sleep(until: deadline.instant, clock: .continuous)
                return .timeIsUp
            } catch {
                return .timerCancelled
            }
        }
        var isLate = false
        while let event = try await group.next() {
            switch event {
            case .ended(let result):
                group.cancelAll()
                // An operation that finished in the same moment still counts as late: the caller has been told so already.
                if isLate { throw DeadlineExceeded() }
                return try result.get()
            case .timeIsUp:
                isLate = true
                group.cancelAll()
            case .timerCancelled: break
            }
        }
        preconditionFailure("The operation's task always ends")
    }
}

private enum RaceEvent<Value: Sendable>: Sendable {
    case ended(Result<Value, any Error>)
    case timeIsUp
    /// The calling task was cancelled.
    case timerCancelled
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
