import FoundationEssentials
import PostgresStore

/// The SQL of erased tenants.
struct TenantErasureStore: Sendable {
    /// So many rows go in one transaction.
    static let batch = 500
    /// What a tenant has here.
    static let tables = [
        "jobs", "picture_attempts", "content_activity", "brand_words", "banned_words", "banned_word_revisions",
        "semantic_tenants",
        "inbox",
    ]
    /// What goes with its job.
    static let tablesOfJobs = ["job_steps", "job_due", "runs", "run_steps"]

    let database: Database

    func mark(_ tenantId: UUID, erasure: UUID) async throws {
        try await database.transaction(tenant: tenantId) { transaction in
            // Waits for whoever is writing; whoever comes after that sees the mark.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(tenant_write_lock(\(tenantId)))")
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

    /// Nothing is left.
    func finish(_ tenantId: UUID) async throws {
        _ = try await database.query(
            "UPDATE erased_tenants SET finished_at = app_now() WHERE tenant_id = \(tenantId) AND finished_at IS NULL",
            tenant: tenantId)
    }
}

extension Database {
    /// - Throws: ``TenantErased`` if it was.
    func refuseErased(_ tenantId: UUID) async throws {
        let marks = try await query("SELECT FROM erased_tenants WHERE tenant_id = \(tenantId)", tenant: tenantId)
        guard marks.isEmpty else { throw TenantErased() }
    }

    /// Lets `body` write.
    ///
    /// - Throws: ``TenantErased`` where the trigger `refuse_erased_tenant` lets nothing in.
    static func refusingErased<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == "TE001" {
            throw TenantErased()
        }
    }
}
