import Dispatch

#if canImport(Glibc)
import Glibc
#endif

/// A bounded set of threads for short calls that block: name look-ups, password hashing, `PQcancel`, file writes.
///
/// Swift's own pool has a thread per core; a blocking call there steals one from everybody. Threads start on first use and end with
/// ``shutdown()``; work beyond `queueLimit` is refused instead of piling up.
public final class BlockingPool: Sendable {
    /// Too much is waiting already.
    public struct Overloaded: Error, Equatable {
        public init() {}
    }

    /// The pool was shut down.
    public struct Stopped: Error, Equatable {
        public init() {}
    }

    private struct State {
        var queue: [@Sendable () -> Void] = []
        var idle = 0
        var threads = 0
        var stopped = false
    }

    private let state = Lock(State())
    private let wake = DispatchSemaphore(value: 0)
    private let name: String
    private let maximumThreads: Int
    private let queueLimit: Int

    public init(name: String, threads: Int, queueLimit: Int = 256) {
        self.name = name
        self.maximumThreads = threads
        self.queueLimit = queueLimit
    }

    /// Runs `body` on one of the pool's threads. A cancelled caller stops waiting at once; a body that has begun still runs to its end, one
    /// that has not is skipped.
    ///
    /// - Throws: what `body` throws, ``Overloaded``, ``Stopped``, or `CancellationError`.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let result = OneShot<Value>()
        try enqueue {
            guard !result.isCompleted else { return }
            result.complete(with: Result { try body() })
        }
        return try await result.value()
    }

    private func enqueue(_ work: @escaping @Sendable () -> Void) throws {
        let startThread = try state.withLock { state -> Bool in
            guard !state.stopped else { throw Stopped() }
            guard state.queue.count < queueLimit else { throw Overloaded() }
            state.queue.append(work)
            guard state.queue.count > state.idle, state.threads < maximumThreads else { return false }
            state.threads += 1
            return true
        }
        if startThread { OwnThread.start(name: name) { self.runThread() } }
        wake.signal()
    }

    private func runThread() {
        while true {
            state.withLock { $0.idle += 1 }
            wake.wait()
            let (next, stop) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                state.idle -= 1
                let next = state.queue.isEmpty ? nil : state.queue.removeFirst()
                return (next, next == nil && state.stopped)
            }
            if stop { return }
            next?()
        }
    }

    /// Lets queued work finish, then ends the threads. Later calls to ``run(_:)`` throw ``Stopped``.
    public func shutdown() {
        let threads = state.withLock { state -> Int in
            state.stopped = true
            return state.threads
        }
        for _ in 0..<threads { wake.signal() }
    }
}

/// A plain operating-system thread: what owns a C library's event loop, or blocks so that nobody else has to.
public enum OwnThread {
    /// Starts a detached thread with the given name (15 bytes are kept by Linux). It ends when `body` returns.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, runThreadBody, box.toOpaque())
        precondition(status == 0, "pthread_create failed: \(status)")
        pthread_detach(thread)
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    // glibc hides `pthread_setname_np` behind a feature macro; the kernel takes the name here too.
    if let file = fopen("/proc/thread-self/comm", "w") {
        fputs(String(body.name.prefix(15)), file)
        fclose(file)
    }
    body.run()
    return nil
}
