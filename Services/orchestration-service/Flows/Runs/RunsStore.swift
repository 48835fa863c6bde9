import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import PostgresStore

/// The SQL of runs: a run is a job, with its steps as people see them. Its every move is one transaction with the event that tells it.
struct RunsStore: Sendable {
    let database: Database
    /// Wakes the outbox relay after a commit, so that events leave at once.
    let onCommit: @Sendable () -> Void

    /// A run whose process dies before it has the lease falls to any worker after this time.
    static let grace = Duration.seconds(2)
    static let maxAttempts = 5

    // MARK: Starting

    /// Writes a run, unless there is one for the operation.
    ///
    /// - Returns: its id, and whether it is over.
    /// - Throws: ``TenantErased``, by a trigger of the statement that adds the run.
    func start(_ operationId: UUID?, _ order: RunOrder) async throws -> (id: UUID, isOver: Bool) {
        let id = operationId ?? .version7()
        let payload = try order.payload()
        let isOver = try await write(of: order.tenantId) { transaction in
            let isNew = try await JobStore.add(
                id, kind: order.flow, payload: payload, delay: Self.grace, maxAttempts: Self.maxAttempts, in: transaction)
            guard isNew else { return try await find(id, order, in: transaction) }
            try transaction.enqueue("INSERT INTO runs (tenant_id, id) VALUES (app_tenant(), \(id))")
            try transaction.enqueue(
                """
                INSERT INTO run_steps (tenant_id, run_id, position, name)
                SELECT app_tenant(), \(id), position, name FROM unnest(\(order.steps)) WITH ORDINALITY AS s (name, position)
                """)
            try await RunMove.tell(id, flow: order.flow, state: .queued, tenant: order.tenantId, in: transaction)
            return false
        }
        onCommit()
        return (id, isOver)
    }

    /// What there is under this id already; a failure that passes is taken back.
    private func find(_ id: UUID, _ order: RunOrder, in transaction: Transaction) async throws -> Bool {
        let input = JSONText(bytes: order.input)
        let row = try await transaction.query(
            """
            SELECT j.state, j.kind = \(order.flow) AND j.payload -> 'input' = \(input)::jsonb AS is_same, r.problem
            FROM jobs j JOIN runs r ON r.tenant_id = j.tenant_id AND r.id = j.id WHERE j.id = \(id) FOR NO KEY UPDATE OF j
            """
        ).first
        guard let row, try row.decode("is_same") else { throw RunError.operationReused }
        let state: JobState = try row.decode("state")
        guard state == .failed, try row.problem()?.retryable ?? true else { return state.isFinal }
        try await reopen(id, order.flow, state, closing: [], of: order.tenantId, in: transaction)
        return false
    }

    /// All steps that are not done wait again, and with them those that put together what others made.
    private func reopen(
        _ id: UUID, _ flow: String, _ state: JobState, closing: Set<String>, of tenantId: UUID, in transaction: Transaction
    ) async throws {
        let undone = try await transaction.query(
            """
            UPDATE run_steps SET state = 'queued', problem = NULL
            WHERE run_id = \(id) AND (state <> 'succeeded' OR name = ANY(\(closing.sorted()))) RETURNING name
            """)
        _ = try await JobStore.reopen(
            id, from: [state], forgetting: try undone.map { try $0.decode("name") }, delay: Self.grace, in: transaction)
        try transaction.enqueue("UPDATE runs SET problem = NULL WHERE id = \(id)")
        try await RunMove.tell(id, flow: flow, state: .queued, tenant: tenantId, in: transaction)
    }

    /// Takes up a run that has failed wholly, or of which a step has.
    ///
    /// - Parameters:
    ///   - operation: its repeat finds the run taken up.
    ///   - flows: those that whoever asks may have done, by their names.
    /// - Returns: `nil` if there is no such run.
    func retry(
        _ id: UUID, of tenantId: UUID, by operation: UUID?, _ flows: [String: any DurableFlow.Type]
    ) async throws -> RunRetry? {
        let retry = try await write(of: tenantId) { transaction -> RunRetry? in
            let rows = try await transaction.query(
                """
                SELECT j.kind, j.state, EXISTS (SELECT FROM erased_tenants e WHERE e.tenant_id = j.tenant_id) AS is_erased,
                    coalesce(r.retried_by = \(operation), false) AS is_repeat, EXISTS (
                        SELECT FROM run_steps s WHERE s.tenant_id = j.tenant_id AND s.run_id = j.id AND s.state = 'failed') AS has_failed
                FROM jobs j JOIN runs r ON r.tenant_id = j.tenant_id AND r.id = j.id
                WHERE j.id = \(id) FOR NO KEY UPDATE OF j
                """)
            guard let row = rows.first else {
                let marks = try await transaction.query("SELECT FROM erased_tenants WHERE tenant_id = \(tenantId)")
                guard marks.isEmpty else { throw TenantErased() }
                return nil
            }
            if try row.decode("is_erased") { throw TenantErased() }
            let name: String = try row.decode("kind")
            guard let flow = flows[name] else { return .forbidden }
            if try row.decode("is_repeat") { return .takenBefore }
            let state: JobState = try row.decode("state")
            let hasFailed: Bool = try row.decode("has_failed")
            guard state == .failed || (state == .succeeded && hasFailed) else { return .refused(RunState(state)) }
            try await reopen(id, name, state, closing: flow.closingSteps, of: tenantId, in: transaction)
            try transaction.enqueue("UPDATE runs SET retried_by = \(operation) WHERE id = \(id)")
            return .taken
        }
        onCommit()
        return retry
    }

