import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import Observability
import PostgresStore

/// Writes that a run moved, and the event that says so. Whoever calls holds the run's job: then moves of one run come one after another.
enum RunMove {
    /// A step has another state.
    static func step(
        _ step: RunStep, of id: UUID, flow: String, tenant: UUID, in transaction: Transaction
    ) async throws {
        let problem = try step.problem.map { JSONText(bytes: try JSON.encode($0)) }
        try transaction.enqueue(
            """
            UPDATE run_steps SET state = \(step.state.rawValue), content_id = \(step.contentId), problem = \(problem)
            WHERE run_id = \(id) AND name = \(step.name)
            """)
        try await tell(id, flow: flow, state: .running, step: step, tenant: tenant, in: transaction)
    }

    /// The run is over; steps that have not come to an end do not any more.
    static func end(_ id: UUID, flow: String, state: RunState, tenant: UUID, in transaction: Transaction) async throws {
        try transaction.enqueue(
            "UPDATE run_steps SET state = 'canceled' WHERE run_id = \(id) AND state IN ('queued', 'running')")
        if state == .failed {
            let problem = JSONText(bytes: try JSON.encode(RunError.unfinished))
            try transaction.enqueue("UPDATE runs SET problem = coalesce(problem, \(problem)::jsonb) WHERE id = \(id)")
        }
        try await tell(id, flow: flow, state: state, tenant: tenant, in: transaction)
    }

    static func tell(
        _ id: UUID, flow: String, state: RunState, step: RunStep? = nil, tenant: UUID, in transaction: Transaction
    ) async throws {
        let row = try await transaction.query(
            """
            UPDATE runs SET version = version + 1 WHERE id = \(id) RETURNING version, app_now() AS moved_at, (
                SELECT coalesce(count(*) FILTER (WHERE s.state IN ('succeeded', 'failed', 'canceled')) * 100 / nullif(count(*), 0), 0)
                FROM run_steps s WHERE s.tenant_id = runs.tenant_id AND s.run_id = runs.id
            ) AS progress
            """
        ).only
        let data = RunProgressed(
            runId: id, flow: flow, state: state, progress: state == .succeeded ? 100 : try row.decode("progress"), step: step)
        let event = CloudEvent(
            id: .version7(), source: "orchestration-service", type: RunProgressed.type, subject: id.text,
            time: try row.decode("moved_at"), tenantId: tenant, operationId: id, version: try row.decode("version"),
            data: try JSON.encode(data))
        try await Outbox.append([event], in: transaction)
    }

    /// Percent of the steps that have come to an end.
    static func progress(of steps: [RunStep], in state: RunState) -> Int {
        if state == .succeeded || steps.isEmpty { return state == .succeeded ? 100 : 0 }
        return steps.filter { $0.state != .queued && $0.state != .running }.count * 100 / steps.count
    }
}
