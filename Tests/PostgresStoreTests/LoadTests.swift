import Foundation
import Observability
import PostgresStore
import TestSupport
import Testing

@Suite struct LoadTests {
    @Test func aThousandQueriesShareEightConnections() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let metrics = MetricsRegistry()
            var configuration = db.appConfiguration
            (configuration.poolSize, configuration.applicationName) = (8, "load")
            let pool = Database(configuration: configuration, metrics: metrics)
            for _ in 0..<stressLoops {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<1_000 {
                        group.addTask {
                            if number.isMultiple(of: 3) {
                                let echo = try await pool.transaction(tenant: tenantA) { transaction in
                                    try transaction.enqueue("SELECT 1")
                                    return try await transaction.query("SELECT \(number) AS n").only.decode("n", as: Int.self)
                                }
                                #expect(echo == number)
                            } else {
                                let rows = try await pool.query(
                                    "SELECT \(number) AS n", tenant: number.isMultiple(of: 2) ? tenantA : nil)
                                #expect(try rows.only.decode("n", as: Int.self) == number)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(pool.statistics.inUse == 0 && pool.statistics.waiting == 0 && pool.statistics.idle <= 8)
            }
            let backends = try await db.count(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'load' AND datname = \(db.name)")
            #expect(backends == pool.statistics.idle)
            #expect(metrics.render().contains(#"database_connections{application="load",state="idle"} \#(backends)"#))
            #expect(metrics.render().contains(#"database_connection_limit{application="load"} 8"#))
            await pool.close()
        }
    }

    /// Closes the pool at different moments of its load: every call ends, the server keeps no connection.
    @Test func closingUnderLoadEndsEveryCall() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            for round in 0..<stressLoops {
                var configuration = db.appConfiguration
                (configuration.poolSize, configuration.applicationName) = (4, "closing")
                let pool = Database(configuration: configuration)
                let (done, refused) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            do {
                                try await pool.query("INSERT INTO counters VALUES (\(round * 100 + number)::int)")
                                return (1, 0)
                            } catch is DatabaseClosed { return (0, 1) }
                        }
                    }
                    group.addTask {
                        for _ in 0..<(round % 10 * 200) { await Task.yield() }
                        await pool.close()
                        return (0, 0)
                    }
                    return try await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
                }
                #expect(done + refused == 60)
                let written = try await db.count("SELECT count(*) FROM counters WHERE id / 100 = \(round)")
                #expect(written == done)
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 0, waiting: 0))
            }
            try await eventually("connections are left on the server") {
                try await db.count(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing' AND datname = \(db.name)") == 0
            }
        }
    }
}