    private func write<Value: Sendable>(
        of tenantId: UUID, _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await Database.refusingErased { try await database.transaction(tenant: tenantId, body) }
    }

    // MARK: Ending

    func end(of id: UUID, tenant: UUID) async throws -> RunEnd? {
        let rows = try await database.query(
            """
            SELECT j.state, j.result, r.problem FROM jobs j JOIN runs r ON r.tenant_id = j.tenant_id AND r.id = j.id
            WHERE j.id = \(id)
            """, tenant: tenant)
        guard let row = rows.first else {
            // Somebody waited for it.
            try await database.refuseErased(tenant)
            throw RunError.notFound
        }
        switch try row.decode("state", as: JobState.self) {
        case .queued, .running: return nil
        case .succeeded: return .succeeded(try row.decode("result", as: JSONText.self).bytes)
        case .failed: return .failed(try row.problem() ?? RunError.unfinished)
        case .cancelled: return .canceled
        }
    }

    /// - Returns: the run's state after the request; `nil` if there is no such run.
    func requestCancel(_ id: UUID, of tenantId: UUID) async throws -> RunState? {
        let state = try await database.transaction(tenant: tenantId) { transaction -> RunState? in
            let rows = try await transaction.query(
                """
                SELECT j.kind, j.state FROM jobs j JOIN runs r ON r.tenant_id = j.tenant_id AND r.id = j.id
                WHERE j.id = \(id) FOR NO KEY UPDATE OF j
                """)
            guard let row = rows.first else { return nil }
            let before: JobState = try row.decode("state")
            let after = try await JobStore.requestCancel(id, in: transaction)
            if before != .cancelled, after == .cancelled {
                try await RunMove.end(id, flow: try row.decode("kind"), state: .canceled, tenant: tenantId, in: transaction)
            }
            return after.map { RunState($0) }
        }
        onCommit()
        return state
    }

    // MARK: Reading

    func run(_ id: UUID, of tenantId: UUID) async throws -> Run? {
        try await runs("AND j.id = \(id)", of: tenantId).first
    }

    func list(olderThan id: UUID?, limit: Int, of tenantId: UUID) async throws -> [Run] {
        let condition: SQL = id.map { "AND j.id < \($0)" } ?? ""
        return try await runs("\(condition) ORDER BY j.id DESC LIMIT \(limit)", of: tenantId)
    }

    /// What a step made, as ``JobContext`` keeps it: an array of one ``StepOutcome``. What tells of a text says whence it came.
    private static let written: SQL = "(k.result #> '{0,succeeded,_0}')"

    private func runs(_ condition: SQL, of tenantId: UUID) async throws -> [Run] {
        let rows = try await database.query(
            """
            SELECT j.id, j.kind, j.state, j.created_at, j.started_at, j.finished_at, j.cancel_requested_at IS NOT NULL AS is_cancelled,
                r.problem, (
                    SELECT json_agg(json_build_object('name', s.name, 'state', s.state, 'contentId', s.content_id,
                        'problem', s.problem, 'degraded', \(Self.written) -> 'degraded',
                        'degradedReason', \(Self.written) -> 'degradedReason') ORDER BY s.position)
                    FROM run_steps s
                    LEFT JOIN job_steps k ON k.tenant_id = s.tenant_id AND k.job_id = s.run_id AND k.name = s.name
                    WHERE s.tenant_id = j.tenant_id AND s.run_id = j.id
                ) AS steps
            FROM jobs j JOIN runs r ON r.tenant_id = j.tenant_id AND r.id = j.id WHERE j.tenant_id = \(tenantId) \(condition)
            """, tenant: tenantId)
        return try rows.map { row in
            let steps = try row.decode("steps", as: JSONText?.self).map { try JSON.decode([RunStep].self, from: $0.bytes) } ?? []
            let state = RunState(try row.decode("state", as: JobState.self))
            let degraded = steps.first { $0.degraded == true }
            return Run(
                id: try row.decode("id"), flow: try row.decode("kind"), state: state,
                progress: RunMove.progress(of: steps, in: state), steps: steps, contentIds: Self.contentIds(of: steps),
                cancelRequested: try row.decode("is_cancelled"), problem: try row.problem(),
                createdAt: try row.decode("created_at"), startedAt: try row.decode("started_at"),
                finishedAt: try row.decode("finished_at"), degraded: degraded != nil, degradedReason: degraded?.degradedReason)
        }
    }

    /// Each once, though several steps may have worked on it.
    private static func contentIds(of steps: [RunStep]) -> [UUID] {
        var seen: Set<UUID> = []
        return steps.compactMap(\.contentId).filter { seen.insert($0).inserted }
    }
}

extension Row {
    fileprivate func problem() throws -> FlowProblem? {
        try decode("problem", as: JSONText?.self).map { try JSON.decode(FlowProblem.self, from: $0.bytes) }
    }
}

extension RunState {
    init(_ state: JobState) {
        self =
            switch state {
            case .queued: .queued
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed
            case .cancelled: .canceled
            }
    }
}

/// What a job of a run holds.
struct RunPayload<Input: Decodable & Sendable>: Decodable, Sendable {
    let input: Input
    let request: RunOrder.OriginalRequest
}

extension RunOrder {
    /// A ``RunPayload``.
    fileprivate func payload() throws -> JSONText {
        let request = String(decoding: try JSON.encode(request), as: UTF8.self)
        return JSONText("{\"input\":\(String(decoding: input, as: UTF8.self)),\"request\":\(request)}")
    }
}
