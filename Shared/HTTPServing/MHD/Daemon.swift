import CMicrohttpd
import ConcurrencySupport
import Glibc
import Synchronization

/// The library on one event loop: it has no thread, its epoll is watched by the loop's, and it runs when the loop calls it. All its
/// callbacks come on the loop's thread.
///
/// The callbacks get this object unretained: it must outlive the library's handle, so whoever stops it holds it.
final class Daemon: ReadinessHandler {
    private struct State {
        var raw: OpaquePointer?
        var epoll: Int32 = -1
        /// The library runs before the loop polls next.
        var isScheduled = false
        var timer: LoopTimer?
        var wakesAt = ContinuousClock.Instant.now
        var connections: [ObjectIdentifier: Connection] = [:]
        var patrol: LoopTimer?
    }

    let loop: EventLoop
    let core: ServerCore
    private let state: LoopBound<State>
    private let connections = Atomic<Int>(0)

    init(core: ServerCore, loop: EventLoop) {
        self.core = core
        self.loop = loop
        state = LoopBound(State(), on: loop)
    }

    /// Those that are on their way here are counted too.
    var connectionCount: Int { connections.load(ordering: .sequentiallyConsistent) }

    /// - Throws: ``ListenError`` where the library does not start.
    func start(_ configuration: HTTPServer.Configuration) async throws {
        let started = OneShot<Void>()
        loop.execute { [self] in started.complete(with: Result { try startOnLoop(configuration) }) }
        try await started.value(onCancel: {})
    }

    private func startOnLoop(_ configuration: HTTPServer.Configuration) throws {
        var options = cmhd_configuration(
            // The acceptor keeps to the limit, over all daemons.
            connection_limit: UInt32(configuration.connectionLimit) + 1,
            // Head of the request and head of the answer share it.
            connection_memory: max(16 * 1024, configuration.maxHeaderBytes * 2, configuration.bufferBytes),
            idle_seconds: UInt32(max(1, configuration.idleTimeout.components.seconds)),
            context: Unmanaged.passUnretained(self).toOpaque(), request_line: beginRequest, access: handleAccess,
            completed: completeRequest, connection_changed: connectionChanged)
        func failure() -> ListenError { ListenError(host: configuration.host, port: configuration.port, code: errno) }
        guard let raw = cmhd_start(&options) else { throw failure() }
        let epoll = cmhd_epoll_descriptor(raw)
        do { try loop.watch(epoll, for: .readable, handler: self) } catch {
            MHD_stop_daemon(raw)
            throw ListenError(host: configuration.host, port: configuration.port, code: error.code)
        }
        state.value.raw = raw
        state.value.epoll = epoll
        patrol(every: max(.milliseconds(50), min(configuration.idleTimeout, configuration.receiveTimeout) / 12))
    }

    /// Ends connections whose request takes too long to come, or comes no more. The library notices, and tells.
    private func patrol(every pause: Duration) {
        state.value.patrol = loop.schedule(at: .now + pause) { [self] in
            let now = ContinuousClock.now
            for connection in state.value.connections.values { connection.endIfInVain(now) }
            patrol(every: pause)
        }
    }

    /// Takes an accepted connection over. On any loop.
    func add(_ descriptor: Int32, _ address: sockaddr_storage, _ length: socklen_t) {
        connections.add(1, ordering: .sequentiallyConsistent)
        if loop.isCurrent {
            addOnLoop(descriptor, address, length)
        } else {
            loop.execute { self.addOnLoop(descriptor, address, length) }
        }
    }

    private func addOnLoop(_ descriptor: Int32, _ address: sockaddr_storage, _ length: socklen_t) {
        guard let raw = state.value.raw else {
            close(descriptor)
            return connectionIsClosed()
        }
        var address = address
        guard cmhd_add(raw, descriptor, &address, length) == .YES else { return connectionIsClosed() }
        scheduleRun()
    }

    private func connectionIsClosed() {
        connections.subtract(1, ordering: .sequentiallyConsistent)
        core.connectionClosed()
    }

    // MARK: Running the library

    func isReady(_ readiness: Readiness, on loop: EventLoop) { run() }

