import ConfigReading
import Foundation
import Lifecycle
import PostgresStore
import TestSupport
import Testing

@Suite struct ConnectionLossTests {
    private func terminateAll(_ db: TestDatabase) async throws {
        try await db.superuser.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(db.name) AND pid <> pg_backend_pid()")
    }

    @Test func idleConnectionsThatDiedAreNotHandedOut() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 3) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { try await pool.query("SELECT pg_sleep(0.1)") } }
                    try await group.waitForAll()
                }
                #expect(pool.statistics.idle == 3)
                try await terminateAll(db)
                try await eventually("dead connections stay in the pool") { pool.statistics.idle == 0 }
                try await pool.ping()
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 1, waiting: 0))
            }
        }
    }

    @Test func aRunningStatementFailsAtOnceAndThePoolRecovers() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 2) { pool in
                let single = Task { try await pool.query("SELECT pg_sleep(60) /* victim */") }
                let inTransaction = Task {
                    try await pool.transaction { transaction in
                        try await transaction.execute("INSERT INTO counters VALUES (1)")
                        try await transaction.query("SELECT pg_sleep(60) /* victim */")
                    }
                }
                try await eventually("the statements never ran") {
                    try await db.count(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* victim */%' AND state = 'active' AND datname = \(db.name) AND pid <> pg_backend_pid()"
                    ) == 2
                }
                try await terminateAll(db)
                let first = await #expect(throws: PostgresError.self) { try await single.value }
                #expect(first?.isConnectionLoss == true)
                let second = await #expect(throws: PostgresError.self) { try await inTransaction.value }
                #expect(second?.isConnectionLoss == true && second?.isOutcomeUnknown == false)
                try await pool.ping()
                #expect(try await pool.query("SELECT * FROM counters").isEmpty)
            }
        }
    }

    @Test func whoLosesTheAnswerIsToldThatTheOutcomeIsUnknown() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            defer { proxy.stop() }
            try await db.withPool(size: 1, change: { $0.url = proxy.through($0.url) }) { pool in
                try await pool.ping()
                let single = Task { try await pool.query("INSERT INTO counters SELECT 1 FROM pg_sleep(60)") }
                try await eventually("not sent") {
                    try await db.count(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO counters%' AND state = 'active' AND datname = \(db.name)"
                    ) == 1
                }
                proxy.cut()
                let error = await #expect(throws: PostgresError.self) { try await single.value }
                #expect(error?.isConnectionLoss == true && error?.isOutcomeUnknown == true)
                try await pool.ping()
            }
        }
    }

    @Test func aServerThatIsAwayFailsFastAndIsFoundAgain() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            let url = proxy.through(db.appConfiguration.url)
            proxy.stop()
            try await db.withPool(size: 2, change: { $0.url = url }) { pool in
                for _ in 0..<5 {
                    let began = ContinuousClock.now
                    let error = await #expect(throws: PostgresError.self) { try await pool.ping() }
                    #expect(error?.isConnectionLoss == true && error?.isOutcomeUnknown == false)
                    #expect(began.duration(to: .now) < .seconds(5))
                }
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 0, waiting: 0))
            }
        }
    }

    @Test func connectingThatHangsEndsAtItsTimeout() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            defer { proxy.stop() }
            proxy.stall(true)
            let change: (inout Database.Configuration) -> Void = {
                $0.url = proxy.through($0.url)
                $0.connectTimeout = .milliseconds(500)
            }
            try await db.withPool(size: 1, change: change) { pool in
                let error = await #expect(throws: PostgresError.self) { try await pool.ping() }
                #expect(error?.isConnectionLoss == true)
                proxy.stall(false)
                try await eventually("no recovery") { (try? await pool.ping()) != nil }
            }
        }
    }

    @Test func wrongAddressesAreErrorsThatHideThePassword() async throws {
        for url in [
            "postgres://u:hunter2@no-such-host.invalid/x", "postgres://u:hunter2@127.0.0.1:1/x", "postgres://u:hunter2@h:port/x",
        ] {
            let database = Database(configuration: .init(url: Secret(url)))
            let error = await #expect(throws: PostgresError.self) { try await database.ping() }
            #expect(error?.isConnectionLoss == true)
            #expect(error.map { "\($0)".contains("hunter2") } == false)
            await database.close()
        }
    }

    @Test func unusedConnectionsAreClosed() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(
                size: 3,
                change: {
                    $0.idleTimeout = .milliseconds(200); $0.statementTimeout = .milliseconds(500);
                    $0.acquireTimeout = .milliseconds(500)
                }
            ) { pool in
                try await pool.ping()
                #expect(pool.statistics.idle == 1)
                try await eventually("the idle connection stays") { pool.statistics.idle == 0 }
                try await eventually("the server still has it") {
                    try await db.count(
                        "SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL AND application_name = 'tests' AND datname = \(db.name) AND pid <> pg_backend_pid()"
                    ) == 0
                }
                try await pool.ping()
            }
        }
    }

    @Test func closingRefusesNewWorkAndWaitsForOld() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let running = Task { try await pool.query("SELECT pg_sleep(0.3) /* last */") }
                let waiting = Task { try await pool.query("SELECT 1") }
                try await eventually("nothing runs") { pool.statistics.inUse == 1 && pool.statistics.waiting == 1 }
                await pool.close()
                _ = try await running.value
                await #expect(throws: DatabaseClosed.self) { try await waiting.value }
                await #expect(throws: DatabaseClosed.self) { try await pool.query("SELECT 1") }
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 0, waiting: 0))
            }
        }
    }

    @Test func asAServiceItClosesAtShutdown() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let pool = Database(configuration: db.appConfiguration)
            try await pool.ping()
            try await testGracefulShutdown { trigger in
                async let running: Void = pool.run()
                trigger.triggerGracefulShutdown()
                try await running
            }
            await #expect(throws: DatabaseClosed.self) { try await pool.ping() }
        }
    }

    /// Connections die at random under load: every call ends, with its rows or with a clean error, and nothing leaks.
    @Test func loadWithDyingConnections() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 4, change: { $0.acquireTimeout = .seconds(20) }) { pool in
                for round in 0..<stressLoops {
                    let killer = Task {
                        while !Task.isCancelled {
                            try await terminateAll(db)
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    let outcomes = try await withThrowingTaskGroup(of: (ok: Int, lost: Int).self) { group in
                        for _ in 0..<8 {
                            group.addTask {
                                var (ok, lost) = (0, 0)
                                for number in 0..<30 {
                                    do {
                                        let echo: Int = try await pool.query("SELECT \(number) AS n", tenant: tenantA).only
                                            .decode("n")
                                        #expect(echo == number)
                                        ok += 1
                                    } catch let error as PostgresError where error.isConnectionLoss { lost += 1 }
                                }
                                return (ok, lost)
                            }
                        }
                        return try await group.reduce(into: (ok: 0, lost: 0)) { $0 = ($0.ok + $1.ok, $0.lost + $1.lost) }
                    }
                    killer.cancel()
                    _ = await killer.result
                    #expect(outcomes.ok + outcomes.lost == 240, "round \(round)")
                    try await eventually("no recovery") { (try? await pool.ping()) != nil }
                    #expect(pool.statistics.inUse == 0 && pool.statistics.waiting == 0)
                }
            }
        }
    }
}
