import ConcurrencySupport
import Foundation
import TestSupport
import Testing

@Suite struct EventLoopTests {
    private actor Tally {
        private(set) var count = 0
        func add() { count += 1 }
    }

    private static func withLoop<Value: Sendable>(_ body: (EventLoop) async throws -> Value) async throws -> Value {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        return try await body(loop)
    }

    /// Runs `body` on the loop and waits for what it completes.
    private static func on<Value: Sendable>(
        _ loop: EventLoop, _ body: @escaping @Sendable (OneShot<Value>) throws -> Void
    ) async throws -> Value {
        let result = OneShot<Value>()
        loop.execute { do { try body(result) } catch { result.fail(error) } }
        return try await result.value()
    }

    @Test func aTaskComesBackToItsLoopWhereverItHasBeen() async throws {
        try await Self.withLoop { loop in
            let foreign = BlockingPool(name: "foreign", threads: 1)
            defer { foreign.shutdown() }
            let result = OneShot<[Bool]>()
            loop.startTask {
                var places: [Bool] = [loop.isCurrent]
                _ = try? await foreign.run { 1 }
                places.append(loop.isCurrent)
                await Tally().add()
                places.append(loop.isCurrent)
                try? await Task.sleep(for: .milliseconds(1))
                places.append(loop.isCurrent)
                async let child = loop.isCurrent
                places.append(await child)
                result.succeed(places)
            }
            let places = try await result.value()
            #expect(places == [true, true, true, true, true])
        }
    }

    @Test func startsATaskAtOnceOnItsOwnThread() async throws {
        try await Self.withLoop { loop in
            let order: [String] = try await Self.on(loop) { done in
                let order = Locked<[String]>([])
                let never = OneShot<Void>()
                loop.startTask {
                    order.withLock { $0.append("before the first wait") }
                    try? await never.value()
                    order.withLock { $0.append("after it") }
                    done.succeed(order.withLock { $0 })
                }
                order.withLock { $0.append("start returned") }
                loop.execute { never.succeed() }
            }
            #expect(order == ["before the first wait", "start returned", "after it"])
        }
    }

    @Test func keepsTheOrderOfWhatOneThreadPosts() async throws {
        try await Self.withLoop { loop in
            let seen = Locked<[Int]>([])
            let done = OneShot<Void>()
            for number in 0..<10_000 { loop.execute { seen.withLock { $0.append(number) } } }
            loop.execute { done.succeed() }
            try await done.value()
            #expect(seen.withLock { $0 } == Array(0..<10_000))
        }
    }

