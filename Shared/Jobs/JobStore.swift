public import FoundationEssentials
public import PostgresStore

/// What there is to know of a job. Progress is in percent.
public struct JobStatus: Sendable, Equatable {
    public let id: UUID
    public let kind: String
    public let state: JobState
    public let progress: Int
    public let attempt: Int
    public let result: JSONText?
    /// Why the last attempt failed, in the words of the error: for people who run the system, not for clients.
    public let failure: String?
    public let createdAt: Date
    public let startedAt: Date?
    public let finishedAt: Date?
    public let isCancelRequested: Bool

    init(_ row: Row) throws {
        id = try row.decode("id")
        kind = try row.decode("kind")
        state = try row.decode("state")
        progress = try row.decode("progress")
        attempt = try row.decode("attempt")
        result = try row.decode("result")
        failure = try row.decode("failure")
        createdAt = try row.decode("created_at")
        startedAt = try row.decode("started_at")
        finishedAt = try row.decode("finished_at")
        isCancelRequested = try row.decode("is_cancel_requested")
    }

    static let columns: SQL = """
        id, kind, state, progress, attempt, result, failure, created_at, started_at, finished_at,
        cancel_requested_at IS NOT NULL AS is_cancel_requested
        """
}

/// Writes and reads jobs inside transactions of the app role; the tenant is the transaction's.
public enum JobStore {
    /// Adds a job, to be seen by workers when the transaction commits; call ``JobWorker/wake()`` then, or wait for its next look.
    ///
    /// - Parameters:
    ///   - payload: JSON, given to the handler.
    ///   - key: makes adding idempotent: a second job of the kind with this key is not added.
    ///   - delay: how long to wait before the first attempt.
    ///   - maxAttempts: how often the job is begun before it counts as failed.
    /// - Returns: the job's id; with a key that is known, the id of the job that has it.
    @discardableResult
    public static func enqueue(
        kind: String, payload: JSONText, key: String? = nil, delay: Duration = .zero, maxAttempts: Int = 5,
        in transaction: Transaction
    ) async throws -> UUID {
        let id = UUID.version7()
        let isNew = try await add(
            id, kind: kind, payload: payload, key: key, delay: delay, maxAttempts: maxAttempts, in: transaction)
        if isNew { return id }
        return try await transaction.query("SELECT id FROM jobs WHERE kind = \(kind) AND dedupe_key = \(key)").only.decode("id")
    }

    /// Adds a job under an id that names it already, such as an operation's.
    ///
    /// - Returns: whether it was added; `false` if there is a job with this id, or one of the kind with this key.
    public static func add(
        _ id: UUID, kind: String, payload: JSONText, key: String? = nil, delay: Duration = .zero, maxAttempts: Int = 5,
        in transaction: Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            WITH added AS (
                INSERT INTO jobs (tenant_id, id, kind, dedupe_key, payload, max_attempts)
                VALUES (app_tenant(), \(id), \(kind), \(key), \(payload), \(maxAttempts))
                ON CONFLICT DO NOTHING RETURNING tenant_id, id, kind
            )
            INSERT INTO job_due (tenant_id, job_id, kind, due_at)
            SELECT tenant_id, id, kind, app_now() + make_interval(secs => \(delay.seconds)) FROM added
            """) == 1
    }

    /// Puts a failed job back to its beginning, with the results of the steps that it has kept.
    ///
    /// - Parameters:
    ///   - states: a job in one of these is opened; those that failed, as a rule.
    ///   - steps: whose results are forgotten, so that they are done again.
    ///   - delay: as with ``enqueue(kind:payload:key:delay:maxAttempts:in:)``.
    /// - Returns: whether there was such a job in such a state.
    public static func reopen(
        _ id: UUID, from states: [JobState] = [.failed], forgetting steps: [String], delay: Duration = .zero,
        in transaction: Transaction
    ) async throws -> Bool {
        let reopened = try await transaction.execute(
            """
            WITH reopened AS (
                UPDATE jobs SET state = 'queued', attempt = 0, failure = NULL, result = NULL, finished_at = NULL,
                    cancel_requested_at = NULL
                WHERE id = \(id) AND state = ANY(\(states.map(\.rawValue))) RETURNING tenant_id, id, kind
            )
            INSERT INTO job_due (tenant_id, job_id, kind, due_at)
            SELECT tenant_id, id, kind, app_now() + make_interval(secs => \(delay.seconds)) FROM reopened
            """)
        guard reopened == 1 else { return false }
        try transaction.enqueue("DELETE FROM job_steps WHERE job_id = \(id) AND name = ANY(\(steps))")
        return true
    }

    public static func status(of id: UUID, in database: Database, tenant: UUID) async throws -> JobStatus? {
        let rows = try await database.query("SELECT \(JobStatus.columns) FROM jobs WHERE id = \(id)", tenant: tenant)
        return try rows.first.map { try JobStatus($0) }
    }

    /// Asks a job to stop. One that has not begun is cancelled at once; a running one is told within about a second, and ends as
    /// cancelled when its handler has stopped.
    ///
    /// - Returns: the job's state after the request; `nil` if there is no such job.
    @discardableResult
    public static func requestCancel(_ id: UUID, in transaction: Transaction) async throws -> JobState? {
        let rows = try await transaction.query(
            """
            UPDATE jobs SET
                cancel_requested_at = coalesce(cancel_requested_at, app_now()),
                finished_at = CASE WHEN state = 'queued' THEN app_now() ELSE finished_at END,
                state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
            WHERE id = \(id) AND state IN ('queued', 'running') RETURNING state
            """)
        guard let row = rows.first else {
            return try await transaction.query("SELECT state FROM jobs WHERE id = \(id)").first?.decode("state")
        }
        let state: JobState = try row.decode("state")
        if state == .cancelled { try transaction.enqueue("DELETE FROM job_due WHERE job_id = \(id)") }
        return state
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
