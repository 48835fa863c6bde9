import ConcurrencySupport
public import ConfigReading
public import FoundationEssentials
public import Lifecycle
public import Observability

import struct Synchronization.Atomic

/// A pool of connections to one database under one role.
///
/// Connections are opened when they are needed and closed when they were idle for a while. A server that went away shows as errors with
/// ``PostgresError/isConnectionLoss``; when it is back, so are the connections. Deadlines come from ``CallContext`` and from the
/// configuration; a cancelled task stops its statement on the server.
///
///     let rows = try await database.query("SELECT id, title FROM contents WHERE id = \(id)", tenant: tenant)
public final class Database: Service {
    public struct Configuration: Sendable {
        /// A connection URI (PostgreSQL manual §34.1.1.2), password included.
        public var url: Secret
        public var poolSize: Int
        /// How long to wait for a free connection before ``PoolTimeout``.
        public var acquireTimeout: Duration
        /// The longest that one statement may run; the server enforces it too.
        public var statementTimeout: Duration
        public var connectTimeout: Duration
        /// When an unused connection is closed.
        public var idleTimeout: Duration
        /// What `pg_stat_activity` shows.
        public var applicationName: String

        public init(
            url: Secret, poolSize: Int = 8, acquireTimeout: Duration = .seconds(5), statementTimeout: Duration = .seconds(30),
            connectTimeout: Duration = .seconds(5), idleTimeout: Duration = .seconds(60), applicationName: String = ""
        ) {
            self.url = url
            self.poolSize = poolSize
            self.acquireTimeout = acquireTimeout
            self.statementTimeout = statementTimeout
            self.connectTimeout = connectTimeout
            self.idleTimeout = idleTimeout
            self.applicationName = applicationName
        }

        /// What is wrong with a database's URL, if anything.
        public static func complaint(about url: Secret) -> String? { ConnectionTarget.complaint(about: url) }
    }

    /// Connections now in use and idle, and callers that wait for one.
    public struct Statistics: Sendable, Equatable {
        public let inUse: Int
        public let idle: Int
        public let waiting: Int

        public init(inUse: Int, idle: Int, waiting: Int) {
            self.inUse = inUse
            self.idle = idle
            self.waiting = waiting
        }
    }

    public let configuration: Configuration
    let pool: Pool

    /// - Parameter metrics: shows the pool as `database_connections{application,state}`, `database_connection_limit{application}` and
    ///   `database_waiting_callers{application}`.
    public init(configuration: Configuration, logger: Logger = .silent, metrics: MetricsRegistry? = nil) {
        self.configuration = configuration
        let pool = Pool(
            target: ConnectionTarget(
                url: configuration.url, applicationName: configuration.applicationName,
                statementTimeout: configuration.statementTimeout),
            configuration: .init(capacity: max(1, configuration.poolSize), idleTimeout: configuration.idleTimeout),
            connectTimeout: configuration.connectTimeout, logger: logger)
        self.pool = pool
        if let metrics { Self.show(pool, as: configuration.applicationName, in: metrics) }
    }

    deinit { _ = pool.close() }

    private static func show(_ pool: Pool, as application: String, in metrics: MetricsRegistry) {
        let connections = metrics.gauge(
            "database_connections", help: "Connections of the pool by state.", labels: ["application", "state"])
        metrics.gauge("database_connection_limit", help: "How many connections the pool may have.", labels: ["application"])
            .set(Double(pool.capacity), [application])
        let waiting = metrics.gauge(
            "database_waiting_callers", help: "Callers that wait for a connection.", labels: ["application"])
        metrics.onRender { [weak pool] in
            guard let statistics = pool?.statistics else { return }
            connections.set(Double(statistics.inUse), [application, "in_use"])
            connections.set(Double(statistics.idle), [application, "idle"])
            waiting.set(Double(statistics.waiting), [application])
        }
    }

    public var statistics: Statistics { pool.statistics }

    // MARK: Queries

