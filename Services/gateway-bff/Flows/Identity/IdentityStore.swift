import FoundationEssentials
import PostgresStore

/// Finds users before a tenant is known; therefore the `system` role.
struct IdentityStore: Identity.Users {
    let system: Database

    func find(email: String) async throws -> Identity.KnownUser? {
        let rows = try await system.query(
            """
            SELECT u.id, u.password_hash, u.status, m.tenant_id, m.roles
            FROM users u LEFT JOIN memberships m ON m.user_id = u.id
            WHERE u.email = \(email)
            ORDER BY m.created_at, m.tenant_id
            """)
        guard let first = rows.first else { return nil }
        var memberships: [(tenantId: UUID, roles: [String])] = []
        for row in rows {
            guard let tenantId = try row.decode("tenant_id", as: UUID?.self) else { continue }
            memberships.append((tenantId, try row.decode("roles", as: [String].self)))
        }
        return Identity.KnownUser(
            id: try first.decode("id", as: UUID.self), passwordHash: try first.decode("password_hash", as: String.self),
            isActive: try first.decode("status", as: String.self) == "active", memberships: memberships)
    }
}
