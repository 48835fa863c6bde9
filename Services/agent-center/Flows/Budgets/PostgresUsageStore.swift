import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Observability
import PostgresStore

/// Budgets and ledger in PostgreSQL. What is atomic is a function of the database (`Migrations/BudgetFunctions.swift`).
final class PostgresUsageStore: UsageStore {
    /// How long a process counts as alive after it was last heard of.
    static let timeOfSilence = Duration.seconds(5)

    private let database: Database
    /// The currency of a tenant's amounts, ISO 4217.
    private let currency: @Sendable (UUID) -> String
    /// Names this process.
    let deskId: UUID
    /// Whether others hold what this one reserves. They outlive the process, and so does the desk.
    private let isForOthers: Bool
    private let lastBeat = Lock<ContinuousClock.Instant?>(nil)
    /// Days that texts are kept, by tenant.
    private let retention = Lock<[UUID: Int]>([:])

    init(database: Database, forOthers isForOthers: Bool = false, currency: @escaping @Sendable (UUID) -> String) {
        self.database = database
        self.currency = currency
        self.isForOthers = isForOthers
        deskId = isForOthers ? Self.holdersDesk : .version7()
    }

    /// See ``M0004Spending``.
    private static let holdersDesk: UUID = {
        guard let id = UUID(text: M0004Spending.holdersDesk) else { preconditionFailure("a UUID") }
        return id
    }()

    func exchange(
        _ receipts: [UsageReceipt], _ claims: [UsageClaim]
    ) async throws -> (answers: [String?], admissions: [UsageAdmission]) {
        guard let tenantId = receipts.first?.call.tenantId ?? claims.first?.call.tenantId else { return ([], []) }
        if !claims.isEmpty { try await beatIfSilent() }
        var statements: [SQL] = []
        if !receipts.isEmpty {
            statements.append(finish(receipts, currency(tenantId), keepsTexts: retention.withLock { $0[tenantId] ?? 1 } > 0))
        }
        if !claims.isEmpty { statements.append(begin(claims, currency(tenantId))) }
        var results: ArraySlice<RowSet>
        do {
            results = try await database.pipeline(statements, tenant: tenantId)[...]
        } catch let error as PostgresError where error.tellsOfErasedTenant && receipts.isEmpty {
            // With receipts among them they are sent one by one: what was under way is booked.
            throw TenantErased()
        }
        var answers = receipts.map(\.answer)
        if !receipts.isEmpty, let rows = results.popFirst() {
            for row in rows { answers[try row.decode("n", as: Int.self) - 1] = try row.decode("holding") }
        }
        var admissions = claims.map { _ in UsageAdmission.granted }
        if !claims.isEmpty, let rows = results.popFirst() {
            for row in rows {
                let number: Int = try row.decode("n")
                if number == 0 {
                    let days: Int = try row.decode("number")
                    retention.withLock { $0[tenantId] = days }
                } else {
                    admissions[number - 1] = try Self.admission(row)
                }
            }
        }
        return (answers, await named(admissions, tenantId))
    }

    /// Refusals with the names of their budgets. Nothing depends on them, and others of the same exchange were granted what they asked
    /// for: a name that cannot be read stays away.
    private func named(_ admissions: [UsageAdmission], _ tenantId: UUID) async -> [UsageAdmission] {
        let ids = admissions.compactMap { admission -> UUID? in
            guard case .refused(let exhausted) = admission else { return nil }
            return exhausted.budgetId
        }
        guard !ids.isEmpty,
            let rows = try? await database.query("SELECT id, name FROM ai_budgets WHERE id = ANY(\(ids))", tenant: tenantId),
            let names = try? Dictionary(
                rows.map { (try $0.decode("id", as: UUID.self), try $0.decode("name", as: String.self)) },
                uniquingKeysWith: { $1 })
        else { return admissions }
        return admissions.map { admission in
            guard case .refused(var exhausted) = admission else { return admission }
            exhausted.name = exhausted.budgetId.flatMap { names[$0] }
            return .refused(exhausted)
        }
    }

