/// A result that is delivered once, whoever comes first: a C callback, a time-out or a cancellation.
///
/// Completing before anybody waits, completing twice, and cancelling in any order are all fine; the first completion wins. The
/// waiting continuation is always resumed outside the lock, because the runtime takes the task's own lock while resuming.
public final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case completed(Result<Value, any Error>)
    }

    private let state = Lock<State>(.empty)

    public init() {}

    /// - Returns: `true` if this call decided the result.
    @discardableResult
    public func complete(with result: Result<Value, any Error>) -> Bool {
        let (won, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
            switch state {
            case .empty:
                state = .completed(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .completed(result)
                return (true, continuation)
            case .completed:
                return (false, nil)
            }
        }
        waiter?.resume(with: result)
        return won
    }

    @discardableResult
    public func succeed(_ value: Value) -> Bool { complete(with: .success(value)) }

    @discardableResult
    public func fail(_ error: any Error) -> Bool { complete(with: .failure(error)) }

    public var isCompleted: Bool {
        state.withLock { if case .completed = $0 { true } else { false } }
    }

    /// Waits for the result. At most one task may wait.
    ///
    /// - Parameter onCancel: called, at most once, when the waiting task is cancelled before the result is there. Without it a cancelled
    ///   wait fails at once with `CancellationError`; with it the owner of the operation decides and must complete the one-shot.
    public func value(onCancel: (@Sendable () -> Void)? = nil) async throws -> Value {
        // What is there already needs no continuation.
        if case .completed(let result) = state.withLock({ $0 }) { return try result.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready = state.withLock { state -> Result<Value, any Error>? in
                    switch state {
                    case .empty:
                        state = .waiting(continuation)
                        return nil
                    case .completed(let result):
                        return result
                    case .waiting:
                        preconditionFailure("OneShot.value() has one waiter only")
                    }
                }
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            if let onCancel {
                if !isCompleted { onCancel() }
            } else {
                fail(CancellationError())
            }
        }
    }
}

extension OneShot where Value == Void {
    @discardableResult
    public func succeed() -> Bool { succeed(()) }
}
