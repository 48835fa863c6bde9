import CEpoll
import Glibc

/// One thread, one epoll, and a Swift task executor on top of both: what runs here never changes threads and never meets a lock.
///
/// A request is served by one loop from its first byte to its last: the sockets of its client, of the services it calls and of its
/// database connection hang on the same epoll, and its task prefers this executor. Going on after an `await` is then an append to an
/// array, without a system call and without waking another thread; handing work between threads cost more than the work itself.
///
/// What runs on a loop must not block and should not compute for more than about a millisecond: long work belongs to a ``BlockingPool``.
/// In each turn the loop runs the jobs that are queued, then what was put off with ``beforePolling(_:)``, then due timers, then polls
/// (without waiting while there is work), so that neither sockets nor jobs starve.
///
/// Only ``execute(_:)``, ``enqueue(_:)``, ``isCurrent`` and ``startTask(_:)`` may be used from other threads.
public final class EventLoop: TaskExecutor {
    /// The loop whose thread this is.
    public static var current: EventLoop? {
        guard let pointer = pthread_getspecific(currentLoopKey) else { return nil }
        return Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    enum Work {
        case job(UnownedJob)
        case body(@Sendable () -> Void)
    }

    /// What comes from other threads.
    private struct Inbox {
        var work: [Work] = []
        /// The loop waits in the kernel, or is about to: whoever sets it back must raise the event.
        var isAsleep = false
        var stopping = false
        var hasStopped = false
    }

    private let name: String
    private let inbox = Lock(Inbox())
    private let state: LoopState
    private let wakeUp: Int32
    private static let wakeUpToken = UInt64.max

    /// Starts the thread.
    ///
    /// - Throws: ``SystemError`` without descriptors.
    public init(name: String) throws(SystemError) {
        self.name = name
        wakeUp = cepoll_event_create()
        let epoll = cepoll_create()
        guard epoll >= 0, wakeUp >= 0 else { throw SystemError(code: errno) }
        guard cepoll_control(epoll, EPOLL_CTL_ADD, wakeUp, EPOLLIN.rawValue, Self.wakeUpToken) == 0 else {
            throw SystemError(code: errno)
        }
        state = LoopState(epoll: epoll)
        OwnThread.start(name: name) { self.runThread() }
    }

    /// Whether the caller runs on this loop's thread.
    public var isCurrent: Bool { pthread_getspecific(currentLoopKey) == Unmanaged.passUnretained(self).toOpaque() }

    // MARK: Work, from any thread

    /// Runs `body` on the loop's thread, after what is queued already; never at once, even where the caller is on that thread. After
    /// ``stop()`` it is dropped.
    public func execute(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { state.queue.append(.body(body)) } else { _ = post(.body(body)) }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            state.queue.append(.job(job))
        } else if !post(.job(job)) {
            // A task that outlived the loop ends on Swift's own pool.
            globalConcurrentExecutor.enqueue(job)
        }
    }

    /// - Returns: `false` after the end.
    private func post(_ work: Work) -> Bool {
        let (isTaken, mustWake) = inbox.withLock { inbox in
            guard !inbox.hasStopped else { return (false, false) }
            inbox.work.append(work)
            defer { inbox.isAsleep = false }
            return (true, inbox.isAsleep)
        }
        if mustWake { cepoll_event_raise(wakeUp) }
        return isTaken
    }

