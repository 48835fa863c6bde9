import DTO
import FoundationEssentials
import HTTPCore
import Observability
import PostgresStore

/// The SQL of experiments. Exposures stand in the usage ledger; outcomes are counted as they come in.
struct ExperimentStore: Sendable {
    let app: Database

    struct Filter: Sendable {
        var prompt: String?
        var state: ExperimentState?
        var olderThan: UUID?
        var limit: Int
    }

    /// What a model answered, as far as experiments go: templates and lost work are nobody's arm. As in the ledger's index.
    private static let isExposure: SQL = "provider NOT IN ('template', 'unknown')"

    // MARK: Experiments

    /// Those of the versions that the tenant has.
    ///
    /// - Throws: `NotFound` where neither the tenant has a prompt of this name nor `isShipped` says that the service has.
    func versions(_ numbers: Set<Int>, of prompt: String, tenantId: UUID) async throws -> Set<Int> {
        let rows = try await app.query(
            """
            SELECT number FROM prompt_versions
            WHERE tenant_id = \(tenantId) AND name = \(prompt) AND number = ANY (\(numbers.sorted()))
            """, tenant: tenantId)
        return Set(try rows.map { try $0.decode("number", as: Int.self) })
    }

    /// Whether the tenant has a prompt of this name.
    func knows(_ prompt: String, tenantId: UUID) async throws -> Bool {
        try await app.query(
            "SELECT EXISTS (SELECT FROM prompt_versions WHERE tenant_id = \(tenantId) AND name = \(prompt)) AS known",
            tenant: tenantId
        ).only.decode("known")
    }

    func create(_ draft: Experiments.Draft, by author: Prompts.Author) async throws -> Experiment {
        let id = UUID.version7()
        let tenantId = author.tenantId
        let rule = draft.rule
        do {
            _ = try await app.pipeline(
                [
                    """
                    INSERT INTO prompt_experiments (tenant_id, id, prompt, description, control, unit, salt, guard_kind, guard_measure, guard_above,
                        guard_min_exposures, state, created_by, operation_id)
                    VALUES (\(tenantId), \(id), \(draft.prompt), \(draft.description), \(draft.control), \(draft.unit.rawValue),
                        \(draft.salt ?? id.text), \(rule?.kind.rawValue), \(rule?.measure.rawValue), \(rule?.above),
                        \(rule?.minimumExposures), 'draft', \(author.subject), \(author.operationId))
                    """,
                    """
                    INSERT INTO prompt_experiment_arms (tenant_id, experiment_id, name, position, version, weight, is_control)
                    SELECT \(tenantId), \(id), a.name, a.position, a.version, a.weight, a.name = \(draft.control)
                    FROM unnest(\(draft.arms.map(\.name))::text[], \(draft.arms.map(\.version)), \(draft.arms.map(\.weight)))
                        WITH ORDINALITY AS a (name, version, weight, position)
                    """,
                    Self.note("created", of: id, by: author.subject, tenantId),
                ], ofLiving: tenantId)
        } catch let error as PostgresError where error.isUniqueViolation {
            // The same operation once more.
            let row = try await app.query(
                "SELECT id FROM prompt_experiments WHERE tenant_id = \(tenantId) AND operation_id = \(author.operationId)",
                tenant: tenantId
            ).first
            guard let row, let kept = try await experiment(row.decode("id"), tenantId: tenantId) else { throw error }
            return kept
        }
        guard let experiment = try await experiment(id, tenantId: tenantId) else { throw InternalFailure() }
        return experiment
    }

    func experiment(_ id: UUID, tenantId: UUID) async throws -> Experiment? {
        let rows = try await app.pipeline(Self.selection(id, tenantId), tenant: tenantId)
        return try rows[0].first.map { try Self.experiment($0, arms: rows[1], changes: rows[2]) }
    }

    private static func selection(_ id: UUID, _ tenantId: UUID) -> [SQL] {
        [
            "SELECT * FROM prompt_experiments WHERE tenant_id = \(tenantId) AND id = \(id)",
            "SELECT * FROM prompt_experiment_arms WHERE tenant_id = \(tenantId) AND experiment_id = \(id) ORDER BY position",
            "SELECT * FROM prompt_experiment_changes WHERE tenant_id = \(tenantId) AND experiment_id = \(id) ORDER BY id",
        ]
    }

