import CRabbitMQ
import ConcurrencySupport
import Glibc
import Observability

/// What one kind of link does on its connection. Lives on the link's thread and nowhere else.
///
/// A method that throws gives up the connection; the link reconnects.
protocol LinkDriver: AnyObject, SendableMetatype {
    associatedtype Command: Sendable

    func connected(_ connection: AMQPConnection, generation: Int) throws
    func disconnected(_ reason: any Error)
    /// Takes note of a command; what it sends is sent by ``advance(on:)``.
    func take(_ command: Command)
    func handle(_ event: AMQPEvent, on connection: AMQPConnection) throws
    /// Called after commands and events, and at ``nextTimer``.
    ///
    /// - Parameter connection: `nil` while the link has none.
    func advance(on connection: AMQPConnection?) throws
    /// When ``advance(on:)`` must be called again at the latest.
    var nextTimer: ContinuousClock.Instant? { get }
    /// Nothing more is read or sent after this; whoever still waits must be told.
    func finish()
    /// For a command that no thread will take any more.
    static func reject(_ command: Command)
    /// More to send than the socket takes just now.
    var waitsForWritable: Bool { get }
}

/// A connection that is kept up by a thread of its own for as long as somebody uses it.
///
/// Commands go through a locked inbox and an `eventfd`, so that a publish does not wait for a time-out of the loop. An idle link wakes
/// four times per heartbeat interval.
final class Link<Driver: LinkDriver>: Sendable {
    private struct State {
        var inbox: [Driver.Command] = []
        var users = 0
        var isRunning = false
        var wake: Int32 = -1
        var socket: Int32 = -1
        var generation = 0
        var isConnected = false
        var lastError: String?
        var endings: [OneShot<Void>] = []
    }

    private let state = Lock(State())
    private let configuration: BrokerConfiguration
    private let name: String
    private let logger: Logger
    private let makeDriver: @Sendable () -> Driver

    init(configuration: BrokerConfiguration, name: String, logger: Logger, makeDriver: @escaping @Sendable () -> Driver) {
        self.configuration = configuration
        self.name = name
        self.logger = logger
        self.makeDriver = makeDriver
    }

    var isUsed: Bool { state.withLock { $0.users > 0 } }
    var isConnected: Bool { state.withLock { $0.isConnected } }
    /// Counts connections: 0 before the first one.
    var generation: Int { state.withLock { $0.generation } }
    var lastError: String? { state.withLock { $0.lastError } }

    /// Keeps the link up until the matching ``release()``.
    func acquire() {
        let start = state.withLock { state -> Bool in
            state.users += 1
            guard !state.isRunning else { return false }
            state.wake = c_make_wake_descriptor()
            state.isRunning = true
            return true
        }
        if start { OwnThread.start(name: "amqp-\(name)") { self.runThread() } }
    }

    /// Returns when the link is no longer this user's business: at once if others use it, else after the connection was closed.
    func release() async {
        let ending = OneShot<Void>()
        let isLast = state.withLock { state -> Bool in
            state.users -= 1
            guard state.users == 0, state.isRunning else { return false }
            state.endings.append(ending)
            Self.signal(state.wake)
            return true
        }
        guard isLast else { return }
        // A broker that does not answer must not hold up shutdown: after a while the socket is cut under the thread.
        let patience = configuration.answerTimeout
        let cutter = Task {
            try await Task.sleep(for: patience)
            self.cut()
        }
        // The owner decides the result, also when this task is cancelled: the thread must be gone when this returns.
        try? await ending.value(onCancel: { self.cut() })
        cutter.cancel()
    }

    /// Hands a command to the thread; a link that nobody uses rejects it.
    func post(_ command: Driver.Command) {
        let isTaken = state.withLock { state -> Bool in
            guard state.isRunning else { return false }
            if state.inbox.isEmpty { Self.signal(state.wake) }
            state.inbox.append(command)
            return true
        }
        if !isTaken { Driver.reject(command) }
    }

    /// Ends the present connection from outside; whatever call the thread is in comes back with an error.
    private func cut() {
        // Under the lock, because the thread takes the descriptor back under it before closing: a number may be used again.
        state.withLock { if $0.socket >= 0 { shutdown($0.socket, Int32(SHUT_RDWR)) } }
    }

    private static func signal(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        var one: UInt64 = 1
        write(descriptor, &one, 8)
    }

