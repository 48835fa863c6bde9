import ConfigReading
import Foundation
import PostgresStore
import TestSupport
import Testing

@Suite struct MigratorTests {
    static let first = Migration(
        number: 1, name: "start", sql: PlatformSchema.v1(app: "storetest_app", system: "storetest_system"))
    static let second = Migration(
        number: 2, name: "notes", sql: "CREATE TABLE notes (id int); INSERT INTO notes VALUES (1), (2);")
    static let third = Migration(number: 3, name: "more", sql: "ALTER TABLE notes ADD COLUMN text text DEFAULT 'it''s \\ 中文';")

    /// An empty database of the template's owner.
    private func withEmptyDatabase(_ body: @Sendable (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.withClone(of: DatabaseTemplate(service: "storetest", migrations: [])) { db in
            try await db.superuser.query("DROP TABLE schema_migrations")
            try await body(db)
        }
    }

    @Test func appliesInOrderOnceAndLetsServersCheck() async throws {
        try await withEmptyDatabase { db in
            let two = Migrator(migrations: [Self.first, Self.second], owner: db.ownerConfiguration)
            let three = Migrator(migrations: [Self.first, Self.second, Self.third], owner: db.ownerConfiguration)
            await #expect(throws: MigrationError.missing(number: 1, name: "start")) { try await two.check(using: db.app) }
            #expect(try await two.apply() == [1, 2])
            #expect(try await two.apply() == [])
            try await two.check(using: db.app)
            try await two.check(using: db.system)
            await #expect(throws: MigrationError.missing(number: 3, name: "more")) { try await three.check(using: db.app) }
            #expect(try await three.apply() == [3])
            try await three.check(using: db.app)
            // While versions roll, the old program starts on the new database; but it does not migrate it.
            try await two.check(using: db.app)
            await #expect(throws: MigrationError.unknown(number: 3, name: "more")) { try await two.apply() }
            let texts = try await db.superuser.query("SELECT text FROM notes")
            #expect(try texts.map { try $0.decode("text", as: String.self) } == ["it's \\ 中文", "it's \\ 中文"])
        }
    }

    @Test func refusesEditedHistory() async throws {
        try await withEmptyDatabase { db in
            try await Migrator(migrations: [Self.first, Self.second], owner: db.ownerConfiguration).apply()
            let edited = Migration(number: 2, name: "notes", sql: Self.second.sql + " ")
            let renamed = Migration(number: 2, name: "note", sql: Self.second.sql)
            for change in [edited, renamed] {
                let migrator = Migrator(migrations: [Self.first, change], owner: db.ownerConfiguration)
                await #expect(throws: MigrationError.edited(number: 2, name: "notes")) { try await migrator.apply() }
                await #expect(throws: MigrationError.edited(number: 2, name: "notes")) { try await migrator.check(using: db.app) }
            }
        }
    }

    @Test func refusesGapsOnEitherSide() async throws {
        try await withEmptyDatabase { db in
            let holey = Migrator(migrations: [Self.first, Self.third], owner: db.ownerConfiguration)
            await #expect(throws: MigrationError.outOfOrder(number: 3, expected: 2)) { try await holey.apply() }
            let all = Migrator(migrations: [Self.first, Self.second, Self.third], owner: db.ownerConfiguration)
            try await all.apply()
            try await db.superuser.query("DELETE FROM schema_migrations WHERE number = 2")
            await #expect(throws: MigrationError.gap(number: 2)) { try await all.apply() }
            await #expect(throws: MigrationError.gap(number: 2)) { try await all.check(using: db.app) }
        }
    }

    @Test func aFailedMigrationLeavesNothing() async throws {
        try await withEmptyDatabase { db in
            let broken = Migration(number: 2, name: "broken", sql: "CREATE TABLE half (id int); SELECT 1/0;")
            let migrator = Migrator(migrations: [Self.first, broken], owner: db.ownerConfiguration)
            let error = await #expect(throws: PostgresError.self) { try await migrator.apply() }
            #expect(error?.sqlState == "22012")
            let halves = try await db.count("SELECT count(*) FROM pg_class WHERE relname = 'half'")
            let last = try await db.count("SELECT max(number) FROM schema_migrations")
            #expect(halves == 0 && last == 1)
        }
    }

    @Test func severalAtATimeApplyEachMigrationOnce() async throws {
        try await withEmptyDatabase { db in
            let migrations = [Self.first, Self.second, Self.third]
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<5 {
                    group.addTask { try await Migrator(migrations: migrations, owner: db.ownerConfiguration).apply() }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == [1, 2, 3])
            #expect(try await db.count("SELECT count(*) FROM notes") == 2)
        }
    }

    @Test func serversCannotMigrate() async throws {
        try await withEmptyDatabase { db in
            let migrator = Migrator(migrations: [Self.first], owner: db.appConfiguration)
            let error = await #expect(throws: PostgresError.self) { try await migrator.apply() }
            #expect(error?.isInsufficientPrivilege == true)
        }
    }
}
