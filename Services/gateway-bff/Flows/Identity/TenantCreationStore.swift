import ConfigReading
import Cryptography
import FoundationEssentials
import Observability
import PostgresStore
import ServiceDefaults

/// A tenant, and the one person in it who answers for it: the first step of an installation that is no demonstration. Done by the
/// `create-tenant` command with the owner's connection, never by a running server.
struct TenantCreationStore: Sendable {
    /// Tenants and users are rows that no server may write.
    let owner: Database
    /// Memberships are behind row-level security, for the owner too.
    let app: Database
    /// Sees whose memberships there are before a tenant is known.
    let system: Database
    let hasher: PasswordHasher

    /// The `create-tenant` command: `TENANT_OWNER_PASSWORD`, or the file that `TENANT_OWNER_PASSWORD_FILE` names, or the first line of
    /// standard input.
    static func run(_ runtime: ServiceRuntime, _ arguments: [String]) async throws {
        var reader = EnvironmentReader(ProcessInfo.processInfo.environment)
        let ownerURL = reader.secret("OWNER_DATABASE_URL")
        let password = reader.optionalSecret("TENANT_OWNER_PASSWORD")
        try reader.finish()
        let order = try TenantOrder(arguments, password: password ?? readLine().map(Secret.init))
        let owner = Database(configuration: .init(url: ownerURL, poolSize: 1, applicationName: "gateway-bff.create-tenant"))
        let creation = TenantCreationStore(
            owner: owner, app: runtime.database, system: runtime.system, hasher: PasswordHasher())
        do {
            let (tenantId, isNew) = try await creation.create(order)
            runtime.logger.info(isNew ? "tenant made" : "tenant was there", ["newTenantId": tenantId.text])
        } catch {
            await owner.close()
            throw error
        }
        await owner.close()
    }

    /// Makes the tenant and, where there is none with this address, the user. Repeated, it finds the tenant of this name that the user
    /// belongs to. Somebody who exists may answer for several tenants.
    ///
    /// - Throws: ``TenantRefusal``.
    func create(_ order: TenantOrder) async throws -> (tenantId: UUID, isNew: Bool) {
        let hash = try await hasher.hash(order.password.exposed)
        return try await owner.transaction { transaction in
            // One after another: a name is looked up before it is taken.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('create-tenant', 0))")
            let known = try await user(order, in: transaction)
            let names = try await transaction.query("SELECT id FROM tenants WHERE name = \(order.name)")
            let tenants: [UUID] = try names.map { try $0.decode("id") }
            if let known, let tenantId = try await tenant(of: known, among: tenants) { return (tenantId, false) }
            guard tenants.isEmpty else { throw TenantRefusal.nameTaken }

            let (tenantId, userId) = (UUID.version7(), known ?? .version7())
            try await transaction.execute("INSERT INTO tenants (id, name) VALUES (\(tenantId), \(order.name))")
            if known == nil {
                try await transaction.execute(
                    "INSERT INTO users (id, email, password_hash) VALUES (\(userId), \(order.email), \(hash))")
            }
            // Another connection's. If this process dies between the two commits, the membership is nobody's and leads nowhere, and the
            // next attempt finds nothing made.
            _ = try await app.query(
                """
                INSERT INTO memberships (tenant_id, user_id, roles) VALUES (\(tenantId), \(userId), \([Role.tenantAdmin.rawValue]))
                """, tenant: tenantId)
            return (tenantId, true)
        }
    }

    /// - Returns: the user who has this address and this password; `nil` where nobody has the address.
    private func user(_ order: TenantOrder, in transaction: Transaction) async throws -> UUID? {
        let rows = try await transaction.query("SELECT id, password_hash, status FROM users WHERE email = \(order.email)")
        guard let row = rows.first else { return nil }
        let isTheirs = try await hasher.verify(order.password.exposed, against: try row.decode("password_hash", as: String.self))
        guard isTheirs else { throw TenantRefusal.otherPassword }
        guard try row.decode("status", as: String.self) == "active" else { throw TenantRefusal.disabledUser }
        return try row.decode("id")
    }

    private func tenant(of user: UUID, among tenants: [UUID]) async throws -> UUID? {
        let rows = try await system.query(
            "SELECT tenant_id FROM memberships WHERE user_id = \(user) AND tenant_id = ANY(\(tenants)) ORDER BY tenant_id")
        return try rows.first.map { try $0.decode("tenant_id") }
    }
}
