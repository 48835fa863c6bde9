public import ConcurrencySupport
public import Lifecycle
public import Observability

/// An HTTP/1.1 server over libmicrohttpd.
///
/// The library runs once on each event loop, without threads of its own, and handlers are tasks on the loop of their connection: a request
/// is parsed, served and answered by one thread. ``run()`` serves until graceful shutdown, then drains: no new connections, open requests
/// finish, event streams end, and only then the library is stopped.
///
/// Event streams share the daemons with everything else: measured with 1,000 of them open, a stream costs 29 kB, of which a daemon of its
/// own with an 8 kB pool would save 3.5, and quick requests beside them lose nothing that could be told from noise.
public final class HTTPServer: Service {
    public struct Configuration: Sendable {
        /// A numeric address to listen on.
        public var host: String
        /// 0 = any free one; see ``HTTPServer/port``.
        public var port: Int
        /// Connections at a time; more wait in the kernel's queue. ``HTTPServer/start()`` raises the process's soft limit of open files
        /// to hold them, as far as the hard limit goes.
        public var connectionLimit: Int
        /// A connection that neither sends nor takes anything for so long is closed; requests in work do not count.
        public var idleTimeout: Duration
        /// How long a request may be on its way, from its first line to the end of its body, where the server takes the body whole. Whoever
        /// sends a byte now and then is not idle, and would hold a connection for ever.
        public var receiveTimeout: Duration
        /// What the bodies of all requests may take together, as far as they are taken whole and larger than 16 KiB; more are refused with
        /// 503 until there is room.
        public var maxBufferedBytes: Int
        /// Longer header sections are refused with 431.
        public var maxHeaderBytes: Int
        /// What a connection reads at a time. More makes long bodies faster, and every connection larger.
        public var bufferBytes: Int

        public init(
            host: String = "127.0.0.1", port: Int, connectionLimit: Int = 4_096,
            idleTimeout: Duration = .seconds(60), receiveTimeout: Duration = .seconds(60), maxBufferedBytes: Int = 64 << 20,
            maxHeaderBytes: Int = 8_192, bufferBytes: Int = 16 * 1024
        ) {
            self.host = host
            self.port = port
            self.connectionLimit = connectionLimit
            self.idleTimeout = idleTimeout
            self.receiveTimeout = receiveTimeout
            self.maxBufferedBytes = maxBufferedBytes
            self.maxHeaderBytes = maxHeaderBytes
            self.bufferBytes = bufferBytes
        }
    }

    private enum State {
        case idle
        case starting
        case serving(Listener)
        case stopped(port: Int)
    }

    private let configuration: Configuration
    private let router: Router
    private let loops: EventLoopGroup
    private let logger: Logger
    private let state = Lock(State.idle)

    /// - Parameter metrics: gets `http_server_connections` and `http_server_requests_in_flight`.
    public init(
        configuration: Configuration, router: Router, loops: EventLoopGroup = .shared, logger: Logger = .silent,
        metrics: MetricsRegistry? = nil
    ) {
        self.configuration = configuration
        self.router = router
        self.loops = loops
        self.logger = logger
        guard let metrics else { return }
        let connections = metrics.gauge("http_server_connections", help: "Open client connections")
        let requests = metrics.gauge("http_server_requests_in_flight", help: "Requests that wait for their handler or stream")
        metrics.onRender { [weak self] in
            guard case .serving(let listener)? = self?.state.withLock({ $0 }) else { return }
            connections.set(Double(listener.acceptor.connectionCount))
            requests.set(Double(listener.core.gate.exchangeCount))
        }
    }

    /// The port that is listened on; 0 before ``start()``.
    public var port: Int {
        switch state.withLock({ $0 }) {
        case .idle, .starting: 0
        case .serving(let listener): listener.port
        case .stopped(let port): port
        }
    }

    /// Begins to listen and serve; ``run()`` does it too where it has not happened.
    ///
    /// - Throws: ``ListenError``.
    public func start() async throws {
        let mustStart = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard mustStart else { return }
        OpenFiles.allow(configuration.connectionLimit + 256)
        do {
            let listener = try await Listener.start(configuration, router: router, loops: loops)
            state.withLock { $0 = .serving(listener) }
        } catch {
            state.withLock { $0 = .idle }
            throw error
        }
        logger.info("listening", ["host": configuration.host, "port": port])
    }

    /// Serves until graceful shutdown, then drains; cancellation ends the drain: what is still open is answered with 503.
    public func run() async throws {
        try await start()
        guard case .serving(let listener) = state.withLock({ $0 }) else { return }
        var isDrained = false
        do {
            try await gracefulShutdown()
            await listener.acceptor.stop()
            listener.beginDraining()
            try await listener.core.gate.waitUntilIdle()
            isDrained = true
        } catch {
            await listener.acceptor.stop()
        }
        if !isDrained {
            logger.warning("requests are cut off", ["open": listener.core.gate.exchangeCount])
            await listener.abortAll(patience: .seconds(2))
        }
        for daemon in listener.daemons { await daemon.stop() }
        state.withLock { $0 = .stopped(port: listener.port) }
        logger.info("stopped listening", ["port": listener.port])
    }
}
