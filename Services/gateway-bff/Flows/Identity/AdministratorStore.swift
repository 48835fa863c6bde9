import ConfigReading
import Cryptography
import FoundationEssentials
import Observability
import PostgresStore
import ServiceDefaults

/// Whoever administers the platform itself: its model providers, prices, names and policies for all tenants. Every user works in a tenant;
/// such a one in that of the platform's operator, which has no other members and is made with the first of them. Done by the
/// `create-administrator` command with the owner's connection, never by a running server: no role of a tenant leads to this one.
struct AdministratorStore: Sendable {
    /// Tenants and users are rows that no server may write.
    let owner: Database
    /// Memberships are behind row-level security, for the owner too.
    let app: Database
    let hasher: PasswordHasher

    /// The tenant of the platform's operator, the same in every installation.
    static let tenantId = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1))
    static let tenantName = "平台运营"

    enum Outcome: Sendable, Equatable {
        /// There was no user with this address.
        case made
        /// The user was there, and is an administrator now.
        case promoted
        case wasThere

        var message: String {
            switch self {
            case .made: "platform administrator made"
            case .promoted: "the user was there, keeps his password and is a platform administrator now"
            case .wasThere: "platform administrator was there"
            }
        }
    }

    /// The command: `ADMINISTRATOR_PASSWORD`, or the file that `ADMINISTRATOR_PASSWORD_FILE` names, or the first line of standard input.
    static func run(_ runtime: ServiceRuntime, _ arguments: [String]) async throws {
        var reader = EnvironmentReader(ProcessInfo.processInfo.environment)
        let ownerURL = reader.secret("OWNER_DATABASE_URL")
        let password = reader.optionalSecret("ADMINISTRATOR_PASSWORD")
        try reader.finish()
        let order = try AdministratorOrder(arguments, password: password ?? readLine().map(Secret.init))
        let owner = Database(
            configuration: .init(url: ownerURL, poolSize: 1, applicationName: "gateway-bff.create-administrator"))
        let store = AdministratorStore(owner: owner, app: runtime.database, hasher: PasswordHasher())
        do {
            let outcome = try await store.create(order)
            runtime.logger.info(outcome.message, ["platformTenantId": tenantId.text])
        } catch {
            await owner.close()
            throw error
        }
        await owner.close()
    }

    /// Makes the user, where there is none with this address, and an administrator of him. Repeated, it changes nothing.
    ///
    /// - Throws: ``AdministratorRefusal``.
    func create(_ order: AdministratorOrder) async throws -> Outcome {
        var hash: String?
        if let password = order.password { hash = try await hasher.hash(password.exposed) }
        return try await owner.transaction { [hash] transaction in
            // One after another: an address is looked up before it is taken.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('create-administrator', 0))")
            let known = try await user(order, in: transaction)
            let userId = known ?? .version7()
            if known == nil {
                guard let hash else { throw AdministratorRefusal.passwordMissing }
                try await transaction.execute(
                    "INSERT INTO users (id, email, password_hash) VALUES (\(userId), \(order.email), \(hash))")
            }
            try await transaction.execute(
                "INSERT INTO tenants (id, name) VALUES (\(Self.tenantId), \(Self.tenantName)) ON CONFLICT (id) DO NOTHING")
            // Another connection's. If this process dies between the two commits, the membership is nobody's or leads to no tenant, and
            // the next attempt makes the rest.
            let role = Role.systemAdmin.rawValue
            let changed = try await app.query(
                """
                INSERT INTO memberships AS m (tenant_id, user_id, roles) VALUES (\(Self.tenantId), \(userId), \([role]))
                ON CONFLICT (tenant_id, user_id) DO UPDATE SET roles = m.roles || excluded.roles
                WHERE NOT m.roles @> excluded.roles
                RETURNING user_id
                """, tenant: Self.tenantId)
            return changed.isEmpty ? .wasThere : known == nil ? .made : .promoted
        }
    }

    /// - Returns: the user who has this address; `nil` where nobody has it. A password that was given must be theirs: else it is another
    ///   address that was meant.
    private func user(_ order: AdministratorOrder, in transaction: Transaction) async throws -> UUID? {
        let rows = try await transaction.query("SELECT id, password_hash, status FROM users WHERE email = \(order.email)")
        guard let row = rows.first else { return nil }
        if let password = order.password {
            let isTheirs = try await hasher.verify(password.exposed, against: try row.decode("password_hash", as: String.self))
            guard isTheirs else { throw AdministratorRefusal.otherPassword }
        }
        guard try row.decode("status", as: String.self) == "active" else { throw AdministratorRefusal.disabledUser }
        return try row.decode("id")
    }
}
