import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of tenants' banned words.
struct BannedWordsStore: Sendable {
    let database: Database

    /// - Throws: ``TenantErased`` where the tenant is gone.
    func apply(_ changed: BannedWordsChanged, version: Int64, of tenantId: UUID) async throws {
        let words = changed.added + changed.removed
        let areRemoved = changed.added.map { _ in false } + changed.removed.map { _ in true }
        try await database.transaction(ofLiving: tenantId) { transaction in
            // In one order, so that two events never wait for each other.
            let changes = try await transaction.query(
                """
                INSERT INTO banned_words AS w (tenant_id, word, is_removed, version)
                SELECT \(tenantId), word, is_removed, \(version)
                FROM unnest(\(words), \(areRemoved)) AS c (word, is_removed) ORDER BY word
                ON CONFLICT (tenant_id, word) DO UPDATE SET is_removed = excluded.is_removed, version = excluded.version
                WHERE w.version < excluded.version
                """
            ).affectedRows
            guard changes > 0 else { return }
            try transaction.enqueue(
                """
                INSERT INTO banned_word_lists AS l (tenant_id, revision) VALUES (\(tenantId), 1)
                ON CONFLICT (tenant_id) DO UPDATE SET revision = l.revision + 1
                """)
        }
    }

    /// - Returns: `nil` where the tenant never had any.
    func revision(of tenantId: UUID) async throws -> Int64? {
        try await database.query("SELECT revision FROM banned_word_lists WHERE tenant_id = \(tenantId)", tenant: tenantId)
            .first?.decode("revision")
    }

    func words(of tenantId: UUID) async throws -> [String] {
        try await database.query(
            "SELECT word FROM banned_words WHERE tenant_id = \(tenantId) AND NOT is_removed ORDER BY word", tenant: tenantId
        ).map { try $0.decode("word") }
    }
}
