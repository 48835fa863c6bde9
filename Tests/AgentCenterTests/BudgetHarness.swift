import ConcurrencySupport
import Cryptography
import FoundationEssentials
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

/// Desks over a cloned database, as two replicas of the service would have them.
struct BudgetHarness: Sendable {
    let database: TestDatabase

    static func run<Value: Sendable>(_ body: @escaping @Sendable (BudgetHarness) async throws -> Value) async throws -> Value {
        let template = DatabaseTemplate(service: "agent", migrations: AgentCenterMigrations.all)
        return try await TestDatabase.withClone(of: template) { try await body(BudgetHarness(database: $0)) }
    }

    func store(over database: Database? = nil) -> PostgresUsageStore {
        PostgresUsageStore(database: database ?? self.database.app, currency: { _ in "USD" })
    }

    func desk(over database: Database? = nil) -> UsageDesk { UsageDesk(store: store(over: database)) }

    @discardableResult
    func addBudget(
        tenant: UUID = TestContext.tenant, scope: String = "tenant", subject: String? = nil, period: String = "day",
        zone: String = "Asia/Shanghai", nano: Int64? = nil, calls: Int? = nil, isHard: Bool = true
    ) async throws -> UUID {
        let id = UUID.version7()
        try await database.app.query(
            """
            INSERT INTO ai_budgets (tenant_id, id, name, scope, subject, period, zone, limit_nano, limit_calls, currency, is_hard)
            VALUES (\(tenant), \(id), 'test', \(scope), \(subject), \(period), \(zone), \(nano), \(calls), 'USD', \(isHard))
            """, tenant: tenant)
        return id
    }

    /// Whether somebody waits for a lock of a table like this.
    func waits(for table: String) async throws -> Bool {
        try await !database.superuser.query(
            "SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted AND c.relname LIKE \(table)"
        ).isEmpty
    }

    struct Standing: Sendable, Equatable {
        var reserved: Int64 = 0
        var settled: Int64 = 0
        var reservedCalls = 0
        var settledCalls = 0
    }

    /// Of all counters of a budget together.
    func standing(of budget: UUID) async throws -> Standing {
        let row = try await database.superuser.query(
            """
            SELECT coalesce(sum(reserved_nano), 0)::bigint AS reserved, coalesce(sum(settled_nano), 0)::bigint AS settled,
                   coalesce(sum(reserved_calls), 0)::bigint AS reserved_calls, coalesce(sum(settled_calls), 0)::bigint AS settled_calls
            FROM ai_budget_counters WHERE budget_id = \(budget)
            """
        ).only
        return Standing(
            reserved: try row.decode("reserved"), settled: try row.decode("settled"),
            reservedCalls: try row.decode("reserved_calls"), settledCalls: try row.decode("settled_calls"))
    }

    struct Books: Sendable, Equatable {
        var rows = 0
        var calls = 0
        var cost: Int64 = 0
        var spent: Int64 = 0
        var reservations = 0
    }

    func books(of tenant: UUID = TestContext.tenant) async throws -> Books {
        let row = try await database.superuser.query(
            """
            SELECT count(*) AS rows, coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(cost_nano), 0)::bigint AS cost,
                   coalesce(sum(spent_nano), 0)::bigint AS spent,
                   (SELECT count(*) FROM ai_reservations WHERE tenant_id = \(tenant)) AS reservations
            FROM ai_usage_ledger WHERE tenant_id = \(tenant)
            """
        ).only
        return Books(
            rows: try row.decode("rows"), calls: try row.decode("calls"), cost: try row.decode("cost"),
            spent: try row.decode("spent"), reservations: try row.decode("reservations"))
    }

    /// What a budget's counters should say by the ledger.
    func ledgerSums(of tenant: UUID = TestContext.tenant) async throws -> Standing {
        let books = try await books(of: tenant)
        return Standing(settled: books.cost, settledCalls: books.calls)
    }
}

extension LedgerEntry {
    static func sample(
        cost: Int64, spent: Int64? = nil, provider: String = "openai", prompt: String = "问", calls: Int? = nil
    ) -> LedgerEntry {
        LedgerEntry(
            provider: provider, modelName: "m", promptTokens: 10, cachedPromptTokens: 2, completionTokens: 5,
            calls: calls ?? (provider == "template" ? 0 : 1), costNano: cost, spentNano: spent ?? cost, currency: "USD",
            priceVersion: "p@1", isEstimated: false, latencyMs: 1, attempts: [],
            promptVersion: "v@1", promptHash: SHA256.hash(prompt), completionHash: SHA256.hash("答"),
            isDegraded: provider == "template", degradedReason: nil, texts: .init(prompt: prompt, completion: "答"))
    }
}

/// What became of many calls at once.
struct Tally: Sendable, Equatable {
    var served = 0
    var refused = 0
    var failed = 0

    /// Runs `count` calls at once, each under an operation of its own.
    static func of(
        _ operations: [UUID], _ call: @escaping @Sendable (UUID) async throws -> Void
    ) async -> Tally {
        await withTaskGroup(of: Tally.self) { group in
            for operation in operations {
                group.addTask {
                    do {
                        try await call(operation)
                        return Tally(served: 1)
                    } catch is BudgetExhausted {
                        return Tally(refused: 1)
                    } catch {
                        return Tally(failed: 1)
                    }
                }
            }
            return await group.reduce(into: Tally()) { total, one in
                total.served += one.served
                total.refused += one.refused
                total.failed += one.failed
            }
        }
    }
}
