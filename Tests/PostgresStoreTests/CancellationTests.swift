import ConcurrencySupport
import Foundation
import Observability
import PostgresStore
import TestSupport
import Testing

@Suite struct CancellationTests {
    private func within<Value: Sendable>(_ limit: Duration, _ body: @Sendable () async throws -> Value) async throws -> Value {
        try await CallContext.$current.withValue(CallContext(requestId: "test-deadline", deadline: .now + limit)) {
            try await body()
        }
    }

    private func isRunning(_ marker: String, _ db: TestDatabase) async throws -> Bool {
        try await db.count(
            """
            SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = \(db.name)
            AND query LIKE '%' || \(marker) || '%' AND pid <> pg_backend_pid()
            """) > 0
    }

    @Test func aRunningStatementIsStoppedOnTheServer() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let task = Task { try await pool.query("SELECT pg_sleep(60) /* stop me */") }
                try await eventually("the statement never ran") { try await isRunning("stop me", db) }
                let began = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(began.duration(to: .now) < .seconds(5))
                #expect(try await isRunning("stop me", db) == false)
                // The same connection serves on, and no late cancel request hits the next statement.
                for _ in 0..<20 { try await pool.query("SELECT pg_sleep(0.005)") }
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 1, waiting: 0))
            }
        }
    }

    @Test func aTaskThatIsCancelledBeforeItBeginsSendsNothing() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await db.app.query("INSERT INTO counters VALUES (1)")
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let count = try await db.count("SELECT count(*) FROM counters")
            #expect(count == 0)
        }
    }

    @Test func aWaitingCallerLeavesTheQueue() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                try await pool.transaction { transaction in
                    try await transaction.query("SELECT 1")
                    let waiting = Task { try await pool.query("INSERT INTO counters VALUES (1)") }
                    let waitingTransaction = Task { try await pool.transaction { try await $0.query("SELECT 1") } }
                    try await eventually("nobody waits") { pool.statistics.waiting == 2 }
                    waiting.cancel()
                    waitingTransaction.cancel()
                    await #expect(throws: CancellationError.self) { try await waiting.value }
                    await #expect(throws: CancellationError.self) { try await waitingTransaction.value }
                    #expect(pool.statistics.waiting == 0)
                }
                try await pool.ping()
            }
            let count = try await db.count("SELECT count(*) FROM counters")
            #expect(count == 0)
        }
    }

    @Test func aCancelledTransactionDoesNotCommit() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let inBody = OneShot<Void>()
                let task = Task {
                    try await pool.transaction { transaction in
                        try await transaction.execute("INSERT INTO counters VALUES (1)")
                        inBody.succeed()
                        while !Task.isCancelled { await Task.yield() }
                    }
                }
                try await inBody.value()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let inStatement = Task {
                    try await pool.transaction { transaction in
                        try await transaction.execute("INSERT INTO counters VALUES (2)")
                        try await transaction.query("SELECT pg_sleep(60) /* in transaction */")
                    }
                }
                try await eventually("the statement never ran") { try await isRunning("in transaction", db) }
                inStatement.cancel()
                await #expect(throws: CancellationError.self) { try await inStatement.value }
                try await pool.ping()
                #expect(pool.statistics == Database.Statistics(inUse: 0, idle: 1, waiting: 0))
            }
            let count = try await db.count("SELECT count(*) FROM counters")
            #expect(count == 0)
        }
    }

    @Test func theDeadlineOfTheCallStopsStatementsAndWaiting() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                try await pool.ping()
                let began = ContinuousClock.now
                await #expect(throws: DeadlineExceeded.self) {
                    try await within(.milliseconds(200)) { try await pool.query("SELECT pg_sleep(60)") }
                }
                await #expect(throws: DeadlineExceeded.self) { try await within(.zero) { try await pool.query("SELECT 1") } }
                try await pool.transaction { transaction in
                    try await transaction.query("SELECT 1")
                    await #expect(throws: DeadlineExceeded.self) {
                        try await within(.milliseconds(200)) { try await pool.query("SELECT 1") }
                    }
                }
                // Past its deadline a transaction does not commit any more.
                await #expect(throws: DeadlineExceeded.self) {
                    try await within(.milliseconds(100)) {
                        try await pool.transaction { transaction in
                            try await transaction.execute("INSERT INTO counters VALUES (3)")
                            try await ContinuousClock().sleep(until: .now + .milliseconds(150))
                        }
                    }
                }
                #expect(began.duration(to: .now) < .seconds(5))
                try await pool.ping()
            }
            let count = try await db.count("SELECT count(*) FROM counters")
            #expect(count == 0)
        }
    }

    @Test func thePoolsOwnWaitingDeadlineIsAPoolTimeout() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1, change: { $0.acquireTimeout = .seconds(2) }) { pool in
                try await pool.transaction { transaction in
                    try await transaction.query("SELECT 1")
                    let timeout = await #expect(throws: PoolTimeout.self) { try await pool.query("SELECT 1") }
                    #expect(timeout.map { $0.waited >= .seconds(2) && $0.waited < .seconds(20) } == true)
                    #expect(pool.statistics.waiting == 0)
                }
                try await pool.ping()
            }
        }
    }

    @Test func theServersOwnTimeoutIsAnOrdinaryError() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1, change: { $0.statementTimeout = .milliseconds(100) }) { pool in
                let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(60)") }
                #expect(error?.isQueryCancelled == true && error?.isConnectionLoss == false)
                #expect(pool.statistics.idle == 1)
            }
        }
    }

    @Test func aServerThatDoesNotStopCostsItsConnection() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let proxy = try Proxy(to: db.appConfiguration.url)
            defer { proxy.stop() }
            try await db.withPool(size: 1, change: { $0.url = proxy.through($0.url) }) { pool in
                try await pool.ping()
                proxy.stall(true)
                let began = ContinuousClock.now
                let task = Task { try await pool.query("UPDATE counters SET value = 1") }
                try await eventually("not sent") { pool.statistics.inUse == 1 }
                task.cancel()
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                #expect(error?.isConnectionLoss == true && error?.isOutcomeUnknown == true)
                #expect(began.duration(to: .now) < .seconds(10))
                proxy.stall(false)
                try await pool.ping()
            }
        }
    }

    /// Cancels at every moment from before the beginning to after the end: an insert is there exactly if its call said so.
    @Test func cancellingAtAnyMomentTellsTheTruth() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 4) { pool in
                for round in 0..<stressLoops {
                    let written = try await withThrowingTaskGroup(of: Int?.self) { group in
                        for number in 0..<40 {
                            group.addTask {
                                let id = round * 100 + number
                                let task = Task { try await pool.query("INSERT INTO counters VALUES (\(id)::int)") }
                                for _ in 0..<(number * 25) { await Task.yield() }
                                task.cancel()
                                do { return try await task.value.affectedRows == 1 ? id : nil } catch is CancellationError {
                                    return nil
                                }
                            }
                        }
                        return try await group.reduce(into: Set<Int>()) { if let id = $1 { $0.insert(id) } }
                    }
                    let rows = try await pool.query("SELECT id FROM counters WHERE id / 100 = \(round)")
                    #expect(Set(try rows.map { try $0.decode("id", as: Int.self) }) == written)
                }
                try await eventually("connections leaked") { pool.statistics.inUse == 0 && pool.statistics.waiting == 0 }
            }
        }
    }
}