    /// Runs one statement and commits it. With a tenant, row-level security sees that tenant; it costs no further round trip.
    ///
    /// - Throws: ``PostgresError``, ``PoolTimeout``, `DeadlineExceeded` or `CancellationError`.
    @discardableResult
    public func query(_ sql: SQL, tenant: UUID? = nil) async throws -> RowSet {
        var commands: [Command] = []
        if let tenant { commands.append(.query("SELECT set_config('app.tenant', \(tenant.text), true)")) }
        commands.append(.query(sql))
        var outcome = try await exchange(commands)
        if outcome.isStalePlan { outcome = try await exchange(commands) }
        return RowSet(try outcome.get().last ?? nil)
    }

    /// Runs statements in one transaction and one round trip; after one that fails nothing of them holds.
    ///
    /// - Returns: the rows of each.
    public func pipeline(_ statements: [SQL], tenant: UUID? = nil) async throws -> [RowSet] {
        guard !statements.isEmpty else { return [] }
        var commands: [Command] = []
        if let tenant { commands.append(.query("SELECT set_config('app.tenant', \(tenant.text), true)")) }
        commands += statements.map { .query($0) }
        var outcome = try await exchange(commands)
        if outcome.isStalePlan { outcome = try await exchange(commands) }
        return try outcome.get().suffix(statements.count).map { RowSet($0) }
    }

    /// Makes sure that the server answers.
    public func ping() async throws {
        try await query("SELECT 1")
    }

    /// One exchange on whichever connection is free. Between two synchronisation points the server runs all statements in one
    /// transaction of its own, so that nothing is left open whatever happens.
    private func exchange(_ commands: [Command]) async throws -> ExchangeOutcome {
        let limits = try Limits(configuration)
        let (pool, ticket) = (pool, Ticket())
        let request = ExchangeRequest(id: pool.makeID(), commands: commands, deadline: limits.run, canCommit: true)
        pool.acquire(request.id, deadline: limits.wait) { lease in
            switch lease {
            case .failure(let error): ticket.promise.fail(error)
            case .success(let connection):
                connection.submit(request) { outcome in
                    if outcome.isStalePlan { connection.forget(commands) }
                    pool.release(connection, after: outcome)
                    ticket.promise.succeed(outcome)
                }
                // A cancellation between leaving the queue and here found nothing to cancel.
                if ticket.isCancelled.load(ordering: .acquiring) { connection.cancel(request.id, reason: .taskCancelled) }
            }
        }
        do {
            return try await ticket.promise.value {
                ticket.isCancelled.store(true, ordering: .releasing)
                pool.cancel(request.id)
            }
        } catch let timeout as PoolTimeout {
            throw limits.isContextFirst ? DeadlineExceeded() : timeout
        }
    }

    private final class Ticket: Sendable {
        let promise = OneShot<ExchangeOutcome>()
        let isCancelled = Atomic<Bool>(false)
    }

    // MARK: Service

    /// Waits for graceful shutdown, then closes the pool; work that is under way may finish. Connections open with their first use,
    /// whether this runs or not.
    public func run() async throws {
        try? await gracefulShutdown()
        await close()
    }

    /// Refuses new work, waits for what is under way (not longer than `limit`) and closes all connections.
    public func close(waitingAtMost limit: Duration = .seconds(5)) async {
        let closed = pool.close()
        let pool = pool
        let watchdog = Task.detached {
            try await Task.sleep(for: limit)
            pool.closeAll()
        }
        // Not cancellable: the watchdog bounds it, and a pool half closed helps nobody.
        await Task.detached { _ = try? await closed.value() }.value
        watchdog.cancel()
    }
}

/// How long one piece of work may wait and run.
struct Limits {
    let wait: ContinuousClock.Instant
    let run: ContinuousClock.Instant
    /// The caller's own deadline comes before the pool's.
    let isContextFirst: Bool

    init(_ configuration: Database.Configuration) throws {
        try Task.checkCancellation()
        let now = ContinuousClock.now
        let (acquire, statement) = (now + configuration.acquireTimeout, now + configuration.statementTimeout + .seconds(1))
        guard let deadline = CallContext.current?.deadline else {
            (wait, run, isContextFirst) = (acquire, statement + configuration.acquireTimeout, false)
            return
        }
        guard deadline > now else { throw DeadlineExceeded() }
        (wait, run) = (min(acquire, deadline), min(statement + configuration.acquireTimeout, deadline))
        isContextFirst = deadline <= acquire
    }
}