    // MARK: The thread

    private enum Turn {
        case work([Driver.Command])
        case stop
    }

    private func takeTurn() -> Turn {
        state.withLock { state in
            guard state.users > 0 else { return .stop }
            defer { state.inbox.removeAll(keepingCapacity: state.inbox.count < 1_024) }
            return .work(state.inbox)
        }
    }

    private func runThread() {
        let wake = state.withLock { $0.wake }
        while true {
            let driver = makeDriver()
            runLoop(driver, wake: wake)
            driver.finish()
            var rejected: [Driver.Command] = []
            let (isOver, endings) = state.withLock { state -> (Bool, [OneShot<Void>]) in
                let endings = state.endings
                state.endings = []
                state.lastError = nil
                guard state.users == 0 else { return (false, endings) }
                swap(&rejected, &state.inbox)
                state.isRunning = false
                state.wake = -1
                close(wake)
                return (true, endings)
            }
            for command in rejected { Driver.reject(command) }
            for ending in endings { ending.succeed() }
            if isOver { return }
        }
    }

    private func runLoop(_ driver: Driver, wake: Int32) {
        var backOff = BackOff()
        var connection: AMQPConnection?
        var nextAttempt = ContinuousClock.now
        while case .work(let commands) = takeTurn() {
            do {
                for command in commands { driver.take(command) }
                if let open = connection {
                    while let event = try open.nextEvent() { try driver.handle(event, on: open) }
                } else if ContinuousClock.now >= nextAttempt {
                    let opened = try AMQPConnection(configuration, name: name)
                    connection = opened
                    try driver.connected(opened, generation: publish(opened))
                    backOff.reset()
                    logger.info("Connected to the broker", ["link": name])
                }
                try driver.advance(on: connection)
                if connection != nil { markReady() }
            } catch {
                let wasConnected = isConnected
                drop(&connection, because: error)
                driver.disconnected(error)
                let delay = backOff.next()
                nextAttempt = .now + delay
                if wasConnected || backOff.count == 1 {
                    logger.warning("Lost the broker", ["link": name, "reason": "\(error)", "retryInMs": Int(delay.milliseconds)])
                }
                continue
            }
            wait(
                connection, wake: wake,
                until: [connection == nil ? nextAttempt : nil, driver.nextTimer].compactMap(\.self).min(),
                writable: driver.waitsForWritable)
        }
        // Graceful end: the driver has nothing more to do, the broker is told.
        withdrawSocket()
        connection?.close()
    }

    private func publish(_ connection: AMQPConnection) -> Int {
        state.withLock { state in
            state.generation += 1
            state.socket = connection.socket
            return state.generation
        }
    }

    /// Only now: channels are open and the topology is declared.
    private func markReady() {
        state.withLock { state in
            guard !state.isConnected else { return }
            state.isConnected = true
            state.lastError = nil
        }
    }

    private func drop(_ connection: inout AMQPConnection?, because error: any Error) {
        withdrawSocket()
        state.withLock { $0.lastError = "\(error)" }
        connection?.abandon()
        connection = nil
    }

    private func withdrawSocket() {
        state.withLock { state in
            state.isConnected = false
            state.socket = -1
        }
    }

    private func wait(_ connection: AMQPConnection?, wake: Int32, until timer: ContinuousClock.Instant?, writable: Bool) {
        if connection?.hasBufferedInput == true { return }
        // Heartbeats are sent by the library, but only while one of its functions runs.
        var timeout = connection == nil ? Duration.seconds(3_600) : configuration.heartbeat / 4
        if let timer { timeout = min(timeout, ContinuousClock.now.duration(to: timer)) }
        var descriptors = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: connection?.socket ?? -1, events: Int16(writable ? POLLIN | POLLOUT : POLLIN), revents: 0),
        ]
        poll(&descriptors, 2, Int32(clamping: max(0, timeout.milliseconds + 1)))
        if descriptors[0].revents != 0 {
            var count: UInt64 = 0
            read(wake, &count, 8)
        }
    }
}

/// Delays between attempts to connect: 50 ms doubling to 3 s, each shortened by up to half at random.
struct BackOff {
    private(set) var count = 0

    mutating func next() -> Duration {
        let full = min(3_000, 50 << min(count, 6))
        count += 1
        return .milliseconds(Int.random(in: full / 2...full))
    }

    mutating func reset() { count = 0 }
}
