import ConcurrencySupport
import Foundation
import Observability
import TestSupport
import Testing

@testable import PostgresStore

@Suite struct TransactionTests {
    struct BodyFailed: Error, Equatable { let number: Int }

    private func insert(_ name: String, _ id: UUID = .version7()) -> SQL {
        "INSERT INTO items (tenant_id, id, name) VALUES (\(tenantA), \(id), \(name))"
    }

    @Test func theBodysErrorComesThroughUnchangedAndNothingStays() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                await #expect(throws: BodyFailed(number: 7)) {
                    try await pool.transaction(tenant: tenantA) { transaction in
                        try await transaction.execute(insert("one"))
                        try transaction.enqueue(insert("two"))
                        throw BodyFailed(number: 7)
                    }
                }
                let left = try await pool.query("SELECT * FROM items", tenant: tenantA)
                #expect(left.isEmpty)
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 1, waiting: 0))
            }
        }
    }

    @Test func errorsNameTheirConstraint() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.app.query(insert("one"), tenant: tenantA)
            let twice = await #expect(throws: PostgresError.self) { try await db.app.query(insert("one"), tenant: tenantA) }
            #expect(
                twice?.isUniqueViolation == true && twice?.constraint == "items_tenant_id_name_key" && twice?.table == "items")
            #expect(twice?.isOutcomeUnknown == false)
            let check = await #expect(throws: PostgresError.self) { try await db.app.query(insert("forbidden"), tenant: tenantA) }
            #expect(check?.isCheckViolation == true && check?.constraint == "items_name_check")
            #expect(twice.map { "\($0)".contains("one") } == false, "descriptions go to the log and must not quote rows")
        }
    }

    @Test func aConstraintThatIsCheckedAtCommitFailsTheCommit() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let orphan: SQL = "INSERT INTO parts VALUES (\(tenantA), \(UUID.version7()), \(UUID.version7()))"
                let single = await #expect(throws: PostgresError.self) { try await pool.query(orphan, tenant: tenantA) }
                #expect(single?.isForeignKeyViolation == true, "\(single.debugDescription)")
                let whole = await #expect(throws: PostgresError.self) {
                    try await pool.transaction(tenant: tenantA) { try $0.enqueue(orphan) }
                }
                #expect(whole?.isForeignKeyViolation == true, "\(whole.debugDescription)")
                let left = try await pool.query("SELECT * FROM parts", tenant: tenantA)
                #expect(left.isEmpty)
                #expect(pool.statistics.idle == 1)
            }
        }
    }

    @Test func anEnqueuedStatementThatFailsRollsBackEverything() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let error = await #expect(throws: PostgresError.self) {
                try await db.app.transaction(tenant: tenantA) { transaction in
                    try await transaction.execute(insert("one"))
                    try transaction.enqueue(insert("forbidden"))
                    try transaction.enqueue(insert("two"))
                }
            }
            #expect(error?.isCheckViolation == true)
            let count = try await db.count("SELECT count(*) FROM items")
            #expect(count == 0)
        }
    }

    /// The server answers such a COMMIT with ROLLBACK and calls it success.
    @Test func aSwallowedErrorDoesNotPassForACommit() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let error = await #expect(throws: PostgresError.self) {
                try await db.app.transaction(tenant: tenantA) { transaction in
                    try await transaction.execute(insert("one"))
                    _ = try? await transaction.execute(insert("forbidden"))
                }
            }
            #expect(error?.sqlState == "25P02")
            let count = try await db.count("SELECT count(*) FROM items")
            #expect(count == 0)
        }
    }

    @Test func enqueuedStatementsAndPipelinesKeepTheirOrder() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let names = try await db.app.transaction(tenant: tenantA) { transaction in
                try transaction.enqueue(insert("one"))
                let sets = try await transaction.pipeline([
                    insert("two"), "SELECT name FROM items ORDER BY id", "SELECT count(*) FROM items",
                ])
                #expect(sets.count == 3 && sets[0].affectedRows == 1)
                #expect(try sets[2].only.decode(at: 0, as: Int.self) == 2)
                return try sets[1].map { try $0.decode("name", as: String.self) }
            }
            #expect(names == ["one", "two"])
        }
    }

    @Test func anEmptyTransactionSendsNothing() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            defer { proxy.stop() }
            try await db.withPool(size: 1, change: { $0.url = proxy.through($0.url) }) { pool in
                try await pool.ping()
                proxy.reset()
                try await pool.transaction(tenant: tenantA) { _ in }
                #expect(proxy.roundTrips == 0)
            }
        }
    }

    @Test func roundTripsAreAsFewAsCanBe() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            defer { proxy.stop() }
            try await db.withPool(size: 1, change: { $0.url = proxy.through($0.url) }) { pool in
                try await pool.ping()
                for repetition in 0..<2 {
                    proxy.reset()
                    try await pool.query("SELECT name FROM items WHERE id = \(UUID.version7())", tenant: tenantA)
                    #expect(proxy.roundTrips == 1, "a tenant's query, preparation included")
                    proxy.reset()
                    try await pool.transaction(tenant: tenantA) { transaction in
                        try await transaction.execute(insert("first \(repetition)"))
                        try transaction.enqueue(insert("second \(repetition)"))
                        try transaction.enqueue(insert("third \(repetition)"))
                    }
                    #expect(proxy.roundTrips == 2, "the statement with the beginning, the commit with what was enqueued")
                    proxy.reset()
                    try await pool.transaction(tenant: tenantA) { try $0.enqueue(insert("alone \(repetition)")) }
                    #expect(proxy.roundTrips == 1, "a transaction of enqueued statements only")
                }
                #expect(proxy.connections == 1)
            }
            let count = try await db.count("SELECT count(*) FROM items")
            #expect(count == 8)
        }
    }

    @Test func isolationLevelsHold() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.app.query("INSERT INTO counters VALUES (1, 0)")
            let error = await #expect(throws: PostgresError.self) {
                try await db.app.transaction(isolation: .serializable) { transaction in
                    try await transaction.query("SELECT value FROM counters WHERE id = 1")
                    try await db.app.query("UPDATE counters SET value = value + 1 WHERE id = 1")
                    try await transaction.execute("UPDATE counters SET value = value + 1 WHERE id = 1")
                }
            }
            #expect(error?.isSerializationFailure == true)
            let value = try await db.count("SELECT value FROM counters")
            #expect(value == 1)
        }
    }

    @Test func aTransactionCannotBeUsedAfterItsEnd() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let escaped = try await db.app.transaction(tenant: tenantA) { $0 }
            await #expect(throws: TransactionMisuse.self) { try await escaped.query("SELECT 1") }
            #expect(throws: TransactionMisuse.self) { try escaped.enqueue("SELECT 1") }
            try await db.app.ping()
        }
    }

    @Test func statementsAreReplannedWhenTheirTableChanged() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let query: SQL = "SELECT * FROM counters"
                try await pool.query(query)
                try await db.superuser.query("ALTER TABLE counters ADD COLUMN more text DEFAULT 'm'")
                let row = try await pool.query("INSERT INTO counters (id) VALUES (1) RETURNING *").only
                #expect(try row.decode("more", as: String.self) == "m")
                #expect(try await pool.query(query).only.decode("more", as: String.self) == "m")
                try await db.superuser.query("ALTER TABLE counters ADD COLUMN last text DEFAULT 'l'")
                let last = try await pool.transaction { try await $0.query(query).only.decode("last", as: String.self) }
                #expect(last == "l")
                try await db.superuser.query("ALTER TABLE counters DROP COLUMN last")
                // In the midst of a transaction the error must come through, and the next try must work.
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.transaction { transaction in
                        try await transaction.query("SELECT 1")
                        try await transaction.query(query)
                    }
                }
                #expect(error?.sqlState == "0A000")
                try await pool.transaction { transaction in
                    try await transaction.query("SELECT 1")
                    try await transaction.query(query)
                }
            }
        }
    }

    @Test func theStatementCacheStaysBounded() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                for number in 0..<300 {
                    let value: Int = try await pool.query("SELECT \(unescaped: "\(number)") + \(1)").only.decode(at: 0)
                    #expect(value == number + 1)
                }
                let prepared: Int = try await pool.query("SELECT count(*) FROM pg_prepared_statements").only.decode(at: 0)
                #expect(prepared <= 256 && prepared > 200)
                // A statement that refuses to follow another one finds room made for it all the same.
                try await pool.query("VACUUM pg_class")
                // The same text with values of other types is another statement.
                let integer: String = try await pool.query("SELECT pg_typeof(\(1))::text").only.decode(at: 0)
                let boolean: String = try await pool.query("SELECT pg_typeof(\(true))::text").only.decode(at: 0)
                #expect([integer, boolean] == ["bigint", "boolean"])
            }
        }
    }

    @Test func largeAnswersAndLargeParametersPass() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let large = String(repeating: "内容", count: 2_000_000)
            let back: String = try await db.app.query("SELECT \(large)::text AS t").only.decode("t")
            #expect(back.utf8.count == 12_000_000 && back == large)
            let rows = try await db.app.query("SELECT n, repeat('x', 1000) AS filler FROM generate_series(1, 20000) n")
            #expect(rows.count == 20_000)
            #expect(try rows[19_999].decode("n", as: Int.self) == 20_000)
            // Sending and receiving much at the same time must not lock up.
            let many = try await db.app.transaction { transaction in
                try await transaction.pipeline((0..<200).map { _ in "SELECT \(String(large.prefix(50_000)))::text AS t" })
            }
            #expect(many.count == 200)
        }
    }

    @Test func tooManyParametersAreRefusedCleanly() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let values = SQL.joined((0..<70_000).map { "(\($0))" }, separator: ",")
                let error = await #expect(throws: PostgresError.self) { try await pool.query("VALUES \(values)") }
                #expect(error?.sqlState == "54023")
                try await pool.ping()
                #expect(pool.statistics.idle == 1)
            }
        }
    }
}