    private static func admission(_ row: Row) throws -> UsageAdmission {
        switch try row.decode("status", as: String.self) {
        case "answered": .answered(try row.decode("answer"))
        case "erased": .erased
        case "busy": .busy
        case "refused":
            .refused(
                BudgetExhausted(
                    budgetId: try row.decode("budget_id"), scope: try row.decode("scope"), period: try row.decode("period"),
                    retryAfterSeconds: try row.decode("number")))
        default: throw InternalFailure()
        }
    }

    private func begin(_ claims: [UsageClaim], _ currency: String) -> SQL {
        """
        SELECT n, status, answer, budget_id, scope, period, number FROM ai_begin(
            \(deskId), \(currency), \(claims.map(\.call.operationId)), \(claims.map(\.call.step)), \(claims.map(\.ticketId)),
            \(claims.map(\.amount)), \(claims.map(\.lease.milliseconds)), \(claims.map(\.call.flow)),
            \(claims.map(\.call.task.rawValue)), \(claims.map(\.call.scene)), \(claims.map(\.call.subject)),
            \(claims.map(\.call.model)), \(claims.map(\.call.usedKeyId)), \(claims.map(\.call.texts)))
        """
    }

    private func finish(_ receipts: [UsageReceipt], _ currency: String, keepsTexts: Bool) -> SQL {
        let entries = receipts.map(\.entry)
        let attempts = entries.map { entry in
            (try? JSON.encode(entry.attempts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
        }
        let checks = entries.map { $0.checks.map { String(decoding: $0.encode(), as: UTF8.self) } }
        return """
            SELECT n, holding FROM ai_finish(
                \(receipts.map(\.call.operationId)), \(receipts.map(\.call.step)), \(receipts.map(\.ticketId)),
                \(receipts.map(\.call.flow)), \(receipts.map(\.call.task.rawValue)), \(receipts.map(\.call.scene)),
                \(receipts.map(\.call.subject)), \(receipts.map(\.call.usedKeyId)), \(entries.map(\.provider)),
                \(entries.map(\.modelName)), \(entries.map(\.promptTokens)), \(entries.map(\.cachedPromptTokens)),
                \(entries.map(\.completionTokens)), \(entries.map(\.costNano)), \(entries.map(\.spentNano)), \(currency),
                \(entries.map(\.priceVersion)), \(entries.map(\.isEstimated)), \(entries.map(\.latencyMs)), \(attempts),
                \(checks), \(entries.map(\.experiment?.experimentId)), \(entries.map(\.experiment?.arm)),
                \(entries.map(\.promptVersion)), \(entries.map(\.promptHash)), \(entries.map(\.completionHash)),
                \(entries.map(\.isDegraded)), \(entries.map(\.degradedReason)), \(receipts.map(\.answer)),
                \(entries.map { keepsTexts ? $0.texts?.prompt : nil }), \(entries.map { keepsTexts ? $0.texts?.completion : nil }),
                \(entries.map(\.calls)))
            """
    }

    func extend(_ claim: UsageClaim, by nano: Int64) async throws -> Bool {
        try await database.query(
            """
            SELECT ai_extend(\(claim.call.operationId), \(claim.call.step)::text, \(claim.ticketId), \(nano)) AS granted
            """, tenant: claim.call.tenantId
        ).only.decode("granted")
    }

    func release(_ claim: UsageClaim) async throws {
        try await database.query(
            "SELECT ai_release(\(claim.call.operationId), \(claim.call.step)::text, \(claim.ticketId))",
            tenant: claim.call.tenantId)
    }

    // MARK: Being alive

    /// `run()` of the desk beats more often than this; a desk that nobody runs beats with its work.
    private func beatIfSilent() async throws {
        if isForOthers { return }
        let isSilent = lastBeat.withLock { last in last.map { $0 + Self.timeOfSilence / 2 < .now } ?? true }
        if isSilent { try await beat() }
    }

    func beat() async throws {
        try await database.query(
            """
            INSERT INTO ai_desks AS desk (desk_id, alive_until)
            VALUES (\(deskId), app_now() + \(Int(Self.timeOfSilence.milliseconds)) * interval '1 millisecond')
            ON CONFLICT (desk_id) DO UPDATE SET alive_until = excluded.alive_until
            """)
        lastBeat.withLock { $0 = .now }
    }

    func leave() async throws {
        try await database.query("DELETE FROM ai_desks WHERE desk_id = \(deskId)")
        lastBeat.withLock { $0 = nil }
    }
}