    /// The library has something to do that no descriptor tells. On the loop; also from within the library's callbacks.
    private func scheduleRun() {
        guard !state.value.isScheduled else { return }
        state.value.isScheduled = true
        loop.beforePolling { [self] in
            state.value.isScheduled = false
            run()
        }
    }

    /// Never from within the library's callbacks.
    private func run() {
        guard let raw = state.value.raw else { return }
        // Twice, because a resumed connection has its answer sent in the first round and is taken back into the epoll in the second.
        for _ in 0..<2 {
            MHD_run(raw)
            let milliseconds = cmhd_timeout(raw)
            if milliseconds != 0 { return wake(after: milliseconds) }
        }
        scheduleRun()
    }

    /// For idle connections. A timer that is early does no harm, so that it is set anew about once per idle time and not per request.
    private func wake(after milliseconds: Int64) {
        guard milliseconds > 0 else { return }
        let instant = ContinuousClock.now + .milliseconds(milliseconds)
        if let timer = state.value.timer {
            guard instant < state.value.wakesAt else { return }
            loop.cancel(timer)
        }
        state.value.wakesAt = instant
        state.value.timer = loop.schedule(at: instant) { [self] in
            state.value.timer = nil
            run()
        }
    }

    /// From any thread; the connection must be suspended, and resumed only here.
    func resume(_ connection: ConnectionHandle) {
        guard loop.isCurrent else { return loop.execute { self.resume(connection) } }
        MHD_resume_connection(connection.raw)
        scheduleRun()
    }

    // MARK: Connections, on the loop

    fileprivate func connectionStarted(_ connection: Connection) {
        state.value.connections[ObjectIdentifier(connection)] = connection
        try? loop.watch(connection.descriptor, for: .hangUp, edgeTriggered: true, handler: connection)
    }

    fileprivate func connectionEnded(_ connection: Connection) {
        loop.unwatch(connection.descriptor)
        state.value.connections[ObjectIdentifier(connection)] = nil
        connectionIsClosed()
    }

    /// Calls `body` with every exchange that waits for its handler or stream.
    func forEachExchange(_ body: @escaping @Sendable (Exchange) -> Void) {
        loop.execute { [self] in
            for connection in state.value.connections.values {
                if let exchange = connection.exchange { body(exchange) }
            }
        }
    }

    /// Closes all connections and ends the library. None may be suspended: it aborts the process then.
    func stop() async {
        let done = OneShot<Void>()
        loop.execute { [self] in
            if let raw = state.value.raw {
                loop.unwatch(state.value.epoll)
                for timer in [state.value.timer, state.value.patrol].compactMap(\.self) { loop.cancel(timer) }
                state.value.raw = nil
                state.value.timer = nil
                state.value.patrol = nil
                MHD_stop_daemon(raw)
            }
            done.succeed()
        }
        try? await done.value(onCancel: {})
    }
}

/// One TCP connection, for as long as the library knows it. Hears of a hang-up, at which the library does not look while the connection
/// is suspended: edge-triggered, so that it costs one system call per connection and none per request. A client that only shuts its
/// sending side counts as gone, as it does for nginx and Go.
final class Connection: ReadinessHandler {
    private struct State {
        var isPeerGone = false
        var exchange: Exchange?
        /// When the request that is coming must be whole; `nil` while one is worked on.
        var requestIsDue: ContinuousClock.Instant?
    }

    let descriptor: Int32
    let peerAddress: String
    private let idleTimeout: Duration
    private let receiveTimeout: Duration
    private let state: LoopBound<State>

    init(descriptor: Int32, peerAddress: String, _ core: ServerCore, on loop: EventLoop) {
        self.descriptor = descriptor
        self.peerAddress = peerAddress
        (idleTimeout, receiveTimeout) = (core.idleTimeout, core.receiveTimeout)
        state = LoopBound(State(), on: loop)
        awaitRequest()
    }

    // MARK: How long a request may be on its way

    /// Its first line may not come byte by byte for ever either.
    func awaitRequest() { state.value.requestIsDue = .now + idleTimeout + receiveTimeout }

