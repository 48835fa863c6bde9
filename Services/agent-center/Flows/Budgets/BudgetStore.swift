import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of budgets as administrators see them. What calls do to them is in `Migrations/BudgetFunctions.swift`.
struct BudgetStore: Sendable {
    let database: Database

    /// IANA's names only: PostgreSQL also takes abbreviations, and reads what it does not know as an offset.
    func knows(zone: String) async throws -> Bool {
        try await database.query(
            """
            SELECT EXISTS (
                SELECT FROM pg_timezone_names WHERE name = \(zone) AND (name = 'UTC' OR name ~ '^[A-Z][A-Za-z]+/[A-Z]')
            ) AS known
            """
        ).only.decode("known")
    }

    /// - Returns: `nil` if the tenant has a budget for this scope, subject and period already.
    func add(_ budget: NewBudget, currency: String, tenantId: UUID) async throws -> Budget? {
        let id = UUID.version7()
        let insert: SQL = """
            INSERT INTO ai_budgets (tenant_id, id, name, scope, subject, period, zone, limit_nano, limit_calls, currency, is_hard)
            VALUES (\(tenantId), \(id), \(budget.name), \(budget.scope.rawValue), \(budget.subject), \(budget.period.rawValue),
                \(budget.zone), \(budget.limitNano.flatMap { Int64($0) }), \(budget.limitCalls), \(currency), \(budget.hard ?? true))
            ON CONFLICT DO NOTHING
            """
        let count = try await database.transaction(tenant: tenantId) { transaction in
            // Calls begin and settle without the tenant's lock while it has no budget. What is at it now has looked already, and must be
            // in the ledger before a counter is made from that; whoever comes later sees the budget.
            _ = try await transaction.query("LOCK TABLE ai_budgets IN ACCESS EXCLUSIVE MODE")
            return try await transaction.query(insert).affectedRows
        }
        return count > 0 ? try await self.budget(id, of: tenantId) : nil
    }

    /// - Returns: `false` if there is no such version (any more).
    func change(_ id: UUID, to setting: BudgetSetting, ifVersion version: Int, tenantId: UUID) async throws -> Bool {
        try await database.query(
            """
            UPDATE ai_budgets SET name = \(setting.name), limit_nano = \(setting.limitNano.flatMap { Int64($0) }),
                limit_calls = \(setting.limitCalls), is_hard = \(setting.hard ?? true), version = version + 1, updated_at = app_now()
            WHERE tenant_id = \(tenantId) AND id = \(id) AND version = \(version)
            """, tenant: tenantId
        ).affectedRows > 0
    }

    /// What is under way ends without it.
    ///
    /// - Returns: `false` if there is no such version (any more).
    func remove(_ id: UUID, ifVersion version: Int, tenantId: UUID) async throws -> Bool {
        // Calls take the tenant's lock before the counters; so does this, or the two would wait for each other.
        try await database.pipeline(
            [
                "SELECT ai_lock_tenant()",
                "DELETE FROM ai_budgets WHERE tenant_id = \(tenantId) AND id = \(id) AND version = \(version)",
            ], tenant: tenantId
        )[1].affectedRows > 0
    }

    func budget(_ id: UUID, of tenantId: UUID) async throws -> Budget? {
        guard var budget = try await budgets(of: tenantId, "AND id = \(id)", "").first else { return nil }
        if budget.scope != .tenant, budget.subject == nil { budget.subjects = try await subjects(of: budget, tenantId) }
        return budget
    }

    /// Whether a hard budget in money applies to the call.
    func limitsMoney(of call: ModelCall) async throws -> Bool {
        try await database.query(
            """
            SELECT EXISTS (
                SELECT FROM ai_budgets b
                WHERE b.tenant_id = \(call.tenantId) AND b.is_hard AND b.limit_nano IS NOT NULL
                    AND ai_budget_subject(b.scope, b.subject, \(call.subject), \(call.scene), \(call.usedKeyId)) IS NOT NULL
            ) AS limits
            """, tenant: call.tenantId
        ).only.decode("limits")
    }

    /// Newest first.
    func budgets(of tenantId: UUID, before id: UUID?, limit: Int) async throws -> [Budget] {
        var condition: SQL = ""
        if let id { condition.append("AND id < \(id)") }
        return try await budgets(of: tenantId, condition, "LIMIT \(limit)")
    }

