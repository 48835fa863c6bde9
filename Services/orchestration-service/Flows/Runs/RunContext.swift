import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// What a flow has of its run.
struct RunContext: Sendable {
    /// Also the operation's id.
    let id: UUID
    /// Whoever asked for the flow. A run goes on in his name after a restart too: budgets and authors stay the same.
    let principal: Principal
    let steps: any RunSteps
    let patience: Patience

    /// How long a step waits for parts that are away for a moment, such as a service that is being restarted.
    struct Patience: Sendable {
        /// Before the second attempt, the third, …
        var delays: [Duration]
        /// No attempt begins later than this after the first.
        var limit: Duration

        static let standard = Patience(
            delays: [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8)], limit: .seconds(60))
    }

    /// Does a step at most once, and keeps what came of it: a run that begins again gets that without doing the step.
    ///
    /// Between the end of `body` and the keeping of its result the process may die; then `body` runs again, so what it does must be
    /// found by the operation's id. A step that is under way is cancelled with its run; one that is done stays done.
    ///
    /// - Parameter name: one of ``DurableFlow/steps(for:)``.
    /// - Throws: ``FlowFailure`` if the step failed, now or before. The flow decides what that means for the rest. Any other error is for
    ///   the run: cancellation, or a database that is away.
    func step<Value: Codable & Sendable>(
        _ name: String, _ body: @Sendable () async throws -> StepResult<Value>
    ) async throws -> Value {
        try await take(name) { try await patiently(body) }
    }

    /// Does a step in two halves: what comes of the first is kept in any case, also if the run is cancelled meanwhile. So nobody finds
    /// a draft that its run does not know of, and nothing that was paid for is lost to a cancellation.
    ///
    /// - Parameters:
    ///   - write: may be broken off.
    ///   - keep: is not: a run that is to stop waits for its end.
    /// - Throws: as ``step(_:_:)`` does.
    func step<Written: Sendable, Value: Codable & Sendable>(
        _ name: String, write: @Sendable () async throws -> Written,
        keep: @escaping @Sendable (Written) async throws -> StepResult<Value>
    ) async throws -> Value {
        try await take(name) {
            let written = try await patiently(write)
            return try await Task { try await patiently { try await keep(written) } }.value
        }
    }

    private func take<Value: Codable & Sendable>(
        _ name: String, _ body: @Sendable () async throws -> StepResult<Value>
    ) async throws -> Value {
        if let kept = try steps.outcome(of: name, as: Value.self) { return try kept.value() }
        try Task.checkCancellation()
        try await steps.begin(name)
        let outcome: StepOutcome<Value>
        var contentId: UUID?
        do {
            let result = try await body()
            outcome = .succeeded(result.value)
            contentId = result.contentId
        } catch let failure as any HTTPFailure {
            outcome = .failed(FlowProblem(failure))
        } catch is DeadlineExceeded {
            outcome = .failed(FlowProblem(DeadlinePassed()))
        }
        // What is done is written down, whoever wants the run to stop by now.
        let end = Task { [contentId] in try await steps.end(name, outcome, contentId: contentId) }
        try await end.value
        return try outcome.value()
    }

    private func patiently<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        let last = ContinuousClock.now + patience.limit
        for delay in patience.delays {
            do {
                return try await body()
            } catch let failure as any HTTPFailure {
                let problem = FlowProblem(failure)
                let pause = problem.pause(after: delay)
                guard problem.isPassing, .now + pause < last else { throw failure }
                try await Deadline.after(pause).sleep()
            }
        }
        return try await body()
    }
}

/// Where the steps of one run are kept.
protocol RunSteps: Sendable {
    func outcome<Value: Codable & Sendable>(of step: String, as type: Value.Type) throws -> StepOutcome<Value>?
    func begin(_ step: String) async throws
    func end<Value: Codable & Sendable>(_ step: String, _ outcome: StepOutcome<Value>, contentId: UUID?) async throws
}
