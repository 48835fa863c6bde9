import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Observability
import ServiceDefaults

/// Work that is shown while it goes on, can be cancelled, and survives the process that began it (design law 11).
///
/// A run is a flow under way. Its id is the operation's: a client's repeat finds the run instead of starting another. The process that
/// took the request works on it under a lease; if that process dies, any replica goes on from the steps that are done. Each move is told
/// as `run.progressed.v1`, together with the state that it tells of.
struct Runs: Sendable {
    let store: RunsStore
    let work: any RunWork

    /// Begins a run, or finds the one that the operation has begun.
    ///
    /// A run that failed for a reason that passes begins again: steps that are done stay done, the others are taken anew.
    ///
    /// - Throws: ``RunError/operationReused`` if the operation's id was used for something else.
    func start<Flow: DurableFlow>(_ flow: Flow.Type, _ input: Flow.Input, as principal: Principal) async throws -> StartedRun {
        let order = try RunOrder(flow, input, as: principal)
        let (id, isOver) = try await store.start(CallContext.current?.operationId, order)
        return StartedRun(
            id: id, tenantId: principal.tenantId, attempt: isOver ? nil : work.begin(id, tenant: principal.tenantId))
    }

    /// Waits for the end of a run, wherever it is being worked on.
    ///
    /// - Returns: `nil` if it has not ended by then: it goes on.
    func end(of run: StartedRun, until deadline: Deadline) async throws -> RunEnd? {
        if let attempt = run.attempt { await attempt.ended(by: deadline) }
        var pause = Duration.milliseconds(50)
        while true {
            if let end = try await store.end(of: run.id, tenant: run.tenantId) { return end }
            // Another process has it, or it waits for its next attempt.
            guard deadline.remaining > pause else { return nil }
            try await Deadline.after(pause).sleep()
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    func run(_ id: UUID, of tenantId: UUID) async throws -> Run {
        guard let run = try await store.run(id, of: tenantId) else { throw RunError.notFound }
        return run
    }

    /// Newest first.
    func list(olderThan id: UUID?, limit: Int, of tenantId: UUID) async throws -> [Run] {
        try await store.list(olderThan: id, limit: limit, of: tenantId)
    }

    /// Stops a run before its next step, and the step that it is at; what that has written already is kept first. Steps that are done
    /// stay done, with their drafts.
    ///
    /// - Throws: ``RunError/finished(_:)`` if it has come to another end.
    func cancel(_ id: UUID, of tenantId: UUID) async throws -> Run {
        switch try await store.requestCancel(id, of: tenantId) {
        case nil: throw RunError.notFound
        case .succeeded: throw RunError.finished(.succeeded)
        case .failed: throw RunError.finished(.failed)
        case .queued, .running, .canceled: break
        }
        work.cancelRequested(id)
        return try await run(id, of: tenantId)
    }
}

extension Runs {
    /// Takes up a run that has ended with something left to do: steps that failed, or were never reached, are taken again; what is done stays
    /// done, with its drafts, and is not paid for twice. It goes on in the name of whoever began it.
    ///
    /// - Parameter principal: must be allowed to begin such a run too: what is taken again may be paid for again.
    /// - Throws: ``RunError/notRetryable(_:)`` if it is under way, has nothing that failed, or was cancelled; 403
    ///   `auth.permission_missing`.
    func retry(_ id: UUID, as principal: Principal) async throws -> Run {
        let tenantId = principal.tenantId
        let allowed = work.flows.filter { Set($0.value.permissions).isSubset(of: principal.scopes) }
        switch try await store.retry(id, of: tenantId, by: CallContext.current?.operationId, allowed) {
        case nil: throw RunError.notFound
        case .forbidden: throw Forbidden(code: "auth.permission_missing")
        case .refused(let state): throw RunError.notRetryable(state)
        case .taken: _ = work.begin(id, tenant: tenantId)
        case .takenBefore: break
        }
        return try await run(id, of: tenantId)
    }
}

/// What became of the wish to take a run up again.
enum RunRetry: Sendable, Equatable {
    case taken
    /// The same operation has done it before.
    case takenBefore
    /// Whoever asks may not have such a flow done.
    case forbidden
    case refused(RunState)
}

/// A run that somebody waits for.
struct StartedRun: Sendable {
    let id: UUID
    let tenantId: UUID
    /// The work of this process on it; absent where the run was over already.
    let attempt: RunAttempt?
}

/// How a run ended. The output is the flow's, as JSON.
enum RunEnd: Sendable, Equatable {
    case succeeded([UInt8])
    case failed(FlowProblem)
    case canceled
}

/// What a run is to do, and for whom: kept as JSON with the run.
struct RunOrder: Sendable {
    let flow: String
    let steps: [String]
    let tenantId: UUID
    let input: [UInt8]
    let request: OriginalRequest

    /// What the work needs to know of the request that asked for it.
    struct OriginalRequest: Codable, Sendable {
        var subject: String
        var roles: [String]
        var scopes: [String]
        var requestId: String
        var traceparent: String
        var language: String
    }

    init<Flow: DurableFlow>(_ flow: Flow.Type, _ input: Flow.Input, as principal: Principal) throws {
        self.flow = flow.name
        steps = flow.steps(for: input)
        tenantId = principal.tenantId
        self.input = try JSON.encode(input)
        let context = CallContext.current
        request = OriginalRequest(
            subject: principal.subject, roles: principal.roles, scopes: principal.scopes,
            requestId: context?.requestId ?? "run-without-request",
            traceparent: (context?.trace ?? .makeRoot()).traceparent, language: CallerLanguage.current.rawValue)
    }
}

/// The hands that work on runs.
protocol RunWork: Sendable {
    /// Works on a run in this process, unless another does.
    func begin(_ id: UUID, tenant: UUID) -> RunAttempt
    /// Tells a run that is being worked on here that it is to stop.
    func cancelRequested(_ id: UUID)
    /// What can be worked on, by its name.
    var flows: [String: any DurableFlow.Type] { get }
}

/// One process's work on a run.
struct RunAttempt: Sendable {
    let task: Task<Void, Never>

    /// Waits until the attempt has ended, but not longer than until `deadline`.
    func ended(by deadline: Deadline) async {
        let isOver = OneShot<Void>()
        let alarm = Alarm.set(at: deadline) { isOver.succeed() }
        defer { alarm.cancel() }
        Task {
            await task.value
            isOver.succeed()
        }
        try? await isOver.value()
    }
}
