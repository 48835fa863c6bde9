import ConcurrencySupport

/// Whom a connection tells about its life. Called on an event loop's thread, or on a caller's, never under a lock.
protocol ConnectionOwner: AnyObject, Sendable {
    func connectionIsReady(_ connection: Connection)
    /// The connection is gone, before it was ready or after.
    func connectionIsGone(_ connection: Connection, error: PostgresError)
}

/// One connection to the server. Its socket hangs on the event loop of whoever uses it: the answer is read on the thread that sent the
/// statement, and the task goes on there.
///
/// The lock confines the libpq handle to one thread at a time, since users on other threads, pools and deadlines come to it too; what
/// concerns others (resuming a task, telling the pool) is decided under the lock and done after it.
final class Connection: ReadinessHandler {
    typealias Completion = @Sendable (ExchangeOutcome) -> Void

    let id: Int
    private let owner: WeakOwner
    private let ticker: Ticker
    private let core: Lock<ConnectionCore>

    /// Begins to connect. Blocks for the look-up of the name.
    init(id: Int, target: ConnectionTarget, loop: EventLoop, ticker: Ticker, owner: any ConnectionOwner) throws {
        self.id = id
        self.ticker = ticker
        self.owner = WeakOwner(owner)
        core = Lock(ConnectionCore(handle: try target.begin(), loop: loop))
    }

    private var loop: EventLoop { core.withLock { $0.loop } }

    /// Hands the connection to its event loop.
    func start(connectBy: ContinuousClock.Instant) {
        loop.execute { [self] in core.withLock { $0.start(self, connectBy: connectBy) } }
        ticker.tick(by: connectBy)
    }

    /// Sends commands with one write and calls `completion` once: on the event loop's thread, or before this returns if nothing could
    /// be sent. The caller has leased the connection; there is one exchange at a time. Called on one of the process's loops, the
    /// connection moves to that loop.
    func submit(_ request: ExchangeRequest, completion: @escaping Completion) {
        ticker.tick(by: request.deadline)
        let here = EventLoop.shared
        perform(
            core.withLock { core in
                if let here { core.move(to: here, self) }
                return core.begin(request, completion)
            })
    }

    /// Asks the server to stop the exchange with this identity, if it is still running.
    func cancel(_ exchange: UInt64, reason: CancelReason) {
        perform(core.withLock { $0.cancel(exchange, reason: reason) })
    }

    /// Stops what runs too long, gives up what does not stop.
    ///
    /// - Returns: when to check again.
    func checkDeadlines(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let (action, next) = core.withLock { core in
            let action = core.checkDeadlines(now: now)
            return (action, core.nextDeadline)
        }
        perform(action)
        return next
    }

    /// Rolls back what is open. A cancel request that is still under way is waited for, since it could hit whatever runs next.
    func reset(completion: @escaping @Sendable (_ isClean: Bool) -> Void) {
        let rollBack: @Sendable () -> Void = { [self] in
            let request = ExchangeRequest(id: 0, commands: [.control("ROLLBACK")], deadline: .now + .seconds(5), canCommit: false)
            submit(request) { outcome in completion(outcome.error == nil && outcome.isConnectionClean) }
        }
        if core.withLock({ $0.whenNoCancelIsUnderWay(rollBack) }) { rollBack() }
    }

    /// Forgets statements whose plan the server refuses, so that they are prepared anew.
    func forget(_ commands: [Command]) {
        core.withLock { $0.forget(commands) }
    }

    /// Ends the connection; a running exchange fails.
    func close() {
        onLoop { [self] in perform(core.withLock { $0.end(.connectionLost("closed by this side")) }) }
    }

    func isReady(_ readiness: Readiness, on loop: EventLoop) {
        perform(core.withLock { $0.socketIsReady(self, on: loop) })
    }

    private func perform(_ action: ConnectionCore.Action) {
        switch action {
        case .nothing: break
        case .rewatch: onLoop { [self] in core.withLock { $0.watch(self) } }
        case .complete(let completion, let outcome): completion(outcome)
        case .ready: owner.value?.connectionIsReady(self)
        case .gone(let error, let completion, let outcome):
            onLoop { [self] in core.withLock { $0.close(self) } }
            // The pool hears of it first, so that whoever tries again does not get this connection.
            owner.value?.connectionIsGone(self, error: error)
            if let completion, let outcome { completion(outcome) }
        case .cancel(let canceller): send(canceller)
        }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        let loop = loop
        if loop.isCurrent { body() } else { loop.execute(body) }
    }

    private func send(_ canceller: Canceller) {
        ticker.tick(by: .now + ConnectionCore.cancelGrace)
        Task.detached { [self] in
            // If the request fails, the statement ends by itself or is given up after the grace.
            _ = try? await BlockingPool.databaseCancels.run { canceller.cancel() }
            core.withLock { $0.cancelHasReturned() }?()
        }
    }
}

private struct WeakOwner: Sendable {
    weak let value: (any ConnectionOwner)?

    init(_ value: any ConnectionOwner) { self.value = value }
}

extension BlockingPool {
    /// Name look-ups. Apart from the cancel requests, which must not wait for a slow name server.
    static let databaseNames = BlockingPool(name: "database-names", threads: 4, queueLimit: 1_024)
    static let databaseCancels = BlockingPool(name: "database-cancel", threads: 4, queueLimit: 1_024)
}

extension EventLoop {
    /// The loop whose thread this is, if it is one of those that live as long as the process.
    static var shared: EventLoop? {
        guard let current, EventLoopGroup.shared.loops.contains(where: { $0 === current }) else { return nil }
        return current
    }
}
