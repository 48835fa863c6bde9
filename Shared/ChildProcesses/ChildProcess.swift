import CSpawn
import ConcurrencySupport
import Glibc

/// A program that runs beside us: in a process group of its own, within limits, with nothing of ours but what it is given, and gone
/// with us whatever ends us.
///
/// It is started through `nice`, `prlimit` and `setpriv` of util-linux, which set priority, limits and the signal that it gets when we
/// die, each and then become the next. That signal goes out when the *thread* that started it ends, so that thread is its own and waits.
public struct ChildProcess: Sendable {
    public struct Limits: Sendable, Equatable {
        /// Address space, in bytes.
        public var memory: Int
        public var cpuSeconds: Int
        /// Of each file that it writes, in bytes.
        public var fileSize: Int
        public var wallTime: Duration

        public init(memory: Int, cpuSeconds: Int, fileSize: Int, wallTime: Duration) {
            self.memory = memory
            self.cpuSeconds = cpuSeconds
            self.fileSize = fileSize
            self.wallTime = wallTime
        }
    }

    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        /// By a signal that we did not send.
        case killed(signal: Int32)
        case timedOut
    }

    public struct Outcome: Sendable {
        public let ending: Ending
        /// What it wrote to its standard output, where no reader took it; cut at ``longestOutput``.
        public let output: [UInt8]
        /// The end of what it wrote to its standard error.
        public let complaints: String
    }

    /// It could not be started.
    public struct NotStarted: Error, Equatable, CustomStringConvertible {
        public let program: String
        public let code: Int32

        public var description: String { "\(program) cannot be started: \(String(cString: strerror(code)))" }
    }

    public static let longestOutput = 4 << 20
    public static let longestComplaint = 8 << 10
    /// From being asked to being killed.
    public static let grace = Duration.seconds(2)

    public let program: String
    public let arguments: [String]
    /// Where it works; names in its arguments mean files there.
    public let directory: String
    public let limits: Limits

    public init(program: String, arguments: [String], directory: String, limits: Limits) {
        self.program = program
        self.arguments = arguments
        self.directory = directory
        self.limits = limits
    }

    /// Runs it to its end. A cancelled task ends it, with all that it has started, and throws when nothing is left of it.
    ///
    /// - Parameter reader: gets each piece of its standard output, on the child's thread.
    public func run(reader: (@Sendable ([UInt8]) -> Void)? = nil) async throws -> Outcome {
        let run = ChildRun(self, reader: reader)
        let outcome = OneShot<Outcome>()
        OwnThread.start(name: "child") { outcome.complete(with: Result { try run.toItsEnd() }) }
        let result = try await outcome.value(onCancel: { run.cancel() })
        try Task.checkCancellation()
        return result
    }

    /// The whole command line.
    var commandLine: [String] {
        [
            "nice", "-n", "5", "prlimit", "--as=\(limits.memory)", "--cpu=\(limits.cpuSeconds)", "--fsize=\(limits.fileSize)",
            "--core=0",
            "setpriv", "--pdeathsig", "KILL", "--no-new-privs", program,
        ] + arguments
    }

    var environment: [String] {
        ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=\(directory)", "TMPDIR=\(directory)"]
    }
}

/// One run of a child, on the thread that started it.
private final class ChildRun: Sendable {
    private struct State {
        /// While it is ours to signal: from the start until it has been waited for.
        var pid: pid_t?
        var isCancelled = false
    }

    private let child: ChildProcess
    private let reader: (@Sendable ([UInt8]) -> Void)?
    private let state = Lock(State())

