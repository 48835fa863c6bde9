public import Lifecycle
public import Observability
import Synchronization

/// An HTTP/1.1 server over libmicrohttpd.
///
/// A few epoll threads parse and send; handlers are tasks. ``run()`` serves until graceful shutdown, then drains: no new connections,
/// open requests finish, event streams end, and only then the library is stopped.
public final class HTTPServer: Service {
    public struct Configuration: Sendable {
        /// A numeric address to listen on.
        public var host: String
        /// 0 = any free one; see ``HTTPServer/port``.
        public var port: Int
        /// Epoll threads.
        public var threads: Int
        /// Connections at a time; more wait in the kernel's queue.
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

    private let configuration: Configuration
    private let router: Router
    private let logger: Logger

    public init(configuration: Configuration, router: Router, logger: Logger = .silent, metrics: MetricsRegistry? = nil) {
        self.configuration = configuration
        self.router = router
        self.logger = logger
    }

    /// The port that is listened on; 0 before ``start()``.
    public var port: Int { 0 }

    /// Begins to listen and serve; ``run()`` does it too where it has not happened.
    public func start() async throws {}

    public func run() async throws {
        try await start()
        try await gracefulShutdown()
    }
}