    func requestBegins() { state.value.requestIsDue = .now + receiveTimeout }

    func requestIsWhole() { state.value.requestIsDue = nil }

    /// The library overlooks a client's leaving when its epoll tells of that together with the last bytes (0.9.75: it takes a read that
    /// fills no buffer for the last one, and the edge does not come again).
    func endIfInVain(_ now: ContinuousClock.Instant) {
        guard let due = state.value.requestIsDue, now > due || (state.value.isPeerGone && hasNothingToRead) else { return }
        state.value.requestIsDue = nil
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// All that the client has sent is read; where it has left there is the end still.
    private var hasNothingToRead: Bool {
        var next: UInt8 = 0
        return recv(descriptor, &next, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) <= 0
    }

    // MARK: Who must hear of its end

    var exchange: Exchange? { state.value.exchange }

    /// The exchange that must hear of a hang-up from now on; it hears at once of one that was before.
    func attach(_ exchange: Exchange) {
        state.value.exchange = exchange
        if state.value.isPeerGone { exchange.peerLeft() }
    }

    func detach() { state.value.exchange = nil }

    func isReady(_ readiness: Readiness, on loop: EventLoop) {
        state.value.isPeerGone = true
        state.value.exchange?.peerLeft()
    }
}

// The library's callbacks: top-level functions without isolation, called on the loop's thread.

private func daemon(_ context: UnsafeMutableRawPointer) -> Daemon {
    Unmanaged<Daemon>.fromOpaque(context).takeUnretainedValue()
}

/// Before anything is unescaped or cut at `%00`: the only place that sees the raw target.
private func beginRequest(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let context, let target, let connection else { return nil }
    let box = RequestBox(target: String(cString: target), connection: connection, daemon: daemon(context))
    box.peer?.requestBegins()
    return Unmanaged.passRetained(box).toOpaque()
}

private func handleAccess(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?,
    _ count: UnsafeMutablePointer<Int>?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let method, let count, let opaque = request?.pointee else { return .NO }
    let core = daemon(context).core
    let box = Unmanaged<RequestBox>.fromOpaque(opaque).takeUnretainedValue()
    switch box.exchange.phase {
    case .receiving:
        if !box.hasHead { return core.receiveHead(box, connection, method: method) }
        guard count.pointee > 0 else { return core.start(box, connection) }
        defer { count.pointee = 0 }
        return core.receiveBody(box, UnsafeRawBufferPointer(start: bytes, count: count.pointee))
    case .taking:
        if box.isHeadOpen { return core.continueHead(box, connection) }
        guard count.pointee > 0 else { return core.endBody(box, connection) }
        defer { count.pointee = 0 }
        return core.takeBody(box, UnsafeRawBufferPointer(start: bytes, count: count.pointee))
    case .ready where box.intake != nil && !box.isBodyOver:
        if box.isHeadOpen { return core.continueHead(box, connection) }
        guard count.pointee > 0 else { return core.endBody(box, connection) }
        defer { count.pointee = 0 }
        return core.discardBody(box, count.pointee)
    case .ready: return core.answer(box, connection)
    case .running, .answering: return .YES
    case .closing, .over: return .NO
    }
}

private func completeRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let context, let opaque = request?.pointee else { return }
    request?.pointee = nil
    daemon(context).core.complete(Unmanaged<RequestBox>.fromOpaque(opaque).takeRetainedValue())
}

private func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let socketContext else { return }
    let daemon = daemon(context)
    switch change {
    case .CONNECTION_NOTIFY_STARTED:
        let peer = Connection(
            descriptor: cmhd_descriptor(connection), peerAddress: cmhd_peer_address(connection).map(SocketAddress.host) ?? "",
            daemon.core, on: daemon.loop)
        daemon.connectionStarted(peer)
        socketContext.pointee = Unmanaged.passRetained(peer).toOpaque()
    case .CONNECTION_NOTIFY_CLOSED:
        guard let opaque = socketContext.pointee else { return }
        socketContext.pointee = nil
        daemon.connectionEnded(Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue())
    @unknown default: break
    }
}