    func list(_ filter: Filter, tenantId: UUID) async throws -> [Experiment] {
        var conditions: [SQL] = ["tenant_id = \(tenantId)"]
        if let prompt = filter.prompt { conditions.append("prompt = \(prompt)") }
        if let state = filter.state { conditions.append("state = \(state.rawValue)") }
        if let id = filter.olderThan { conditions.append("id < \(id)") }
        let page: SQL =
            "SELECT * FROM prompt_experiments WHERE \(SQL.joined(conditions, separator: " AND ")) ORDER BY id DESC LIMIT \(filter.limit)"
        let rows = try await app.query(page, tenant: tenantId)
        let ids = try rows.map { try $0.decode("id", as: UUID.self) }
        let arms = try await app.query(
            """
            SELECT * FROM prompt_experiment_arms WHERE tenant_id = \(tenantId) AND experiment_id = ANY (\(ids)) ORDER BY position
            """, tenant: tenantId)
        let byExperiment = Dictionary(grouping: arms) { (try? $0.decode("experiment_id", as: UUID.self)) ?? tenantId }
        return try zip(rows, ids).map { try Self.experiment($0, arms: byExperiment[$1] ?? [], changes: nil) }
    }

    private static func experiment(
        _ row: Row, arms: some Sequence<Row>, changes: RowSet?
    ) throws -> Experiment {
        let rule = try rule(row)
        return Experiment(
            id: try row.decode("id"), prompt: try row.decode("prompt"), description: try row.decode("description"),
            state: try row.decode("state"),
            arms: try arms.map { arm in
                ExperimentArm(
                    name: try arm.decode("name"), version: try arm.decode("version"), weight: try arm.decode("weight"),
                    stoppedAt: try arm.decode("stopped_at"), stoppedReason: try arm.decode("stopped_reason"))
            },
            control: try row.decode("control"), unit: try row.decode("unit"), salt: try row.decode("salt"),
            guard: rule.map {
                ExperimentGuard(
                    kind: $0.kind.rawValue, measure: $0.measure == .rate ? nil : $0.measure.rawValue, above: $0.above,
                    minExposures: $0.minimumExposures)
            },
            createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
            startedAt: try row.decode("started_at"), stoppedAt: try row.decode("stopped_at"),
            changes: try changes?.map { change in
                ExperimentChange(
                    at: try change.decode("at"), actor: try change.decode("actor"), change: try change.decode("change"),
                    arm: try change.decode("arm"), reason: try change.decode("reason"))
            })
    }

    private static func rule(_ row: Row) throws -> GuardRule? {
        guard let name = try row.decode("guard_kind", as: String?.self), let kind = OutcomeKind(rawValue: name) else {
            return nil
        }
        let measure = try row.decode("guard_measure", as: String?.self).flatMap(GuardRule.Measure.init) ?? .rate
        return GuardRule(
            kind: kind, measure: measure, above: try row.decode("guard_above"),
            minimumExposures: try row.decode("guard_min_exposures"))
    }

    private static func note(
        _ change: String, of id: UUID, arm: String? = nil, reason: String? = nil, by actor: String, _ tenantId: UUID
    ) -> SQL {
        """
        INSERT INTO prompt_experiment_changes (tenant_id, experiment_id, id, actor, change, arm, reason)
        VALUES (\(tenantId), \(id), \(UUID.version7()), \(actor), \(change), \(arm), \(reason))
        """
    }

    func apply(
        _ event: ExperimentState.Event, to id: UUID, by author: Prompts.Author
    ) async throws -> (Experiment, revision: Int64) {
        let tenantId = author.tenantId
        do {
            return try await app.transaction(ofLiving: tenantId) { transaction in
                let row = try await transaction.query(
                    "SELECT * FROM prompt_experiments WHERE tenant_id = \(tenantId) AND id = \(id) FOR UPDATE"
                ).first
                guard let row, let state = ExperimentState(rawValue: try row.decode("state")) else { throw NotFound() }
                guard let next = state.next(event) else { throw ExperimentsError.wrongState(state) }
                if next != state {
                    try transaction.enqueue(
                        """
                        UPDATE prompt_experiments SET state = \(next.rawValue),
                            started_at = CASE \(next.rawValue)::text WHEN 'running' THEN coalesce(started_at, app_now()) ELSE started_at END,
                            stopped_at = CASE \(next.rawValue)::text WHEN 'running' THEN NULL ELSE app_now() END
                        WHERE tenant_id = \(tenantId) AND id = \(id) AND state = \(state.rawValue)
                        """)
                    try transaction.enqueue(Self.note(event.rawValue, of: id, by: author.subject, tenantId))
                }
                let rows = try await transaction.pipeline(Self.selection(id, tenantId))
                let experiment = try Self.experiment(try rows[0].only, arms: rows[1], changes: rows[2])
                let revision: Int64 = try await transaction.query(PromptStore.changed(tenantId)).only.decode("revision")
                return (experiment, revision)
            }
        } catch let error as PostgresError where error.isUniqueViolation {
            throw ExperimentsError.anotherRuns
        }
    }