    /// A budget of one subject that nobody has called under yet has no counter: the ledger says what its period holds.
    private func budgets(of tenantId: UUID, _ condition: SQL, _ limit: SQL) async throws -> [Budget] {
        try await database.query(
            """
            WITH budget AS (
                SELECT *, ai_period_start(period, zone, app_now()) AS starts, ai_period_end(period, zone, app_now()) AS ends
                FROM ai_budgets WHERE tenant_id = \(tenantId) \(condition) ORDER BY id DESC \(limit)
            )
            SELECT b.*, coalesce(held.reserved_nano, 0)::bigint AS reserved_nano,
                   coalesce(held.reserved_calls, 0)::bigint AS reserved_calls,
                   coalesce(held.settled_nano, before.nano, 0)::bigint AS settled_nano,
                   coalesce(held.settled_calls, before.calls, 0)::bigint AS settled_calls
            FROM budget b
            LEFT JOIN LATERAL (
                SELECT sum(c.reserved_nano) AS reserved_nano, sum(c.reserved_calls) AS reserved_calls,
                       sum(c.settled_nano) AS settled_nano, sum(c.settled_calls) AS settled_calls
                FROM ai_budget_counters c
                WHERE c.tenant_id = b.tenant_id AND c.budget_id = b.id AND c.period_start = b.starts
            ) held ON true
            LEFT JOIN LATERAL (
                SELECT sum(l.cost_nano) AS nano, sum(l.calls) AS calls FROM ai_usage_ledger l
                WHERE held.settled_nano IS NULL AND (b.scope = 'tenant' OR b.subject IS NOT NULL)
                    AND l.tenant_id = b.tenant_id AND l.created_at >= b.starts AND l.created_at < b.ends
                    AND ai_budget_subject(b.scope, b.subject, l.subject, l.scene, l.api_key_id) IS NOT NULL
            ) before ON true
            ORDER BY b.id DESC
            """, tenant: tenantId
        ).map(Self.budget)
    }

    private func subjects(of budget: Budget, _ tenantId: UUID) async throws -> [BudgetSubjectStanding] {
        try await database.query(
            """
            SELECT subject, reserved_nano, reserved_calls, settled_nano, settled_calls FROM ai_budget_counters
            WHERE tenant_id = \(tenantId) AND budget_id = \(budget.id)
                AND period_start = (SELECT ai_period_start(period, zone, app_now()) FROM ai_budgets
                                    WHERE tenant_id = \(tenantId) AND id = \(budget.id))
            ORDER BY settled_nano DESC, settled_calls DESC, subject LIMIT 100
            """, tenant: tenantId
        ).map { row in
            let used = try Used(row)
            return BudgetSubjectStanding(
                subject: try row.decode("subject"), reservedNano: String(used.reservedNano), reservedCalls: used.reservedCalls,
                settledNano: String(used.settledNano), settledCalls: used.settledCalls,
                remainingNano: used.remaining(of: budget.limitNano.flatMap { Int64($0) }),
                remainingCalls: used.remaining(of: budget.limitCalls))
        }
    }

    private struct Used {
        let reservedNano: Int64
        let reservedCalls: Int
        let settledNano: Int64
        let settledCalls: Int

        init(_ row: Row) throws {
            reservedNano = try row.decode("reserved_nano")
            reservedCalls = try row.decode("reserved_calls")
            settledNano = try row.decode("settled_nano")
            settledCalls = try row.decode("settled_calls")
        }

        func remaining(of limit: Int64?) -> String? { limit.map { String(max(0, $0 - reservedNano - settledNano)) } }
        func remaining(of limit: Int?) -> Int? { limit.map { max(0, $0 - reservedCalls - settledCalls) } }
    }

    private static func budget(_ row: Row) throws -> Budget {
        let used = try Used(row)
        guard let scope = BudgetScope(rawValue: try row.decode("scope")),
            let period = BudgetPeriod(rawValue: try row.decode("period"))
        else { throw InternalFailure() }
        let subject: String? = try row.decode("subject")
        let limitNano: Int64? = try row.decode("limit_nano")
        let limitCalls: Int? = try row.decode("limit_calls")
        let isOfEach = scope != .tenant && subject == nil
        return Budget(
            id: try row.decode("id"), name: try row.decode("name"), scope: scope, subject: subject,
            period: period, zone: try row.decode("zone"), limitNano: limitNano.map { String($0) },
            limitCalls: limitCalls, currency: try row.decode("currency"), hard: try row.decode("is_hard"),
            version: try row.decode("version"), createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at"),
            current: BudgetStanding(
                start: try row.decode("starts"), end: try row.decode("ends"), reservedNano: String(used.reservedNano),
                reservedCalls: used.reservedCalls, settledNano: String(used.settledNano), settledCalls: used.settledCalls,
                remainingNano: isOfEach ? nil : used.remaining(of: limitNano),
                remainingCalls: isOfEach ? nil : used.remaining(of: limitCalls)))
    }
}
