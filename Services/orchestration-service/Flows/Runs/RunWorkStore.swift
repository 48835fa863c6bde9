import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Lifecycle
import Observability
import PostgresStore
import ServiceDefaults

/// Works on runs as `Jobs` works on jobs: at once for whoever waits here, and for anybody's run whose process is gone.
struct JobRunWork: RunWork {
    /// Also runs in the background.
    let worker: JobWorker
    let flows: [String: any DurableFlow.Type]

    init(
        flows: [any DurableFlow], database: Database, system: Database, patience: RunContext.Patience = .standard,
        logger: Logger = .silent, metrics: MetricsRegistry? = nil
    ) {
        var handlers: [String: JobWorker.Handler] = [:]
        var types: [String: any DurableFlow.Type] = [:]
        for flow in flows {
            handlers[type(of: flow).name] = Self.handler(for: flow, patience: patience)
            types[type(of: flow).name] = type(of: flow)
        }
        self.flows = types
        worker = JobWorker(
            app: database, system: system, handlers: handlers,
            // Short, because people wait: what a dead process leaves is taken up after ten seconds.
            configuration: .init(concurrency: 8, lease: .seconds(10)),
            onEnd: { end, transaction in
                try await RunMove.end(
                    end.id, flow: end.kind, state: RunState(end.state), tenant: end.tenant, in: transaction)
            }, logger: logger, metrics: metrics)
    }

    func begin(_ id: UUID, tenant: UUID) -> RunAttempt { RunAttempt(task: worker.begin(id, tenant: tenant)) }

    func cancelRequested(_ id: UUID) { worker.cancelRequested(id) }

    private static func handler<Flow: DurableFlow>(for flow: Flow, patience: RunContext.Patience) -> JobWorker.Handler {
        { job in
            let payload: RunPayload<Flow.Input>
            do {
                payload = try JSON.decode(RunPayload<Flow.Input>.self, from: job.payload.bytes)
            } catch {
                throw PermanentJobFailure("its order cannot be read: \(error)")
            }
            let run = RunContext(
                id: job.id, principal: payload.request.principal(tenantId: job.tenant, run: job.id),
                steps: JobRunSteps(job: job), patience: patience)
            return try await payload.request.asContext(of: job, flow: Flow.name) {
                do {
                    return JSONText(bytes: try JSON.encode(try await flow.run(payload.input, in: run)))
                } catch let failure as any HTTPFailure {
                    let problem = JSONText(bytes: try JSON.encode(FlowProblem(failure)))
                    try await job.whileHeld { transaction in
                        try transaction.enqueue("UPDATE runs SET problem = \(problem) WHERE id = \(job.id)")
                    }
                    throw PermanentJobFailure(failure.problem.code)
                }
            }
        }
    }
}

/// The steps of a run under its job's lease.
private struct JobRunSteps: RunSteps {
    let job: JobContext

    func outcome<Value: Codable & Sendable>(of step: String, as type: Value.Type) throws -> StepOutcome<Value>? {
        try job.result(of: step)
    }

    func begin(_ step: String) async throws {
        try await job.whileHeld { transaction in
            try await RunMove.step(
                RunStep(name: step, state: .running), of: job.id, flow: job.kind, tenant: job.tenant, in: transaction)
        }
    }

    func end<Value: Codable & Sendable>(_ step: String, _ outcome: StepOutcome<Value>, contentId: UUID?) async throws {
        let move: RunStep
        switch outcome {
        case .succeeded: move = RunStep(name: step, state: .succeeded, contentId: contentId)
        case .failed(let problem): move = RunStep(name: step, state: .failed, problem: problem)
        }
        try await job.transactionalStep(step) { transaction in
            try await RunMove.step(move, of: job.id, flow: job.kind, tenant: job.tenant, in: transaction)
            return outcome
        }
    }
}

extension RunOrder.OriginalRequest {
    fileprivate func principal(tenantId: UUID, run: UUID) -> Principal {
        Principal(
            tenantId: tenantId, subject: subject, roles: roles, scopes: scopes, actingJob: "run:\(run.text)")
    }

    /// The work goes on under the request's name and trace, and in its language, but not with its deadline.
    fileprivate func asContext<Value: Sendable>(
        of job: JobContext, flow: String, _ body: () async throws -> Value
    ) async throws -> Value {
        let context = CallContext(
            trace: TraceContext(traceparent: traceparent) ?? .makeRoot(), requestId: requestId, operationId: job.id,
            tenantId: job.tenant, flow: flow)
        return try await CallContext.$current.withValue(context) {
            try await CallerLanguage.$current.withValue(LocalizedText.Language(rawValue: language) ?? .zh) { try await body() }
        }
    }
}
