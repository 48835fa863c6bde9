import ConfigReading
import Foundation
import TestSupport
import Testing

@testable import PostgresStore

let stressLoops = ProcessInfo.processInfo.environment["STRESS_LOOPS"].flatMap { Int($0) } ?? 10

let tenantA = uuid("11111111-1111-7111-8111-111111111111")
let tenantB = uuid("22222222-2222-7222-8222-222222222222")

func uuid(_ text: String) -> UUID {
    guard let id = UUID(uuidString: text) else { preconditionFailure("not a UUID: \(text)") }
    return id
}

extension DatabaseTemplate {
    static let store = DatabaseTemplate(
        service: "storetest",
        migrations: [
            Migration(
                number: 1, name: "start",
                sql: """
                    \(PlatformSchema.v1(app: "storetest_app", system: "storetest_system"))
                    CREATE TABLE items (
                        tenant_id uuid NOT NULL,
                        id uuid NOT NULL,
                        name text NOT NULL CHECK (name <> 'forbidden'),
                        PRIMARY KEY (tenant_id, id),
                        UNIQUE (tenant_id, name)
                    );
                    \(TenantTable.secure("items", app: "storetest_app", system: "storetest_system"))
                    CREATE TABLE parts (
                        tenant_id uuid NOT NULL,
                        id uuid NOT NULL,
                        item_id uuid NOT NULL,
                        PRIMARY KEY (tenant_id, id),
                        FOREIGN KEY (tenant_id, item_id) REFERENCES items DEFERRABLE INITIALLY DEFERRED
                    );
                    \(TenantTable.secure("parts", app: "storetest_app"))
                    CREATE TABLE counters (id integer PRIMARY KEY, value bigint NOT NULL DEFAULT 0);
                    GRANT SELECT, INSERT, UPDATE, DELETE ON counters TO storetest_app, storetest_system;
                    """)
        ])
}

extension TestDatabase {
    /// A pool of a test's own, as the app role.
    func withPool<Value: Sendable>(
        size: Int = 2, change: (inout Database.Configuration) -> Void = { _ in },
        _ body: @Sendable (Database) async throws -> Value
    ) async throws -> Value {
        var configuration = appConfiguration
        configuration.poolSize = size
        configuration.connectTimeout = .seconds(5)
        change(&configuration)
        let pool = Database(configuration: configuration)
        do {
            let value = try await body(pool)
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Waits until a statement that contains `marker` runs on the server.
    func waitForStatement(_ marker: String) async throws {
        try await eventually("\(marker) never ran") {
            try await count(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || \(marker) || '%' AND pid <> pg_backend_pid() AND datname = \(name)"
            ) > 0
        }
    }

    func count(_ sql: SQL) async throws -> Int { try await superuser.query(sql).only.decode(at: 0) }
}
