import ConcurrencySupport
import Glibc

/// Where log lines go. Every line is written whole; lines never interleave.
public struct LogSink: Sendable {
    private let writeLine: @Sendable ([UInt8]) -> Void
    private let flushLines: @Sendable (Duration) -> Void

    /// - Parameter write: gets one line with its line break; must not block for long.
    public init(
        write: @escaping @Sendable (_ line: [UInt8]) -> Void, flush: @escaping @Sendable (_ atMost: Duration) -> Void = { _ in }
    ) {
        writeLine = write
        flushLines = flush
    }

    /// The process's standard output. One writer for the whole process.
    public static let standardOutput = LogSink.descriptor(STDOUT_FILENO)

    /// A file, pipe or terminal. While its reader keeps up, lines are written by the caller; on an event loop those of one turn go in one
    /// piece, before the loop waits. When the reader stalls they queue (up to 1 MB) for a thread of their own, so that no caller waits for
    /// it. Lines beyond the queue are dropped and counted in the next line.
    public static func descriptor(_ descriptor: Int32) -> LogSink {
        let writer = DescriptorWriter(descriptor: descriptor)
        return LogSink(write: { writer.write($0) }, flush: { writer.flush(atMost: $0) })
    }

    public func write(_ line: [UInt8]) { writeLine(line) }

    /// Waits, blocking the thread, until queued lines are written, at most so long. For the end of the process only.
    public func flush(atMost limit: Duration = .milliseconds(500)) { flushLines(limit) }
}

private final class DescriptorWriter: Sendable {
    private struct State {
        /// Lines of the running turns of event loops, less than ``atomicSize``.
        var pending: [UInt8] = []
        /// A loop will write them.
        var isFlushDue = false
        var backlog: [[UInt8]] = []
        /// Of the backlog and of what the thread has taken from it and not written yet.
        var backlogBytes = 0
        var dropped = 0
        var threadIsRunning = false
        /// There is a backlog, and nobody at work on it.
        var needsThread: Bool { !threadIsRunning && (!backlog.isEmpty || dropped > 0) }
    }

    private let descriptor: Int32
    private let state = Lock(State())
    /// A pipe that polls writable takes this much without blocking (pipe(7), `PIPE_BUF`).
    private static let atomicSize = 4096
    private static let backlogLimit = 1_048_576

    init(descriptor: Int32) { self.descriptor = descriptor }

    func write(_ line: [UInt8]) {
        guard let loop = EventLoop.current, line.count < Self.atomicSize else {
            return settle { state in
                takePending(&state)
                take(line, &state)
            }
        }
        var isFirst = false
        settle { state in
            if state.pending.count + line.count > Self.atomicSize { takePending(&state) }
            state.pending.append(contentsOf: line)
            isFirst = !state.isFlushDue
            state.isFlushDue = true
        }
        if isFirst { loop.beforePolling { self.writePending() } }
    }

    private func writePending() {
        settle { state in
            state.isFlushDue = false
            takePending(&state)
        }
    }

    /// Changes the state, and starts the thread where that left a backlog.
    private func settle(_ change: (inout State) -> Void) {
        let startThread = state.withLock { state in
            change(&state)
            guard state.needsThread else { return false }
            state.threadIsRunning = true
            return true
        }
        if startThread { OwnThread.start(name: "log") { self.drain() } }
    }

    private func takePending(_ state: inout State) {
        guard !state.pending.isEmpty else { return }
        take(state.pending, &state)
        state.pending.removeAll(keepingCapacity: true)
    }

    /// Writes whole lines, or queues them.
    private func take(_ lines: [UInt8], _ state: inout State) {
        if !state.threadIsRunning, state.backlog.isEmpty, lines.count <= Self.atomicSize, isWritable() { return writeAll(lines) }
        guard state.backlogBytes + lines.count <= Self.backlogLimit else {
            state.dropped += lines.count { $0 == UInt8(ascii: "\n") }
            return
        }
        state.backlog.append(lines)
        state.backlogBytes += lines.count
    }

    func flush(atMost limit: Duration) {
        let deadline = Deadline.after(limit)
        writePending()
        while state.withLock({ $0.threadIsRunning }), !deadline.isPast { usleep(2_000) }
    }

    /// The thread's body: writes what is queued, then ends. The next stall starts another.
    private func drain() {
        var written = 0
        while true {
            let (lines, dropped) = state.withLock { state in
                let next = (state.backlog, state.dropped)
                state.backlog = []
                state.backlogBytes -= written
                state.dropped = 0
                if next.0.isEmpty, next.1 == 0 { state.threadIsRunning = false }
                return next
            }
            if lines.isEmpty, dropped == 0 { return }
            for line in lines { writeAll(line) }
            written = lines.reduce(0) { $0 + $1.count }
            if dropped > 0 {
                writeAll(Array("{\"level\":\"warning\",\"message\":\"log lines were dropped\",\"count\":\(dropped)}\n".utf8))
            }
        }
    }

    private func isWritable() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
    }

    /// Gives up at an error: a log that cannot be written has nowhere to say so.
    private func writeAll(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&request, 1, 1_000)
                    continue
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
