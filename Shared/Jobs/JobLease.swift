import FoundationEssentials
import PostgresStore

/// A job that this worker may work on until its lease ends. Every write names the fence: the number of the claim, which only grows, so
/// that a worker which was thought dead can change nothing any more.
struct JobLease: Sendable {
    let tenant: UUID
    let id: UUID
    let kind: String
    let payload: JSONText
    let fence: Int64
    let attempt: Int
    let maxAttempts: Int
    let duration: Duration

    enum Claim: Sendable {
        case lease(JobLease, steps: [String: JSONText])
        /// Somebody else has it, or it is over.
        case nothing
    }

    /// Takes candidates from the due index, across tenants. They are not due again before the lease would end, so other workers look
    /// elsewhere even before the claim itself.
    static func candidates(
        kinds: [String], limit: Int, lease: Duration, system: Database
    ) async throws -> [(tenant: UUID, id: UUID)] {
        let rows = try await system.query(
            """
            UPDATE job_due SET due_at = app_now() + make_interval(secs => \(lease.seconds))
            -- Looked for once: beside the table in a join, the limit could count anew for each of its rows.
            WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM job_due WHERE kind = ANY(\(kinds)) AND due_at <= app_now()
                ORDER BY due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            )) RETURNING tenant_id, job_id
            """)
        return try rows.map { (try $0.decode("tenant_id"), try $0.decode("job_id")) }
    }

    /// Takes candidates by turns: of each tenant at most one, first of those whose turn was longest ago.
    ///
    /// - Parameters:
    ///   - full: tenants of which none is wanted.
    ///   - served: tenants that had a turn, the last one last.
    static func fairCandidates(
        kinds: [String], limit: Int, lease: Duration, full: [UUID], served: [UUID], system: Database
    ) async throws -> [(tenant: UUID, id: UUID)] {
        let rows = try await system.query(
            """
            UPDATE job_due SET due_at = app_now() + make_interval(secs => \(lease.seconds))
            -- As above.
            WHERE ctid = ANY(ARRAY(
                SELECT due.ctid FROM job_due due JOIN (
                    SELECT DISTINCT ON (tenant_id) tenant_id, job_id FROM job_due
                    WHERE kind = ANY(\(kinds)) AND due_at <= app_now() AND tenant_id <> ALL(\(full))
                    ORDER BY tenant_id, due_at
                ) oldest USING (tenant_id, job_id)
                WHERE due.due_at <= app_now()
                ORDER BY coalesce(array_position(\(served), due.tenant_id), 0), due.due_at
                LIMIT \(limit) FOR UPDATE OF due SKIP LOCKED
            )) RETURNING tenant_id, job_id
            """)
        return try rows.map { (try $0.decode("tenant_id"), try $0.decode("job_id")) }
    }

    /// Leaves a candidate to others after all.
    static func leave(_ id: UUID, tenant: UUID, system: Database) async throws {
        try await system.query(
            "UPDATE job_due SET due_at = app_now() WHERE tenant_id = \(tenant) AND job_id = \(id) AND due_at > app_now()")
    }

    /// Claims a candidate under its tenant.
    ///
    /// - Parameter onEnd: told where the claim finds that the job is over: it was to stop, or its attempts are used up.
    static func claim(
        _ id: UUID, tenant: UUID, duration: Duration, app: Database, onEnd: JobEnd.Observer?
    ) async throws -> Claim {
        try await app.transaction(tenant: tenant) { transaction in
            let rows = try await transaction.query(
                """
                UPDATE jobs SET
                    state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
                        WHEN attempt >= max_attempts THEN 'failed' ELSE 'running' END,
                    failure = CASE WHEN attempt >= max_attempts THEN coalesce(failure, 'no attempt came to an end') ELSE failure END,
                    finished_at = CASE WHEN cancel_requested_at IS NOT NULL OR attempt >= max_attempts THEN app_now() END,
                    attempt = least(attempt + 1, max_attempts), fence = fence + 1,
                    started_at = coalesce(started_at, app_now()),
                    lease_until = app_now() + make_interval(secs => \(duration.seconds))
                WHERE id = \(id) AND (state = 'queued' OR (state = 'running' AND lease_until <= app_now()))
                RETURNING kind, payload, fence, attempt, max_attempts, state
                """)
            guard let row = rows.first else {
                // Over by now: then nothing leads to it any more.
                try transaction.enqueue(
                    """
                    DELETE FROM job_due USING jobs WHERE job_id = \(id) AND jobs.id = job_id AND jobs.tenant_id = job_due.tenant_id
                    AND jobs.state NOT IN ('queued', 'running')
                    """)
                return .nothing
            }
            let state: JobState = try row.decode("state")
            guard state == .running else {
                try transaction.enqueue("DELETE FROM job_due WHERE job_id = \(id)")
                try await onEnd?(JobEnd(tenant: tenant, id: id, kind: try row.decode("kind"), state: state), transaction)
                return .nothing
            }
            let lease = JobLease(
                tenant: tenant, id: id, kind: try row.decode("kind"), payload: try row.decode("payload"),
                fence: try row.decode("fence"), attempt: try row.decode("attempt"), maxAttempts: try row.decode("max_attempts"),
                duration: duration)
            try transaction.enqueue(lease.moveDue(by: duration))
            var steps: [String: JSONText] = [:]
            for step in try await transaction.query("SELECT name, result FROM job_steps WHERE job_id = \(id)") {
                steps[try step.decode("name")] = try step.decode("result")
            }
            return .lease(lease, steps: steps)
        }
    }

