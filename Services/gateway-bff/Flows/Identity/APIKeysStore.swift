import DTO
import FoundationEssentials
import Observability
import PostgresStore

struct APIKeysStore: Sendable {
    /// What leads from a key to who uses it.
    struct Found: Sendable {
        let tenantId: UUID
        let id: UUID
        let scopes: [String]
        let expiresAt: Date?
        let revokedAt: Date?
    }

    let app: Database
    /// Finds a key before its tenant is known.
    let system: Database

    func insert(_ key: NewAPIKey, hash: [UInt8], prefix: String, by member: Member) async throws -> APIKey {
        let rows = try await app.query(
            """
            INSERT INTO api_keys (tenant_id, id, name, key_sha256, prefix, scopes, created_by, expires_at, operation_id)
            VALUES (\(member.tenantId), \(UUID.version7()), \(key.name), \(hash), \(prefix), \(key.scopes), \(member.subject),
                \(key.expiresAt as Date?), \(CallContext.current?.operationId as UUID?))
            ON CONFLICT (tenant_id, operation_id) DO UPDATE SET key_sha256 = excluded.key_sha256, prefix = excluded.prefix
            RETURNING \(unescaped: Self.columns)
            """, tenant: member.tenantId)
        return try Self.key(rows.only)
    }

    func key(_ id: UUID, of tenantId: UUID) async throws -> APIKey? {
        try await app.query(
            "SELECT \(unescaped: Self.columns) FROM api_keys WHERE tenant_id = \(tenantId) AND id = \(id)", tenant: tenantId
        ).first.map(Self.key)
    }

    func list(olderThan: UUID?, limit: Int, of tenantId: UUID) async throws -> [APIKey] {
        var sql: SQL = "SELECT \(unescaped: Self.columns) FROM api_keys WHERE tenant_id = \(tenantId)"
        if let olderThan { sql.append(" AND id < \(olderThan)") }
        sql.append(" ORDER BY id DESC LIMIT \(limit)")
        return try await app.query(sql, tenant: tenantId).map(Self.key)
    }

    /// - Returns: the hash of the key; `nil` if the tenant has no such key.
    func revoke(_ id: UUID, of tenantId: UUID) async throws -> [UInt8]? {
        try await app.query(
            """
            UPDATE api_keys SET revoked_at = coalesce(revoked_at, app_now())
            WHERE tenant_id = \(tenantId) AND id = \(id) RETURNING key_sha256
            """, tenant: tenantId
        ).first?.decode("key_sha256")
    }

    func find(hash: [UInt8]) async throws -> Found? {
        try await system.query(
            "SELECT tenant_id, id, scopes, expires_at, revoked_at FROM api_keys WHERE key_sha256 = \(hash)"
        ).first.map { row in
            Found(
                tenantId: try row.decode("tenant_id"), id: try row.decode("id"), scopes: try row.decode("scopes"),
                expiresAt: try row.decode("expires_at"), revokedAt: try row.decode("revoked_at"))
        }
    }

    func recordUse(_ keys: [(id: UUID, at: Date)], of tenantId: UUID) async throws {
        _ = try await app.query(
            """
            UPDATE api_keys k SET last_used_at = u.at
            FROM unnest(\(keys.map(\.id)), \(keys.map(\.at))) AS u(id, at)
            WHERE k.tenant_id = \(tenantId) AND k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
            """, tenant: tenantId)
    }

    private static let columns = "id, name, prefix, scopes, created_by, created_at, expires_at, revoked_at, last_used_at"

    private static func key(_ row: Row) throws -> APIKey {
        APIKey(
            id: try row.decode("id"), name: try row.decode("name"), prefix: try row.decode("prefix"),
            scopes: try row.decode("scopes"), createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
            expiresAt: try row.decode("expires_at"), revokedAt: try row.decode("revoked_at"),
            lastUsedAt: try row.decode("last_used_at"))
    }
}