    // MARK: Outcomes

    struct Recorded: Sendable {
        let outcome: ExperimentOutcome
        let isNew: Bool
        /// What the guard did about it.
        let stopped: (reason: String, revision: Int64)?
    }

    func record(_ outcome: Experiments.Outcome, in id: UUID, by author: Prompts.Author) async throws -> Recorded {
        let tenantId = author.tenantId
        return try await app.transaction(ofLiving: tenantId) { transaction in
            let row = try await transaction.query(
                """
                SELECT e.*, ARRAY(
                    SELECT name FROM prompt_experiment_arms a WHERE a.tenant_id = e.tenant_id AND a.experiment_id = e.id) AS arms
                FROM prompt_experiments e WHERE tenant_id = \(tenantId) AND id = \(id) FOR SHARE
                """
            ).first
            guard let row, let state = ExperimentState(rawValue: try row.decode("state")) else { throw NotFound() }
            guard state.takesOutcomes else { throw ExperimentsError.takesNoOutcomes(state) }
            let exposure = try await Self.exposure(outcome.about, in: id, arms: row.decode("arms"), tenantId, transaction)
            let unit = ExperimentUnit(rawValue: try row.decode("unit")) ?? .operation
            let key = unit == .operation ? exposure.operationId.text : exposure.subject
            let added = try await transaction.query(
                """
                INSERT INTO prompt_outcomes (tenant_id, experiment_id, unit, kind, arm, value, posted_by)
                VALUES (\(tenantId), \(id), \(key), \(outcome.kind.rawValue), \(exposure.arm), \(outcome.value), \(author.subject))
                ON CONFLICT DO NOTHING RETURNING *
                """)
            guard let new = added.first else {
                let kept = try await transaction.query(
                    """
                    SELECT * FROM prompt_outcomes
                    WHERE tenant_id = \(tenantId) AND experiment_id = \(id) AND unit = \(key) AND kind = \(outcome.kind.rawValue)
                    """
                ).only
                guard try kept.decode("value", as: Double?.self) == outcome.value else { throw ExperimentsError.otherValue }
                return Recorded(outcome: try Self.outcome(kept), isNew: false, stopped: nil)
            }
            let counted = try await Self.count(outcome, exposure.arm, in: id, tenantId, transaction)
            let stopped = try await Self.stopIfBroken(
                try Self.rule(row), outcome.kind, counted, arm: exposure.arm, unit, row, tenantId, transaction)
            return Recorded(outcome: try Self.outcome(new), isNew: true, stopped: stopped)
        }
    }

    private static func outcome(_ row: Row) throws -> ExperimentOutcome {
        ExperimentOutcome(
            experimentId: try row.decode("experiment_id"), arm: try row.decode("arm"), unit: try row.decode("unit"),
            kind: try row.decode("kind"), value: try row.decode("value"), recordedAt: try row.decode("recorded_at"))
    }

    private struct Exposure {
        let operationId: UUID
        let subject: String
        let arm: String
    }

    /// The newest one that the outcome can be about.
    ///
    /// - Throws: `ValidationFailure` where there is none in this experiment.
    private static func exposure(
        _ about: Experiments.Outcome.About, in id: UUID, arms: [String], _ tenantId: UUID, _ transaction: Transaction
    ) async throws -> Exposure {
        let (condition, pointer): (SQL, String) =
            switch about {
            // The arms lead the index to the operation.
            case .operation(let operation):
                ("experiment_arm = ANY (\(arms)) AND operation_id = \(operation)", "/operationId")
            case .subject(let subject): ("subject = \(subject)", "/subject")
            }
        let row = try await transaction.query(
            """
            SELECT operation_id, subject, experiment_arm FROM ai_usage_ledger
            WHERE tenant_id = \(tenantId) AND experiment_id = \(id) AND \(isExposure) AND \(condition)
            ORDER BY created_at DESC LIMIT 1
            """
        ).first
        guard let row else {
            throw ValidationFailure(
                pointer: pointer, code: "not_in_experiment", zh: "没有经过这个实验", en: "was never part of this experiment")
        }
        return Exposure(
            operationId: try row.decode("operation_id"), subject: try row.decode("subject"), arm: try row.decode("experiment_arm")
        )
    }

