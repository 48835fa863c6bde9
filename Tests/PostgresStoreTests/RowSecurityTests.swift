import Foundation
import PostgresStore
import TestSupport
import Testing

@Suite struct RowSecurityTests {
    private func insert(_ name: String, _ tenant: UUID, _ database: Database, as row: UUID? = nil) async throws {
        try await database.query(
            "INSERT INTO items (tenant_id, id, name) VALUES (\(row ?? tenant), \(UUID.version7()), \(name))", tenant: tenant)
    }

    @Test func aTenantSeesItsOwnRowsOnly() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await insert("one", tenantA, db.app)
            try await insert("one", tenantB, db.app)
            #expect(try await db.app.query("SELECT tenant_id FROM items", tenant: tenantA).only.decode(at: 0) == tenantA)
            #expect(try await db.app.query("SELECT tenant_id FROM items", tenant: tenantB).only.decode(at: 0) == tenantB)
            #expect(
                try await db.app.query("UPDATE items SET name = 'x' WHERE tenant_id = \(tenantB)", tenant: tenantA).affectedRows
                    == 0)
            #expect(try await db.system.query("SELECT count(*) FROM items").only.decode(at: 0, as: Int.self) == 2)
        }
    }

    /// After its first use the setting is an empty string instead of missing; on one connection, so that the same one is used again.
    @Test func withoutATenantThereIsNothingBeforeAndAfterTheFirstUse() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                #expect(try await pool.query("SELECT * FROM items").isEmpty)
                try await insert("one", tenantA, pool)
                #expect(try await pool.query("SELECT * FROM items", tenant: tenantA).count == 1)
                #expect(try await pool.query("SELECT * FROM items").isEmpty)
                let setting = try await pool.query("SELECT current_setting('app.tenant', true) AS t").only
                #expect(try setting.decode("t", as: String?.self) == "")
                try await pool.transaction(tenant: tenantA) { transaction in
                    let rows = try await transaction.query("SELECT * FROM items")
                    #expect(rows.count == 1)
                }
                try await pool.transaction { transaction in
                    let rows = try await transaction.query("SELECT * FROM items")
                    #expect(rows.isEmpty)
                }
            }
        }
    }

    @Test func aRowOfAnotherTenantCannotBeWritten() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let error = await #expect(throws: PostgresError.self) { try await insert("one", tenantA, db.app, as: tenantB) }
            #expect(error?.isInsufficientPrivilege == true)
            let count = try await db.count("SELECT count(*) FROM items")
            #expect(count == 0)
        }
    }

    @Test func theAppCannotSwitchOffTheWall() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            for statement: SQL in [
                "ALTER TABLE items DISABLE ROW LEVEL SECURITY", "DROP POLICY items_tenant ON items",
                "CREATE TABLE mine (id int)", "DELETE FROM schema_migrations",
                "CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await db.app.query(statement) }
                #expect(error?.isInsufficientPrivilege == true, "\(statement)")
            }
        }
    }

    @Test func theCatalogueCheckFindsEveryHole() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            #expect(try await CatalogueCheck.violations(in: db.superuser, globalTables: ["counters"]) == [])
            #expect(
                try await CatalogueCheck.violations(in: db.superuser) == [
                    "counters: has no tenant_id and is not listed as global"
                ])
            try await db.superuser.withSession { session in
                try await session.script(
                    """
                    CREATE TABLE bare (tenant_id uuid NOT NULL, id uuid PRIMARY KEY, message_id text UNIQUE, item_id uuid);
                    CREATE TABLE loose (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id));
                    ALTER TABLE loose ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE bare ADD FOREIGN KEY (item_id) REFERENCES bare (id);
                    CREATE UNIQUE INDEX loose_id ON loose (id) INCLUDE (tenant_id);
                    """)
            }
            let found = try await CatalogueCheck.violations(in: db.superuser, globalTables: ["counters"])
            #expect(
                found == [
                    "bare: row-level security is not forced", "bare: has no policy", "loose: row-level security is not forced",
                    "loose: has no policy", "bare: foreign key bare_item_id_fkey lacks tenant_id",
                    "bare: unique bare_message_id_key lacks tenant_id", "bare: unique bare_pkey lacks tenant_id",
                    "loose: unique loose_id lacks tenant_id",
                ])
        }
    }

    @Test func theCatalogueCheckFindsEveryOtherClock() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.setClock(offset: .zero)
            #expect(try await CatalogueCheck.clockViolations(in: db.superuser) == [])
            try await db.superuser.withSession { session in
                try await session.script(
                    """
                    CREATE TABLE visits (
                        at timestamptz DEFAULT now(), day date DEFAULT current_date CHECK (day <= current_date),
                        due_at timestamptz DEFAULT app_now(), local timestamp DEFAULT localtimestamp
                    );
                    CREATE FUNCTION later() RETURNS timestamptz LANGUAGE sql AS 'SELECT greatest(clock_timestamp(), app_now(), Now ())';
                    CREATE VIEW late AS SELECT at FROM visits WHERE due_at < statement_timestamp();
                    """)
            }
            #expect(
                try await CatalogueCheck.clockViolations(in: db.superuser) == [
                    "constraint visits_day_check reads CURRENT_DATE", "default of visits.at reads now",
                    "default of visits.day reads CURRENT_DATE", "default of visits.local reads LOCALTIMESTAMP",
                    "function later reads clock_timestamp", "view late reads statement_timestamp",
                ])
            try await db.setClock(offset: .seconds(60))
            let moved = try await CatalogueCheck.clockViolations(in: db.superuser)
            #expect(moved.first?.hasPrefix("app_now: is not the platform's clock") == true)
        }
    }

    @Test func theClockMovesForStoredInstantsOnly() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            func offset() async throws -> Double {
                try await db.app.query("SELECT extract(epoch FROM app_now() - clock_timestamp())::float8 AS s").only.decode("s")
            }
            #expect(abs(try await offset()) < 1)
            try await db.setClock(offset: .seconds(3_600))
            #expect(abs(try await offset() - 3_600) < 1)
            try await db.setClock(offset: .seconds(-86_400))
            #expect(abs(try await offset() + 86_400) < 1)
            try await db.setClock(offset: .zero)
            #expect(abs(try await offset()) < 1)
        }
    }
}
