import ConcurrencySupport
import Foundation
import TestSupport
import Testing

@testable import PostgresStore

/// Queries made on event loops.
@Suite struct LoopTests {
    private static let loops = EventLoopGroup.shared.loops

    private static func on<Value: Sendable>(
        _ loop: EventLoop, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    @Test func aConnectionFollowsItsUsersFromLoopToLoop() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                var backends: Set<Int> = []
                for round in 0..<60 {
                    let loop = Self.loops[round % Self.loops.count]
                    let backend: Int = try await Self.on(loop) {
                        let rows = try await pool.query("SELECT pg_backend_pid() AS pid, \(round) AS round", tenant: tenantA)
                        #expect(loop.isCurrent)
                        #expect(try rows.only.decode("round", as: Int.self) == round)
                        return try rows.only.decode("pid")
                    }
                    backends.insert(backend)
                    if round % 7 == 0 { try await pool.ping() }
                }
                #expect(backends.count == 1)
            }
        }
    }

    @Test func transactionsStayOnTheirLoop() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 2) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        let loop = Self.loops[number % Self.loops.count]
                        group.addTask(executorPreference: loop) {
                            let sum: Int = try await pool.transaction(tenant: tenantA) { transaction in
                                let one = try await transaction.query("SELECT \(number) AS n").only.decode("n", as: Int.self)
                                #expect(loop.isCurrent)
                                let two = try await transaction.query("SELECT 1 AS n").only.decode("n", as: Int.self)
                                #expect(loop.isCurrent)
                                return one + two
                            }
                            #expect(sum == number + 1)
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(pool.statistics.inUse == 0 && pool.statistics.waiting == 0)
                #expect(pool.statistics.idle <= 2)
            }
        }
    }

    /// More callers than connections, on every loop and off them: the pool's size is one bound for all, and nobody starves.
    @Test func callersOfAllLoopsShareOnePool() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 3, change: { $0.acquireTimeout = .seconds(30) }) { pool in
                let backends = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<300 {
                        let work: @Sendable () async throws -> Int = {
                            let rows = try await pool.query("SELECT pg_backend_pid() AS pid, \(number) AS n")
                            #expect(try rows.only.decode("n", as: Int.self) == number)
                            return try rows.only.decode("pid")
                        }
                        let place = number % (Self.loops.count + 1)
                        group.addTask(executorPreference: place < Self.loops.count ? Self.loops[place] : nil, operation: work)
                    }
                    return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
                }
                #expect((1...3).contains(backends.count))
            }
        }
    }

    @Test func aConnectionThatMovedAndDiedIsReplaced() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                for round in 0..<10 {
                    for loop in Self.loops { _ = try await Self.on(loop) { try await pool.query("SELECT 1") } }
                    try await db.superuser.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = \(db.name) AND pid <> pg_backend_pid() AND usename <> current_user
                        """)
                    let loop = Self.loops[round % Self.loops.count]
                    try await eventually("no recovery") {
                        (try? await Self.on(loop) { try await pool.query("SELECT 1") }) != nil
                    }
                }
                #expect(pool.statistics.inUse == 0)
            }
        }
    }

    @Test func cancellationOnALoopStopsTheStatement() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await db.withPool(size: 1) { pool in
                let task = Task(executorPreference: Self.loops[0]) { try await pool.query("SELECT pg_sleep(30) AS loop_sleep") }
                try await db.waitForStatement("loop_sleep")
                let start = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(.now - start < .seconds(20))
                try await pool.ping()
            }
        }
    }
}