    private func moveDue(by delay: Duration) -> SQL {
        "UPDATE job_due SET due_at = app_now() + make_interval(secs => \(delay.seconds)) WHERE job_id = \(id)"
    }

    private var isHeld: SQL { "id = \(id) AND fence = \(fence) AND state = 'running'" }

    // MARK: While it is held

    /// Makes sure, inside a transaction, that the lease still holds, and that nobody takes it before the transaction ends.
    func assertHeld(in transaction: Transaction) async throws {
        let held = try await transaction.query("SELECT 1 FROM jobs WHERE \(isHeld) FOR NO KEY UPDATE")
        guard held.count == 1 else { throw JobLeaseLost() }
    }

    func renew(app: Database) async throws {
        try await app.transaction(tenant: tenant) { transaction in
            let renewed = try await transaction.execute(
                "UPDATE jobs SET lease_until = app_now() + make_interval(secs => \(duration.seconds)) WHERE \(isHeld)")
            guard renewed == 1 else { throw JobLeaseLost() }
            try transaction.enqueue(moveDue(by: duration))
        }
    }

    func isCancelRequested(app: Database) async throws -> Bool {
        let rows = try await app.query(
            "SELECT cancel_requested_at IS NOT NULL AS wanted FROM jobs WHERE \(isHeld)", tenant: tenant)
        guard let row = rows.first else { throw JobLeaseLost() }
        return try row.decode("wanted")
    }

    func setProgress(_ percent: Int, app: Database) async throws {
        let updated = try await app.query(
            "UPDATE jobs SET progress = greatest(progress, \(min(max(percent, 0), 100))) WHERE \(isHeld)", tenant: tenant)
        guard updated.affectedRows == 1 else { throw JobLeaseLost() }
    }

    func keep(step name: String, result: JSONText, in transaction: Transaction) throws {
        try transaction.enqueue(
            "INSERT INTO job_steps (tenant_id, job_id, name, result) VALUES (app_tenant(), \(id), \(name), \(result))")
    }

    // MARK: Its end

    func finish(
        _ state: JobState, result: JSONText? = nil, failure: String? = nil, app: Database, onEnd: JobEnd.Observer?
    ) async throws {
        try await app.transaction(tenant: tenant) { transaction in
            let finished = try await transaction.execute(
                """
                UPDATE jobs SET state = \(state), result = \(result), failure = \(failure), finished_at = app_now(), lease_until = NULL,
                    progress = CASE WHEN \(state == .succeeded) THEN 100 ELSE progress END
                WHERE \(isHeld)
                """)
            guard finished == 1 else { throw JobLeaseLost() }
            try transaction.enqueue("DELETE FROM job_due WHERE job_id = \(id)")
            try await onEnd?(JobEnd(tenant: tenant, id: id, kind: kind, state: state), transaction)
        }
    }

    /// Puts the job back.
    ///
    /// - Parameter counts: whether the attempt counts; it does not if the worker was shut down.
    func giveBack(after delay: Duration, failure: String?, counts: Bool, app: Database) async throws {
        try await app.transaction(tenant: tenant) { transaction in
            let released = try await transaction.execute(
                """
                UPDATE jobs SET state = 'queued', lease_until = NULL, failure = coalesce(\(failure), failure),
                    attempt = attempt - \(counts ? 0 : 1)::int
                WHERE \(isHeld)
                """)
            guard released == 1 else { throw JobLeaseLost() }
            try transaction.enqueue(moveDue(by: delay))
        }
    }
}
