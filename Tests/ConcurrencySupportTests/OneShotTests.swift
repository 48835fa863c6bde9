import ConcurrencySupport
import Foundation
import TestSupport
import Testing

@Suite struct OneShotTests {
    private struct Late: Error {}

    @Test func deliversWhatCameBeforeAnybodyWaited() async throws {
        let shot = OneShot<Int>()
        #expect(shot.succeed(1))
        #expect(!shot.succeed(2))
        #expect(!shot.fail(Late()))
        #expect(shot.isCompleted)
        #expect(try await shot.value() == 1)
    }

    @Test func deliversToTheWaitingTask() async throws {
        let shot = OneShot<Int>()
        async let value = shot.value()
        Thread.detachNewThread { shot.succeed(7) }
        #expect(try await value == 7)
    }

    @Test func deliversErrors() async {
        let shot = OneShot<Int>()
        shot.fail(Late())
        await #expect(throws: Late.self) { try await shot.value() }
    }

    @Test func aCancelledWaitEndsAtOnce() async {
        let shot = OneShot<Int>()
        let task = Task { try await shot.value() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!shot.succeed(1))
    }

    @Test func theOwnerDecidesWhenItAsksForCancellation() async throws {
        let shot = OneShot<Int>()
        let calls = Locked(0)
        let task = Task {
            try await shot.value(onCancel: {
                calls.withLock { $0 += 1 }
                shot.succeed(42)
            })
        }
        task.cancel()
        #expect(try await task.value == 42)
        #expect(calls.withLock { $0 } == 1)
    }

    /// The race that every bridge to a C library has: its callback against the caller's cancellation.
    @Test func twentyThousandRacesOfCancelAgainstCompletion() async throws {
        let completed = Locked(0)
        let cancelled = Locked(0)
        let pool = BlockingPool(name: "callbacks", threads: 2, queueLimit: 1_000_000)
        defer { pool.shutdown() }
        for round in 0..<200 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    let shot = OneShot<Int>()
                    let task = Task { try await shot.value() }
                    group.addTask {
                        async let callback: Bool = pool.run { shot.succeed(number) }
                        if (round + number) % 3 == 0 { await Task.yield() }
                        task.cancel()
                        switch await task.result {
                        case .success(let value):
                            #expect(value == number)
                            let won = try await callback
                            #expect(won)
                            completed.withLock { $0 += 1 }
                        case .failure(let error):
                            #expect(error is CancellationError)
                            let won = try await callback
                            #expect(!won)
                            cancelled.withLock { $0 += 1 }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(completed.withLock { $0 } + cancelled.withLock { $0 } == 20_000)
        #expect(cancelled.withLock { $0 } > 0)
    }
}

@Suite struct DeadlineTests {
    private struct Broken: Error {}

    @Test func returnsWhatIsReadyInTime() async throws {
        #expect(try await withDeadline(.after(.seconds(30))) { 5 } == 5)
        await #expect(throws: Broken.self) { try await withDeadline(.after(.seconds(30))) { throw Broken() } }
    }

    @Test func cancelsWhatIsLate() async {
        let wasCancelled = Locked(false)
        await #expect(throws: DeadlineExceeded.self) {
            try await withDeadline(.after(.milliseconds(20))) {
                do {
                    try await Task.sleep(for: .seconds(60))
                } catch {
                    wasCancelled.withLock { $0 = true }
                    throw error
                }
            }
        }
        #expect(wasCancelled.withLock { $0 })
    }

    @Test func aPastDeadlineIsLateAtOnce() async {
        await #expect(throws: DeadlineExceeded.self) {
            try await withDeadline(.after(.zero)) { try await Task.sleep(for: .seconds(60)) }
        }
    }

    @Test func keepsTheResultOfAnOperationThatFinishesThoughItsCallerWasCancelled() async throws {
        let began = OneShot<Void>()
        let finish = OneShot<Int>()
        let task = Task {
            try await withDeadline(.after(.seconds(60))) {
                began.succeed()
                return try await finish.value(onCancel: { finish.succeed(9) })
            }
        }
        try await began.value()
        task.cancel()
        #expect(try await task.value == 9)
    }

    @Test func countsDown() {
        let deadline = Deadline.after(.seconds(10))
        #expect(deadline.remaining > .seconds(9) && deadline.remaining <= .seconds(10))
        #expect(!deadline.isPast)
        #expect(Deadline.after(.seconds(-1)).remaining == .zero)
        #expect(Deadline.after(.seconds(-1)).isPast)
        #expect(Deadline.after(.seconds(1)) < Deadline.after(.seconds(2)))
        #expect(Duration.milliseconds(1_500).milliseconds == 1_500)
        #expect(Duration.milliseconds(1_500).inSeconds == 1.5)
    }
}
