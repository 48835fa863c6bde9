import ConcurrencySupport
public import Lifecycle
public import Observability

/// An HTTP/1.1 server over libmicrohttpd.
///
/// A few epoll threads parse and send; handlers are tasks. ``run()`` serves until graceful shutdown, then drains: no new connections,
/// open requests finish, event streams end, and only then the library is stopped.
///
/// Event streams share the daemon with everything else: measured with 1,000 of them open, a stream costs 29 kB, of which a daemon of its
/// own with an 8 kB pool would save 3.5, and quick requests beside them lose nothing that could be told from noise.
public final class HTTPServer: Service {
    public struct Configuration: Sendable {
        /// A numeric address to listen on.
        public var host: String
        /// 0 = any free one; see ``HTTPServer/port``.
        public var port: Int
        /// Epoll threads.
        public var threads: Int
        /// Connections at a time; more wait in the kernel's queue. ``HTTPServer/start()`` raises the process's soft limit of open files
        /// to hold them, as far as the hard limit goes.
        public var connectionLimit: Int
        /// A connection that neither sends nor takes anything for so long is closed; requests in work do not count.
        public var idleTimeout: Duration
        /// Longer header sections are refused with 431.
        public var maxHeaderBytes: Int

        public init(
            host: String = "127.0.0.1", port: Int, threads: Int = 2, connectionLimit: Int = 4_096,
            idleTimeout: Duration = .seconds(60), maxHeaderBytes: Int = 8_192
        ) {
            self.host = host
            self.port = port
            self.threads = threads
            self.connectionLimit = connectionLimit
            self.idleTimeout = idleTimeout
            self.maxHeaderBytes = maxHeaderBytes
        }
    }

    private enum State {
        case idle
        case serving(Daemon, ServerCore, port: Int)
        case stopped(port: Int)
    }

    private let configuration: Configuration
    private let router: Router
    private let logger: Logger
    private let state = Lock(State.idle)

    /// - Parameter metrics: gets `http_server_connections` and `http_server_requests_in_flight`.
    public init(configuration: Configuration, router: Router, logger: Logger = .silent, metrics: MetricsRegistry? = nil) {
        self.configuration = configuration
        self.router = router
        self.logger = logger
        guard let metrics else { return }
        let connections = metrics.gauge("http_server_connections", help: "Open client connections")
        let requests = metrics.gauge("http_server_requests_in_flight", help: "Requests that wait for their handler or stream")
        metrics.onRender { [weak self] in
            guard case .serving(_, let core, _)? = self?.state.withLock({ $0 }) else { return }
            connections.set(Double(core.hangUps.connectionCount))
            requests.set(Double(core.exchangeCount))
        }
    }

    /// The port that is listened on; 0 before ``start()``.
    public var port: Int {
        switch state.withLock({ $0 }) {
        case .idle: 0
        case .serving(_, _, let port), .stopped(let port): port
        }
    }

    /// Begins to listen and serve; ``run()`` does it too where it has not happened.
    ///
    /// - Throws: ``ListenError``.
    public func start() async throws {
        try state.withLock { state in
            guard case .idle = state else { return }
            let core = try ServerCore(router: router, maxHeaderBytes: configuration.maxHeaderBytes)
            OpenFiles.allow(configuration.connectionLimit + 256)
            do {
                let socket = try ListeningSocket.open(host: configuration.host, port: configuration.port)
                let daemon = try Daemon(core: core, listeningSocket: socket.descriptor, configuration: configuration)
                state = .serving(daemon, core, port: socket.port)
            } catch {
                core.hangUps.stop()
                throw error
            }
        }
        logger.info("listening", ["host": configuration.host, "port": port])
    }

    /// Serves until graceful shutdown, then drains; cancellation ends the drain: what is still open is answered with 503.
    public func run() async throws {
        try await start()
        guard case .serving(let daemon, let core, let port) = state.withLock({ $0 }) else { return }
        var isDrained = false
        do {
            try await gracefulShutdown()
            daemon.quiesce()
            core.beginDraining()
            try await core.waitUntilIdle()
            isDrained = true
        } catch {
            daemon.quiesce()
        }
        if !isDrained {
            logger.warning("requests are cut off", ["open": core.exchangeCount])
            await core.abortAll(patience: .seconds(2))
        }
        await daemon.stop()
        core.hangUps.stop()
        state.withLock { $0 = .stopped(port: port) }
        logger.info("stopped listening", ["port": port])
    }
}