    /// Starts a task that prefers this loop. On the loop's own thread its first steps run before this returns, up to where it first waits
    /// (as with `Task.immediate`, which would leave its executor at the first call instead).
    @discardableResult
    public func startTask(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        guard isCurrent else { return Task(executorPreference: self, operation: body) }
        let queued = state.queue.count
        let task = Task(executorPreference: self, operation: body)
        if state.queue.count == queued + 1, case .job(let job)? = state.queue.popLast() {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        return task
    }

    // MARK: On the loop's thread only

    /// Runs `body` once, on this loop, when the jobs of this turn are done and before it polls: the place to flush what several jobs asked
    /// for. Only on the loop's thread.
    public func beforePolling(_ body: @escaping @Sendable () -> Void) {
        assertCurrent()
        state.beforePolling.append(body)
    }

    /// Calls `handler` whenever the descriptor is ready. It is held until ``unwatch(_:)``, which must come before `close`. Only on the
    /// loop's thread.
    ///
    /// - Throws: ``SystemError``, e.g. `EEXIST`.
    public func watch(
        _ descriptor: Int32, for interest: Readiness, edgeTriggered: Bool = false, handler: any ReadinessHandler
    ) throws(SystemError) {
        assertCurrent()
        try state.watch(descriptor, interest, edgeTriggered, handler)
    }

    /// Changes what a watched descriptor is watched for. Only on the loop's thread.
    public func rewatch(_ descriptor: Int32, for interest: Readiness, edgeTriggered: Bool = false) throws(SystemError) {
        assertCurrent()
        try state.rewatch(descriptor, interest, edgeTriggered)
    }

    /// The handler is not called any more, not even for an event that was found already. Does nothing where the descriptor is not
    /// watched. Only on the loop's thread.
    ///
    /// - Parameter handler: for whom. Where the descriptor was closed and its number is watched for another by now, nothing happens.
    public func unwatch(_ descriptor: Int32, of handler: (any ReadinessHandler)? = nil) {
        assertCurrent()
        state.unwatch(descriptor, of: handler)
    }

    /// Calls `action` on this loop at the instant or up to a few milliseconds later, never earlier. Only on the loop's thread.
    public func schedule(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> LoopTimer {
        let timer = LoopTimer(instant: instant, action: action)
        schedule(timer)
        return timer
    }

    func schedule(_ timer: LoopTimer) {
        assertCurrent()
        state.timers.insert(timer)
    }

    /// Takes the timer back; does nothing where it has fired. Only on the loop's thread.
    public func cancel(_ timer: LoopTimer) {
        assertCurrent()
        state.timers.remove(timer)
    }

    private func assertCurrent() { precondition(isCurrent, "called off the event loop's thread") }

    // MARK: The thread

    /// Runs what is queued, then ends the thread and forgets its descriptors' handlers. Does not wait.
    public func stop() {
        let mustWake = inbox.withLock { inbox in
            inbox.stopping = true
            defer { inbox.isAsleep = false }
            return inbox.isAsleep
        }
        if mustWake { cepoll_event_raise(wakeUp) }
    }

    /// More jobs than that are interrupted by a look at the sockets.
    private static let jobsPerTurn = 256

    private func runThread() {
        // A peer that has left is an error code of the call that met it; `sendfile` has no flag to say so.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        pthread_setspecific(currentLoopKey, Unmanaged.passUnretained(self).toOpaque())
        while turn() {}
        pthread_setspecific(currentLoopKey, nil)
        state.end()
        close(wakeUp)
    }

    /// - Returns: `false` at the end.
    private func turn() -> Bool {
        runQueue()
        // What these put off again comes with the next turn.
        for _ in 0..<state.beforePolling.count { state.beforePolling.popFirst()?() }
        fireTimers()
        var timeout: Int32 = 0
        var hasEnded = false
        let mayWait = state.queue.isEmpty && state.beforePolling.isEmpty
        let wait = mayWait ? state.timers.millisecondsUntilNext() : 0
        let arrived = inbox.withLock { inbox -> [Work] in
            guard inbox.work.isEmpty else {
                defer { inbox.work = [] }
                return inbox.work
            }
            if inbox.stopping, mayWait {
                inbox.hasStopped = true
                hasEnded = true
            } else if wait != 0 {
                inbox.isAsleep = true
                timeout = wait
            }
            return []
        }
        if hasEnded { return false }
        for work in arrived { state.queue.append(work) }
        state.poll(timeout: timeout, loop: self, wakeUp: Self.wakeUpToken) { cepoll_event_clear(wakeUp) }
        if timeout != 0 { inbox.withLock { $0.isAsleep = false } }
        return true
    }

    private func fireTimers() {
        guard state.timers.count > 0 else { return }
        let now = ContinuousClock.now
        while let action = state.timers.popDue(now) { action() }
    }

    private func runQueue() {
        var left = Self.jobsPerTurn
        while left > 0, let work = state.queue.popFirst() {
            left -= 1
            switch work {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .body(let body): body()
            }
        }
    }
}

/// What a descriptor is ready for, or is watched for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The other side has shut its sending direction, or all of it.
    public static let hangUp = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue)
    /// Always watched for.
    public static let error = Readiness(rawValue: EPOLLERR.rawValue)
}

/// Hears of a descriptor, on the loop's thread.
public protocol ReadinessHandler: AnyObject, Sendable {
    func isReady(_ readiness: Readiness, on loop: EventLoop)
}

/// The system refused something.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// `errno`.
    public let code: Int32

    public init(code: Int32) { self.code = code }

    public var description: String { String(cString: strerror(code)) }
}

/// Where each loop's thread keeps its loop.
private let currentLoopKey: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    precondition(status == 0, "pthread_key_create failed: \(status)")
    return key
}()
