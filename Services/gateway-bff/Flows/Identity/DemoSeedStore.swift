import ConfigReading
import Cryptography
import FoundationEssentials
import Observability
import PostgresStore
import ServiceDefaults

/// Two tenants with a user each, for a local run. Done by the `seed-demo` command with the owner's connection, never by a running server.
struct DemoSeed: Sendable {
    struct Account: Sendable {
        let tenantId: UUID
        let tenantName: String
        let userId: UUID
        let email: String
        let password: Secret
    }

    let accounts: [Account]

    /// The `seed-demo` command.
    static func run(_ runtime: ServiceRuntime) async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = try DemoSeed(environment: environment)
        var reader = EnvironmentReader(environment)
        let ownerURL = reader.secret("OWNER_DATABASE_URL")
        try reader.finish()
        let owner = Database(configuration: .init(url: ownerURL, poolSize: 1, applicationName: "gateway-bff.seed-demo"))
        do {
            try await seed.apply(owner: owner, app: runtime.database, hasher: PasswordHasher())
        } catch {
            await owner.close()
            throw error
        }
        await owner.close()
        runtime.logger.info("demo tenants are there", ["tenants": seed.accounts.count])
    }

    /// Reads `DEMO_EMAIL`, `DEMO_PASSWORD`, `DEMO2_EMAIL` and `DEMO2_PASSWORD`; the passwords have no default.
    init(environment: [String: String]) throws {
        var reader = EnvironmentReader(environment)
        let first = (reader.string("DEMO_EMAIL", default: "demo@example.com"), reader.secret("DEMO_PASSWORD"))
        let second = (reader.string("DEMO2_EMAIL", default: "demo2@example.com"), reader.secret("DEMO2_PASSWORD"))
        try reader.finish()
        accounts = [
            Account(
                tenantId: UUID(uuid: Self.fixed(0x11)), tenantName: "演示企业一", userId: UUID(uuid: Self.fixed(0x1A)),
                email: Identity.normalise(email: first.0), password: first.1),
            Account(
                tenantId: UUID(uuid: Self.fixed(0x22)), tenantName: "演示企业二", userId: UUID(uuid: Self.fixed(0x2A)),
                email: Identity.normalise(email: second.0), password: second.1),
        ]
    }

    /// Running it again sets the passwords anew and changes nothing else.
    ///
    /// - Parameters:
    ///   - owner: users and tenants are rows that no server may write yet.
    ///   - app: memberships are behind row-level security, for the owner too.
    func apply(owner: Database, app: Database, hasher: PasswordHasher) async throws {
        for account in accounts {
            let hash = try await hasher.hash(account.password.exposed)
            try await owner.transaction { transaction in
                try transaction.enqueue(
                    """
                    INSERT INTO tenants (id, name) VALUES (\(account.tenantId), \(account.tenantName)) ON CONFLICT (id) DO NOTHING
                    """)
                try transaction.enqueue(
                    """
                    INSERT INTO users (id, email, password_hash) VALUES (\(account.userId), \(account.email), \(hash))
                    ON CONFLICT (id) DO UPDATE SET email = excluded.email, password_hash = excluded.password_hash
                    """)
            }
            _ = try await app.query(
                """
                INSERT INTO memberships (tenant_id, user_id, roles)
                VALUES (\(account.tenantId), \(account.userId), \([Role.tenantAdmin.rawValue]))
                ON CONFLICT (tenant_id, user_id) DO NOTHING
                """, tenant: account.tenantId)
        }
    }

    /// Ids that are easy to tell from real ones.
    private static func fixed(_ byte: UInt8) -> uuid_t {
        (byte, byte, byte, byte, byte, byte, 0x70, byte, 0x80, byte, byte, byte, byte, byte, byte, byte)
    }
}
