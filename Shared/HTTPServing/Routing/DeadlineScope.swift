import ConcurrencySupport

/// Runs an operation in a task of its own and stops waiting for it at the deadline, whatever it does: the client has its 504 in time
/// even where a handler ignores its cancellation.
enum DeadlineScope {
    /// - Throws: `DeadlineExceeded`, `CancellationError` where the caller's task was cancelled, or what the operation threw.
    static func run<Value: Sendable>(
        until deadline: Deadline, hangUp: RouteOptions.HangUp, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard !deadline.isPast else { throw DeadlineExceeded() }
        let result = OneShot<Value>()
        // Starts on the caller's thread: an operation that never waits costs no hop.
        let body: @Sendable () async -> Void = {
            do { result.succeed(try await operation()) } catch { result.fail(error) }
        }
        let task = EventLoop.current?.startTask(body) ?? Task.immediate(operation: body)
        guard !result.isCompleted else { return try await result.value() }
        let alarm = Alarm.set(at: deadline) {
            result.fail(DeadlineExceeded())
            task.cancel()
        }
        defer { alarm.cancel() }
        return try await result.value(onCancel: {
            switch hangUp {
            case .cancels: task.cancel()
            case .runsToEnd: break
            }
        })
    }
}
