import FoundationEssentials
import PostgresStore

/// A tenant whose contents wait to be taken in.
struct SemanticTenant: Sendable, Equatable {
    var tenantId: UUID
    var model: String
    /// Tells whether something came while it was being worked on.
    var changes: Int
}

/// The SQL of tenants who search by meaning.
struct SemanticTenantsStore: Sendable {
    let app: Database
    let system: Database

    /// - Throws: ``TenantErased`` if it was.
    func refuseErased(_ tenantId: UUID) async throws { try await app.refuseErased(tenantId) }

    /// Somebody has searched.
    func note(_ tenantId: UUID, model: String, isPending: Bool) async throws {
        let statement: SQL = """
            INSERT INTO semantic_tenants AS t (tenant_id, model, due_at)
            VALUES (\(tenantId), \(model), CASE WHEN \(isPending) THEN app_now() END)
            ON CONFLICT (tenant_id) DO UPDATE SET
                model = excluded.model, due_at = least(t.due_at, excluded.due_at), changes = t.changes + 1
            WHERE t.model <> excluded.model OR (t.due_at IS NULL AND excluded.due_at IS NOT NULL)
            """
        _ = try await Database.refusingErased { try await app.query(statement, tenant: tenantId) }
    }

    /// A content has changed. Of no interest where nobody searches by meaning.
    ///
    /// - Returns: whether somebody does.
    func noteChange(of tenantId: UUID) async throws -> Bool {
        try await app.query(
            """
            UPDATE semantic_tenants SET due_at = least(due_at, app_now()), changes = changes + 1
            WHERE tenant_id = \(tenantId)
            """, tenant: tenantId
        ).affectedRows > 0
    }

    /// The one that has waited longest, for two minutes nobody else's.
    func claim() async throws -> SemanticTenant? {
        try await system.query(
            """
            UPDATE semantic_tenants t SET leased_until = app_now() + interval '2 minutes'
            WHERE t.tenant_id = (
                SELECT tenant_id FROM semantic_tenants
                WHERE due_at <= app_now() AND (leased_until IS NULL OR leased_until < app_now())
                ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING t.tenant_id, t.model, t.changes
            """
        ).first.map {
            SemanticTenant(
                tenantId: try $0.decode("tenant_id"), model: try $0.decode("model"), changes: try $0.decode("changes"))
        }
    }

    /// Everything is taken in; what came meanwhile is due at once.
    func finish(_ tenant: SemanticTenant) async throws {
        try await system.query(
            """
            UPDATE semantic_tenants SET leased_until = NULL,
                due_at = CASE WHEN changes = \(tenant.changes) THEN NULL ELSE app_now() END
            WHERE tenant_id = \(tenant.tenantId)
            """)
    }

    /// To be tried again.
    func putOff(_ tenant: SemanticTenant, for pause: Duration) async throws {
        try await system.query(
            """
            UPDATE semantic_tenants SET leased_until = NULL,
                due_at = app_now() + make_interval(secs => \(Double(pause.components.seconds)))
            WHERE tenant_id = \(tenant.tenantId)
            """)
    }
}
