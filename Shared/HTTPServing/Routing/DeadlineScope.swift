import ConcurrencySupport
import Dispatch

/// Runs an operation in a task of its own and stops waiting for it at the deadline, whatever it does: the client has its 504 in time
/// even where a handler ignores its cancellation.
enum DeadlineScope {
    /// - Throws: `DeadlineExceeded`, `CancellationError` where the caller's task was cancelled, or what the operation threw.
    static func run<Value: Sendable>(
        until deadline: Deadline, hangUp: RouteOptions.HangUp, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard !deadline.isPast else { throw DeadlineExceeded() }
        let result = OneShot<Value>()
        // Starts on the caller's thread: an operation that never waits costs no hop.
        let task = Task.immediate {
            do { result.succeed(try await operation()) } catch { result.fail(error) }
        }
        guard !result.isCompleted else { return try await result.value() }
        let alarm = DeadlineWatch.shared.add(deadline) {
            result.fail(DeadlineExceeded())
            task.cancel()
        }
        defer { DeadlineWatch.shared.remove(alarm) }
        return try await result.value(onCancel: {
            switch hangUp {
            case .cancels: task.cancel()
            case .runsToEnd: break
            }
        })
    }
}

/// One thread that calls back when deadlines pass, in steps of 10 ms, however many there are.
///
/// `Task.sleep` would do, but a cancelled sleep stays in the runtime's timer queue until its time: at 10,000 requests a second with 30 s
/// each, that is 300,000 dead timers.
final class DeadlineWatch: Sendable {
    static let shared = DeadlineWatch()

    struct Alarm: Sendable {
        fileprivate let tick: Int64
        fileprivate let id: UInt64
    }

    private struct State {
        var alarms: [Int64: [UInt64: @Sendable () -> Void]] = [:]
        var nextId: UInt64 = 0
        var wakesAt = Int64.max
        var isRunning = false
    }

    private static let step = 10
    private let origin = ContinuousClock.now
    private let state = Lock(State())
    private let wake = DispatchSemaphore(value: 0)

    /// - Parameter action: called on the watch's thread; must be short and never wait.
    func add(_ deadline: Deadline, _ action: @escaping @Sendable () -> Void) -> Alarm {
        // Rounded up: an alarm is never early.
        let tick = origin.duration(to: deadline.instant).milliseconds / Int64(Self.step) + 1
        let (alarm, start, signal) = state.withLock { state -> (Alarm, Bool, Bool) in
            state.nextId += 1
            state.alarms[tick, default: [:]][state.nextId] = action
            let start = !state.isRunning
            state.isRunning = true
            let signal = tick < state.wakesAt
            if signal { state.wakesAt = tick }
            return (Alarm(tick: tick, id: state.nextId), start, signal)
        }
        if start { OwnThread.start(name: "deadlines") { self.runThread() } }
        if signal { wake.signal() }
        return alarm
    }

    func remove(_ alarm: Alarm) {
        state.withLock { state in
            guard state.alarms[alarm.tick]?.removeValue(forKey: alarm.id) != nil else { return }
            if state.alarms[alarm.tick]?.isEmpty == true { state.alarms[alarm.tick] = nil }
        }
    }

    private func runThread() {
        while true {
            let now = origin.duration(to: .now).milliseconds / Int64(Self.step)
            let (due, next) = state.withLock { state -> ([@Sendable () -> Void], Int64) in
                var due: [@Sendable () -> Void] = []
                if state.wakesAt <= now {
                    for tick in state.alarms.keys where tick <= now {
                        due.append(contentsOf: state.alarms.removeValue(forKey: tick).map { Array($0.values) } ?? [])
                    }
                    state.wakesAt = state.alarms.keys.min() ?? .max
                }
                return (due, state.wakesAt)
            }
            for action in due { action() }
            if !due.isEmpty { continue }
            if next == .max {
                wake.wait()
            } else {
                let rest = max(0, next * Int64(Self.step) - origin.duration(to: .now).milliseconds)
                _ = wake.wait(timeout: .now() + .milliseconds(Int(rest)))
            }
        }
    }
}
