import FoundationEssentials
import PostgresStore

/// The SQL of erased tenants.
struct TenantErasureStore: Sendable {
    /// So many rows go in one transaction.
    static let batch = 500
    /// What a tenant has here for itself alone; what refers to another table goes before it.
    static let tables = [
        "tenant_provider_keys", "routing_policies", "prompt_outcomes", "prompt_outcome_counts", "prompt_experiment_changes",
        "prompt_experiment_arms", "prompt_experiments", "prompt_label_moves", "prompt_labels", "prompt_versions", "prompts",
        "ai_embeddings", "ai_tenant_settings", "banned_words", "banned_word_lists",
    ]
    /// What sums and bills need, and how replicas learn of changes; of these the words alone go.
    static let tablesOfBills = [
        "ai_usage_ledger", "ai_completions", "ai_budgets", "ai_budget_counters", "ai_reservations", "prompt_tenants",
    ]

    let database: Database

    func mark(_ tenantId: UUID, erasure: UUID) async throws {
        guard try await database.query("SELECT FROM erased_tenants WHERE tenant_id = \(tenantId)", tenant: tenantId).isEmpty
        else {
            return
        }
        try await database.transaction(tenant: tenantId) { transaction in
            // Whoever keeps something has looked at the table, and holds it until that is committed. This waits for all of them; whoever
            // comes after sees the mark. Not for long: meanwhile nobody's call begins.
            try transaction.enqueue("SELECT set_config('lock_timeout', '10s', true)")
            try transaction.enqueue("LOCK TABLE erased_tenants IN ACCESS EXCLUSIVE MODE")
            try transaction.enqueue(
                """
                INSERT INTO erased_tenants (tenant_id, erasure_id) VALUES (\(tenantId), \(erasure)) ON CONFLICT DO NOTHING
                """)
        }
    }

    /// - Returns: whether there may be more.
    func deleteBatch(of table: String, of tenantId: UUID) async throws -> Bool {
        try await database.query(
            """
            DELETE FROM \(identifier: table) WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM \(identifier: table) WHERE tenant_id = \(tenantId) LIMIT \(Self.batch)))
            """, tenant: tenantId
        ).affectedRows == Self.batch
    }

    /// Prompts, completions and answers.
    ///
    /// - Returns: whether there may be more.
    func eraseTexts(of tenantId: UUID) async throws -> Bool {
        try await UsageReportStore(database: database).eraseTexts(ofTenant: tenantId, limit: Self.batch) == Self.batch
    }

    /// A row of the ledger, in the order in which they are gone through.
    struct LedgerPlace: Sendable {
        let at: String
        let operation: UUID
        let step: String
    }

    /// Takes from the ledger's rows what was said about texts: findings, vendors' words, and the arms of experiments that are gone.
    ///
    /// - Returns: how far it came; `nil` at the end.
    func eraseWords(of tenantId: UUID, after place: LedgerPlace?) async throws -> LedgerPlace? {
        var rest: SQL = ""
        if let place {
            rest = """
                AND (created_at, operation_id, step) > (\(place.at)::text::timestamptz, \(place.operation), \(place.step)::text)
                """
        }
        return try await database.query(
            """
            WITH page AS MATERIALIZED (
                SELECT created_at, operation_id, step FROM ai_usage_ledger WHERE tenant_id = \(tenantId) \(rest)
                ORDER BY created_at, operation_id, step LIMIT \(Self.batch)
            ), erased AS (
                UPDATE ai_usage_ledger l SET checks = NULL, experiment_id = NULL, experiment_arm = NULL,
                    prompt_version = split_part(l.prompt_version, '#', 1), attempts = ai_without_words(l.attempts)
                FROM page p
                WHERE l.tenant_id = \(tenantId) AND l.created_at = p.created_at AND l.operation_id = p.operation_id AND l.step = p.step
                    AND (l.checks IS NOT NULL OR l.experiment_id IS NOT NULL OR l.attempts <> ai_without_words(l.attempts))
            )
            SELECT created_at::text AS at, operation_id, step FROM page
            ORDER BY page.created_at DESC, page.operation_id DESC, page.step DESC LIMIT 1
            """, tenant: tenantId
        ).first.map {
            LedgerPlace(at: try $0.decode("at"), operation: try $0.decode("operation_id"), step: try $0.decode("step"))
        }
    }

    /// Nothing is left; every replica forgets what it knew of the tenant.
    func finish(_ tenantId: UUID) async throws {
        try await database.transaction(tenant: tenantId) { transaction in
            let ended = try await transaction.query(
                "UPDATE erased_tenants SET finished_at = app_now() WHERE tenant_id = \(tenantId) AND finished_at IS NULL")
            guard ended.affectedRows > 0 else { return }
            // What a budget was called is the tenant's own word; what it comes to is not.
            try transaction.enqueue("UPDATE ai_budgets SET name = id::text WHERE tenant_id = \(tenantId)")
            try transaction.enqueue(CatalogueStore.changed)
            try transaction.enqueue(PromptStore.changed(tenantId))
        }
    }
}

extension PostgresError {
    /// Where `refuse_erased_tenant` or `ai_begin` lets nothing in.
    var tellsOfErasedTenant: Bool { sqlState == "TE001" }
}

extension Database {
    /// - Throws: ``TenantErased`` where the tenant is gone.
    func transaction<Value: Sendable>(
        ofLiving tenantId: UUID?, _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        do {
            return try await transaction(tenant: tenantId, body)
        } catch let error as PostgresError where error.tellsOfErasedTenant {
            throw TenantErased()
        }
    }

    /// - Throws: ``TenantErased`` where the tenant is gone.
    func pipeline(_ statements: [SQL], ofLiving tenantId: UUID) async throws -> [RowSet] {
        do {
            return try await pipeline(statements, tenant: tenantId)
        } catch let error as PostgresError where error.tellsOfErasedTenant {
            throw TenantErased()
        }
    }
}
