import ConcurrencySupport
import Foundation
import TestSupport
import Testing

@Suite struct BlockingPoolTests {
    private struct Broken: Error {}

    @Test func returnsValuesAndErrors() async throws {
        let pool = BlockingPool(name: "test", threads: 2)
        defer { pool.shutdown() }
        #expect(try await pool.run { 3 } == 3)
        await #expect(throws: Broken.self) { try await pool.run { throw Broken() } }
    }

    @Test func runsNoMoreAtOnceThanItHasThreads() async throws {
        let pool = BlockingPool(name: "test", threads: 3, queueLimit: 1_000)
        defer { pool.shutdown() }
        let running = Locked((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await pool.run {
                        running.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        usleep(2_000)
                        running.withLock { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.withLock { $0.most } == 3)
    }

    @Test func refusesWhatIsTooMuch() async throws {
        let pool = BlockingPool(name: "test", threads: 1, queueLimit: 2)
        defer { pool.shutdown() }
        let gate = DispatchSemaphore(value: 0)
        let begun = OneShot<Void>()
        let first = Task {
            try await pool.run {
                begun.succeed()
                gate.wait()
            }
        }
        try await begun.value()
        let refused = Locked(0)
        let others = (0..<10).map { _ in
            Task {
                do { try await pool.run {} } catch is BlockingPool.Overloaded { refused.withLock { $0 += 1 } }
            }
        }
        try await poll { refused.withLock { $0 } == 8 }
        gate.signal()
        try await first.value
        for other in others { try await other.value }
        #expect(refused.withLock { $0 } == 8)
    }

    @Test func aCancelledCallerLeavesAndItsWorkIsSkipped() async throws {
        let pool = BlockingPool(name: "test", threads: 1)
        defer { pool.shutdown() }
        let gate = DispatchSemaphore(value: 0)
        let begun = OneShot<Void>()
        let first = Task {
            try await pool.run {
                begun.succeed()
                gate.wait()
            }
        }
        try await begun.value()
        let ran = Locked(false)
        let second = Task { try await pool.run { ran.withLock { $0 = true } } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.signal()
        try await first.value
        try await pool.run {}
        #expect(!ran.withLock { $0 })
    }

    @Test func finishesQueuedWorkAtShutdownAndTakesNoMore() async throws {
        let pool = BlockingPool(name: "test", threads: 2)
        let done = Locked(0)
        let tasks = (0..<20).map { _ in Task { try await pool.run { done.withLock { $0 += 1 } } } }
        for task in tasks { try await task.value }
        pool.shutdown()
        await #expect(throws: BlockingPool.Stopped.self) { try await pool.run {} }
        #expect(done.withLock { $0 } == 20)
    }

    @Test func doesNotBlockTheCooperativePool() async throws {
        let pool = BlockingPool(name: "test", threads: 8)
        defer { pool.shutdown() }
        let gate = DispatchSemaphore(value: 0)
        let running = Locked(0)
        let blocked = (0..<8).map { _ in
            Task {
                try await pool.run {
                    running.withLock { $0 += 1 }
                    gate.wait()
                }
            }
        }
        // Ends only if tasks still run while all eight threads are blocked.
        try await poll { running.value == 8 }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { await Task.yield() } }
        }
        for _ in 0..<8 { gate.signal() }
        for task in blocked { try await task.value }
    }

    @Test func namesItsThreads() async throws {
        let name = OneShot<String>()
        OwnThread.start(name: "a-name-longer-than-linux-keeps") {
            name.succeed((try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "")
        }
        #expect(try await name.value() == "a-name-longer-t\n")
    }

    private func poll(_ condition: () -> Bool) async throws {
        let deadline = Deadline.after(.seconds(10))
        while !condition() {
            try #require(!deadline.isPast, "not within 10 s")
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