    @Test func losesNothingThatManyThreadsPost() async throws {
        try await Self.withLoop { loop in
            let count = Locked(0)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<500 {
                            let done = OneShot<Void>()
                            loop.execute {
                                count.withLock { $0 += 1 }
                                done.succeed()
                            }
                            try? await done.value()
                        }
                    }
                }
            }
            #expect(count.withLock { $0 } == 4_000)
        }
    }

    @Test func firesTimersInOrderNeverEarlyAndNotWhenCancelled() async throws {
        try await Self.withLoop { loop in
            let start = ContinuousClock.now
            let fired: [Int] = try await Self.on(loop) { done in
                let fired = Locked<[Int]>([])
                for delay in [30, 10, 20, 40] {
                    let timer = loop.schedule(at: start + .milliseconds(delay)) {
                        if ContinuousClock.now < start + .milliseconds(delay) { fired.withLock { $0.append(-1) } }
                        fired.withLock { $0.append(delay) }
                        if delay == 40 { done.succeed(fired.withLock { $0 }) }
                    }
                    if delay == 20 { loop.cancel(timer) }
                }
            }
            #expect(fired == [10, 30, 40])
        }
    }

    @Test func keepsManyTimersInOrderWhileOthersAreTakenBack() async throws {
        try await Self.withLoop { loop in
            let start = ContinuousClock.now
            let fired: [Int] = try await Self.on(loop) { done in
                let fired = Locked<[Int]>([])
                var timers: [LoopTimer] = []
                for number in 0..<2_000 {
                    let delay = (number &* 7_919) % 2_000
                    timers.append(
                        loop.schedule(at: start + .microseconds(delay * 10)) {
                            fired.withLock { $0.append(delay) }
                        })
                }
                for (number, timer) in timers.enumerated() where number % 3 == 0 { loop.cancel(timer) }
                _ = loop.schedule(at: start + .milliseconds(25)) { done.succeed(fired.withLock { $0 }) }
            }
            #expect(fired.count == 2_000 - 667)
            #expect(fired == fired.sorted())
        }
    }

    @Test func anAlarmIsSetAndTakenBackFromAnyThread() async throws {
        let rung = Locked<[Int]>([])
        let done = OneShot<Void>()
        let taken = Alarm.set(at: .after(.milliseconds(5))) { rung.withLock { $0.append(1) } }
        taken.cancel()
        let alarm = Alarm.set(at: .after(.milliseconds(20))) {
            rung.withLock { $0.append(2) }
            done.succeed()
        }
        try await done.value()
        alarm.cancel()
        #expect(rung.withLock { $0 } == [2])
    }

    /// Counts what it hears, and takes one byte each time.
    private final class Listener: ReadinessHandler {
        let descriptor: Int32
        let heard = Locked<[Readiness]>([])

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        func isReady(_ readiness: Readiness, on loop: EventLoop) {
            var byte: UInt8 = 0
            if readiness.contains(.readable) { read(descriptor, &byte, 1) }
            heard.withLock { $0.append(readiness) }
        }
    }

    @Test func tellsOfReadableDescriptorsUntilTheyAreUnwatched() async throws {
        try await Self.withLoop { loop in
            var pair: [Int32] = [0, 0]
            try #require(pipe(&pair) == 0)
            let (reading, writing) = (pair[0], pair[1])
            defer {
                close(reading)
                close(writing)
            }
            let listener = Listener(reading)
            try await Self.on(loop) { (done: OneShot<Void>) in
                try loop.watch(reading, for: .readable, handler: listener)
                #expect((try? loop.watch(reading, for: .readable, handler: listener)) == nil)
                done.succeed()
            }
            var bytes: [UInt8] = [1, 2]
            write(writing, &bytes, 2)
            // Level-triggered: heard of once per byte that is left.
            try await poll { listener.heard.withLock { $0.count } == 2 }
            try await Self.on(loop) { (done: OneShot<Void>) in
                loop.unwatch(reading)
                done.succeed()
            }
            write(writing, &bytes, 1)
            try await Self.on(loop) { (done: OneShot<Void>) in _ = loop.schedule(at: .now + .milliseconds(20)) { done.succeed() }
            }
            #expect(listener.heard.withLock { $0 } == [.readable, .readable])
        }
    }

    @Test func neitherJobsNorDescriptorsStarve() async throws {
        try await Self.withLoop { loop in
            let stop = Locked(false)
            // A task that never rests.
            let busy = loop.startTask { while !stop.withLock({ $0 }) { await Task.yield() } }
            try await Self.on(loop) { (done: OneShot<Void>) in _ = loop.schedule(at: .now + .milliseconds(5)) { done.succeed() } }
            stop.withLock { $0 = true }
            await busy.value
            #expect(stop.withLock { $0 })
        }
    }

    @Test func runsWhatWasPutOffAfterTheJobsOfTheTurn() async throws {
        try await Self.withLoop { loop in
            let order: [Int] = try await Self.on(loop) { done in
                let order = Locked<[Int]>([])
                loop.beforePolling {
                    order.withLock { $0.append(3) }
                    done.succeed(order.withLock { $0 })
                }
                loop.execute {
                    order.withLock { $0.append(1) }
                    loop.execute { order.withLock { $0.append(2) } }
                }
            }
            #expect(order == [1, 2, 3])
        }
    }

    @Test func aTaskThatOutlivesItsLoopEndsElsewhere() async throws {
        let loop = try EventLoop(name: "test")
        let gate = OneShot<Void>()
        let task = loop.startTask { try? await gate.value() }
        try await Self.on(loop) { (done: OneShot<Void>) in done.succeed() }
        loop.stop()
        try await Task.sleep(for: .milliseconds(50))
        gate.succeed()
        await task.value
        #expect(gate.isCompleted)
    }

    private func poll(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(5)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "the condition never came true")
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
