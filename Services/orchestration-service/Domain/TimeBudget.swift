import ConcurrencySupport
import Observability

/// Spends the caller's time so that something is left for the steps after.
enum TimeBudget {
    /// Runs `operation` with a deadline that is earlier than the caller's by `reserve`, or by a quarter of the time where that is short.
    /// Upstream clients and the database read the deadline from the call context.
    ///
    /// - Throws: `DeadlineExceeded` when there is no time left: better before an expensive call than after it.
    static func leaving<Value: Sendable>(_ reserve: Duration, _ operation: () async throws -> Value) async throws -> Value {
        guard var context = CallContext.current, let deadline = context.deadline.map(Deadline.init) else {
            return try await operation()
        }
        let remaining = deadline.remaining
        guard remaining > .zero else { throw DeadlineExceeded() }
        context.deadline = deadline.instant - min(reserve, remaining / 4)
        return try await CallContext.$current.withValue(context) { try await operation() }
    }

    /// Gives `operation` this much time, or what the caller has where that is less. Work that nobody waits for has no deadline of its own,
    /// and an upstream call without one ends after half a minute.
    static func of<Value: Sendable>(_ time: Duration, _ operation: () async throws -> Value) async throws -> Value {
        guard var context = CallContext.current else { return try await operation() }
        let end = ContinuousClock.now + time
        context.deadline = context.deadline.map { min($0, end) } ?? end
        return try await CallContext.$current.withValue(context) { try await operation() }
    }
}
