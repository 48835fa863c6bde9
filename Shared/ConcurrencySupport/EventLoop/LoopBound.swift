/// A value that only one event loop's thread may touch: state without a lock. Off that thread it stops the program.
///
/// Unchecked: every access checks the thread.
public final class LoopBound<Value>: @unchecked Sendable {
    public let loop: EventLoop
    private var stored: Value

    public init(_ value: sending Value, on loop: EventLoop) {
        self.loop = loop
        stored = value
    }

    public var value: Value {
        get {
            precondition(loop.isCurrent, "touched off its event loop")
            return stored
        }
        _modify {
            precondition(loop.isCurrent, "touched off its event loop")
            yield &stored
        }
    }
}

/// A call at an instant that any thread may set and take back; on a loop it is that loop's own timer, and costs no hand-over.
public struct Alarm: Sendable {
    private let loop: EventLoop
    private let timer: LoopTimer

    /// - Parameter action: called on a loop's thread, never early, a few milliseconds late; must be short and never wait.
    public static func set(at deadline: Deadline, _ action: @escaping @Sendable () -> Void) -> Alarm {
        if let loop = EventLoop.current { return Alarm(loop: loop, timer: loop.schedule(at: deadline.instant, action)) }
        let alarm = Alarm(
            loop: EventLoopGroup.shared.next(), timer: LoopTimer(instant: deadline.instant, action: action))
        alarm.loop.execute { alarm.loop.schedule(alarm.timer) }
        return alarm
    }

    /// Takes the alarm back; its action may be running or have run.
    public func cancel() {
        if loop.isCurrent { loop.cancel(timer) } else { loop.execute { [self] in loop.cancel(timer) } }
    }
}