    init(_ child: ChildProcess, reader: (@Sendable ([UInt8]) -> Void)?) {
        self.child = child
        self.reader = reader
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let pid = state.pid { kill(-pid, SIGTERM) }
        }
    }

    private func signal(_ number: Int32) {
        state.withLock { state in if let pid = state.pid { _ = kill(-pid, number) } }
    }

    func toItsEnd() throws -> ChildProcess.Outcome {
        var (output, errors) = (try Pipe(), try Pipe())
        defer {
            output.close()
            errors.close()
        }
        try start(output, errors)
        output.closeWriting()
        errors.closeWriting()
        var collected: [UInt8] = []
        var complaints: [UInt8] = []
        func read() {
            if let piece = output.read() {
                if let reader { reader(piece) } else { collected += piece.prefix(ChildProcess.longestOutput - collected.count) }
            }
            if let piece = errors.read() { complaints = Array((complaints + piece).suffix(ChildProcess.longestComplaint)) }
        }
        let deadline = ContinuousClock.now + child.limits.wallTime
        var (isLate, killAt) = (false, ContinuousClock.Instant?.none)
        while !hasExited {
            Pipe.wait(for: [output, errors])
            read()
            if !isLate, ContinuousClock.now >= deadline {
                isLate = true
                signal(SIGTERM)
            }
            guard isLate || state.withLock({ $0.isCancelled }) else { continue }
            let now = ContinuousClock.now
            if let at = killAt, now >= at { signal(SIGKILL) }
            killAt = killAt ?? now + ChildProcess.grace
        }
        // Whatever it has started ends with it; while it has not been waited for, its group's number is nobody else's.
        signal(SIGKILL)
        while output.isOpen || errors.isOpen {
            read()
            if Pipe.wait(for: [output, errors]) == false { break }
        }
        let ending = reap()
        return ChildProcess.Outcome(
            ending: isLate ? .timedOut : ending, output: collected, complaints: String(decoding: complaints, as: UTF8.self))
    }

    // MARK: The system's calls

    private func start(_ output: Pipe, _ errors: Pipe) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writing, 2)
        // Nothing of ours but these three: no socket, no database.
        cspawn_close_from(&actions, 3)
        cspawn_work_in(&actions, child.directory)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // We ignore and block signals that it needs.
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        let line = child.commandLine
        try Self.withCStrings(line) { arguments in
            try Self.withCStrings(child.environment) { environment in
                try state.withLock { state in
                    guard !state.isCancelled else { throw CancellationError() }
                    var pid = pid_t()
                    let code = posix_spawnp(&pid, line[0], &actions, &attributes, arguments, environment)
                    guard code == 0 else { throw ChildProcess.NotStarted(program: line[0], code: code) }
                    state.pid = pid
                }
            }
        }
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Value
    ) rethrows -> Value {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return try body(copies + [nil])
    }

    /// Looks without waiting, and leaves it to be waited for.
    private var hasExited: Bool {
        guard let pid = state.withLock({ $0.pid }) else { return true }
        var info = siginfo_t()
        let status = waitid(P_PID, id_t(pid), &info, Int32(WEXITED | WNOHANG | WNOWAIT))
        return status != 0 ? errno != EINTR : info.si_signo == SIGCHLD
    }

    private func reap() -> ChildProcess.Ending {
        var status: Int32 = 0
        guard let pid = state.withLock({ $0.pid.take() }) else { return .exited(-1) }
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}

/// A pipe of which we read without waiting.
private struct Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    var isOpen: Bool { reading >= 0 }

    init() throws {
        var ends: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) }
        }
        guard status == 0 else { throw ChildProcess.NotStarted(program: "pipe", code: errno) }
        (reading, writing) = ends
        for end in [reading, writing] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    }

    mutating func closeWriting() {
        if writing >= 0 { Glibc.close(writing) }
        writing = -1
    }

    mutating func close() {
        closeWriting()
        if reading >= 0 { Glibc.close(reading) }
        reading = -1
    }

    /// - Returns: `nil` where nothing is there; closes itself at the end.
    mutating func read() -> [UInt8]? {
        guard isOpen else { return nil }
        var (result, code): (Int, Int32) = (0, 0)
        let piece = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
            result = Glibc.read(reading, buffer.baseAddress, buffer.count)
            (count, code) = (max(0, result), errno)
        }
        if result > 0 { return piece }
        if result == 0 || (code != EAGAIN && code != EINTR) {
            Glibc.close(reading)
            reading = -1
        }
        return nil
    }

    /// Waits until one of them has something, at most a moment.
    @discardableResult
    static func wait(for pipes: [Pipe]) -> Bool {
        var polled = pipes.filter(\.isOpen).map { pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0) }
        return poll(&polled, nfds_t(polled.count), polled.isEmpty ? 2 : 100) > 0
    }
}