    /// Adds the outcome to the arm's sums (Welford); the row's lock puts those of one arm and kind in a line.
    ///
    /// - Returns: how many of this kind the arm has now, and their numbers.
    private static func count(
        _ outcome: Experiments.Outcome, _ arm: String, in id: UUID, _ tenantId: UUID, _ transaction: Transaction
    ) async throws -> (count: Int, numbers: Sample) {
        let value = outcome.value
        let row = try await transaction.query(
            """
            INSERT INTO prompt_outcome_counts AS c (tenant_id, experiment_id, arm, kind, count, valued, mean, squares)
            VALUES (\(tenantId), \(id), \(arm), \(outcome.kind.rawValue), 1, \(value == nil ? 0 : 1), \(value ?? 0), 0)
            ON CONFLICT (tenant_id, experiment_id, arm, kind) DO UPDATE SET
                count = c.count + 1, valued = c.valued + excluded.valued,
                mean = CASE excluded.valued WHEN 0 THEN c.mean ELSE c.mean + (excluded.mean - c.mean) / (c.valued + 1) END,
                squares = CASE excluded.valued WHEN 0 THEN c.squares ELSE c.squares
                    + (excluded.mean - c.mean) * (excluded.mean - (c.mean + (excluded.mean - c.mean) / (c.valued + 1))) END
            RETURNING count, valued, mean, squares
            """
        ).only
        return (
            try row.decode("count"),
            Sample(count: try row.decode("valued"), mean: try row.decode("mean"), squares: try row.decode("squares"))
        )
    }

    private static func stopIfBroken(
        _ rule: GuardRule?, _ kind: OutcomeKind, _ counted: (count: Int, numbers: Sample), arm: String, _ unit: ExperimentUnit,
        _ experiment: Row, _ tenantId: UUID, _ transaction: Transaction
    ) async throws -> (reason: String, revision: Int64)? {
        let (control, id): (String, UUID) = (try experiment.decode("control"), try experiment.decode("id"))
        guard let rule, rule.kind == kind, arm != control else { return nil }
        let reason: String?
        switch rule.measure {
        case .mean: reason = rule.isBroken(by: counted.numbers) ? rule.reason(counted.numbers) : nil
        case .rate:
            let outcomes = try await proportion(rule, counted.count, arm: arm, unit, id, tenantId, transaction)
            reason = rule.isBroken(by: outcomes) ? rule.reason(outcomes) : nil
        }
        guard let reason else { return nil }
        let stopped = try await transaction.query(
            """
            UPDATE prompt_experiment_arms SET stopped_at = app_now(), stopped_reason = \(reason)
            WHERE tenant_id = \(tenantId) AND experiment_id = \(id) AND name = \(arm) AND stopped_at IS NULL
            """
        ).affectedRows
        guard stopped == 1 else { return nil }
        try transaction.enqueue(note("arm_stopped", of: id, arm: arm, reason: reason, by: "guard", tenantId))
        return (reason, try await transaction.query(PromptStore.changed(tenantId)).only.decode("revision"))
    }

    /// Only so many exposures are counted as could make a difference: see ``GuardRule/enough(for:)``.
    private static func proportion(
        _ rule: GuardRule, _ count: Int, arm: String, _ unit: ExperimentUnit, _ id: UUID, _ tenantId: UUID,
        _ transaction: Transaction
    ) async throws -> Proportion {
        let column: SQL = unit == .operation ? "operation_id" : "subject"
        let total: Int = try await transaction.query(
            """
            SELECT count(*) AS total FROM (
                SELECT DISTINCT \(column) FROM ai_usage_ledger
                WHERE tenant_id = \(tenantId) AND experiment_id = \(id) AND experiment_arm = \(arm) AND \(isExposure)
                LIMIT \(rule.enough(for: count))) AS exposures
            """
        ).only.decode("total")
        return Proportion(count: count, total: total)
    }

    // MARK: Results

    func counts(of experiment: Experiment, tenantId: UUID) async throws -> ExperimentCounts {
        let rows = try await app.pipeline(
            [
                """
                SELECT experiment_arm AS arm, count(DISTINCT operation_id) AS exposures, count(DISTINCT subject) AS subjects
                FROM ai_usage_ledger WHERE tenant_id = \(tenantId) AND experiment_id = \(experiment.id) AND \(Self.isExposure)
                GROUP BY experiment_arm
                """,
                "SELECT * FROM prompt_outcome_counts WHERE tenant_id = \(tenantId) AND experiment_id = \(experiment.id)",
            ], tenant: tenantId)
        var counts = ExperimentCounts()
        for row in rows[0] {
            let arm: String = try row.decode("arm")
            counts.arms[arm, default: .init()].exposures = try row.decode("exposures")
            counts.arms[arm, default: .init()].subjects = try row.decode("subjects")
        }
        for row in rows[1] {
            guard let kind = OutcomeKind(rawValue: try row.decode("kind")) else { continue }
            counts.arms[try row.decode("arm"), default: .init()].outcomes[kind] = .init(
                count: try row.decode("count"),
                values: Sample(
                    count: try row.decode("valued"), mean: try row.decode("mean"), squares: try row.decode("squares")))
        }
        return counts
    }
}
