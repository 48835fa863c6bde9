import ConcurrencySupport
import Observability

import struct Synchronization.Atomic

/// Carries out what the pool's state machine decides.
final class Pool: ConnectionOwner {
    typealias LeaseHandler = @Sendable (Result<Connection, any Error>) -> Void

    private struct State {
        var machine: PoolStateMachine
        var connections: [Int: Connection] = [:]
        var handlers: [UInt64: LeaseHandler] = [:]
        var lastError: PostgresError?
        /// Completed when the pool is closed and the last connection is gone.
        var whenEmpty: OneShot<Void>?
    }

    /// How many connections there may be.
    let capacity: Int
    private let state: Lock<State>
    private let target: ConnectionTarget
    private let connectTimeout: Duration
    private let logger: Logger
    private let ids = Atomic<UInt64>(1)
    private let ticker = Ticker(loop: EventLoopGroup.shared.next())

    init(target: ConnectionTarget, configuration: PoolStateMachine.Configuration, connectTimeout: Duration, logger: Logger) {
        self.target = target
        capacity = configuration.capacity
        self.connectTimeout = connectTimeout
        self.logger = logger
        state = Lock(State(machine: PoolStateMachine(configuration: configuration)))
        ticker.start { [weak self] now in self?.tick(now: now) }
    }

    deinit {
        ticker.stop()
        closeAll()
    }

    /// A number that names a waiter, and the exchange that follows.
    func makeID() -> UInt64 { ids.wrappingAdd(1, ordering: .relaxed).newValue }

    var statistics: Database.Statistics {
        state.withLock {
            Database.Statistics(inUse: $0.machine.leasedCount, idle: $0.machine.idleCount, waiting: $0.machine.waitingCount)
        }
    }

    // MARK: Leasing

    /// Calls `handler` once, with a connection or with the reason why there is none: at once if one is free, else on another thread. A
    /// connection of the caller's own loop is preferred.
    func acquire(_ id: UInt64, deadline: ContinuousClock.Instant, handler: @escaping LeaseHandler) {
        let (now, home) = (ContinuousClock.now, Self.here)
        let (leased, opening, tickBy) = state.withLock {
            state -> (Result<Connection, any Error>?, Int?, ContinuousClock.Instant) in
            switch state.machine.acquire(.init(id: id, since: now, deadline: deadline, home: home)) {
            case .lease(let connection):
                return (state.connections[connection].map { .success($0) } ?? .failure(DatabaseClosed()), nil, now)
            case .wait(let opening, let tickBy):
                state.handlers[id] = handler
                return (nil, opening, tickBy)
            case .refuse:
                return (.failure(DatabaseClosed()), nil, now)
            }
        }
        if let leased { return handler(leased) }
        ticker.tick(by: tickBy)
        if let opening { open(opening) }
    }

    /// The number of the loop whose thread this is; `nil` elsewhere.
    private static var here: Int? {
        guard let current = EventLoop.current else { return nil }
        return EventLoopGroup.shared.loops.firstIndex { $0 === current }
    }

    /// Ends the wait for a connection, or the exchange that runs under this name.
    func cancel(_ id: UInt64) {
        let (handler, connections) = state.withLock { state -> (LeaseHandler?, [Connection]) in
            guard state.machine.cancel(id) else { return (nil, Array(state.connections.values)) }
            return (state.handlers.removeValue(forKey: id), [])
        }
        handler?(.failure(CancellationError()))
        for connection in connections { connection.cancel(id, reason: .taskCancelled) }
    }

    /// Takes a connection back after its last exchange.
    func release(_ connection: Connection, after outcome: ExchangeOutcome?) {
        guard outcome?.isConnectionClean ?? true else { return reset(connection) {} }
        giveBack(connection)
    }

    /// Takes a connection back after a roll-back, and calls `completion` when that is done.
    func reset(_ connection: Connection, completion: @escaping @Sendable () -> Void) {
        connection.reset { [self] isClean in
            if isClean { giveBack(connection) } else { connection.close() }
            completion()
        }
    }

    private func giveBack(_ connection: Connection) {
        let now = ContinuousClock.now
        let (next, handler) = state.withLock { state -> (PoolStateMachine.Return, LeaseHandler?) in
            let next = state.machine.release(connection.id, now: now)
            guard case .lease(let waiter) = next else { return (next, nil) }
            return (next, state.handlers.removeValue(forKey: waiter))
        }
        follow(next, connection, handler)
    }

    private func follow(_ next: PoolStateMachine.Return, _ connection: Connection, _ handler: LeaseHandler?) {
        switch next {
        case .lease: if let handler { handler(.success(connection)) } else { giveBack(connection) }
        case .keep: break
        case .close: connection.close()
        }
    }

    // MARK: Life of connections

    private func open(_ id: Int) {
        let loops = EventLoopGroup.shared.loops
        let loop = loops[state.withLock { $0.machine.home(of: id) } % loops.count]
        Task.detached { [self] in
            do {
                let connection = try await BlockingPool.databaseNames.run { [self] in
                    try Connection(id: id, target: target, loop: loop, ticker: ticker, owner: self)
                }
                let isWanted = state.withLock { state -> Bool in
                    guard !state.machine.isClosed else { return false }
                    state.connections[id] = connection
                    return true
                }
                if isWanted { connection.start(connectBy: .now + connectTimeout) } else { connection.close() }
            } catch {
                let reason = error as? PostgresError ?? .connectionLost("cannot connect: \(error)")
                forget(id, error: reason, isNew: true)
            }
        }
    }

    func connectionIsReady(_ connection: Connection) {
        let now = ContinuousClock.now
        let (next, handler) = state.withLock { state -> (PoolStateMachine.Return, LeaseHandler?) in
            state.lastError = nil
            let next = state.machine.opened(connection.id, now: now)
            guard case .lease(let waiter) = next else { return (next, nil) }
            return (next, state.handlers.removeValue(forKey: waiter))
        }
        follow(next, connection, handler)
    }

    func connectionIsGone(_ connection: Connection, error: PostgresError) {
        forget(connection.id, error: error, isNew: false)
    }

    private func forget(_ id: Int, error: PostgresError, isNew: Bool) {
        let jitter = Double.random(in: 0...1)
        let now = ContinuousClock.now
        let (orders, handlers, isRepeated, whenEmpty, next) = state.withLock { state in
            state.connections[id] = nil
            let orders = state.machine.lost(id, now: now, jitter: jitter)
            let isRepeated = state.lastError?.message == error.message
            state.lastError = error
            let handlers = orders.failed.compactMap { state.handlers.removeValue(forKey: $0) }
            let isEmpty = state.machine.isClosed && state.connections.isEmpty
            let whenEmpty = isEmpty ? state.whenEmpty : nil
            return (orders, handlers, isRepeated || state.machine.isClosed, whenEmpty, state.machine.nextTick(now: now))
        }
        if !isRepeated { logger.warning("database connection lost", ["reason": error.description]) }
        for handler in handlers { handler(.failure(error)) }
        for opening in orders.open { open(opening) }
        if let next { ticker.tick(by: next) }
        if let whenEmpty { finishClosing(whenEmpty) }
    }

    private func finishClosing(_ whenEmpty: OneShot<Void>) {
        ticker.stop()
        whenEmpty.succeed()
    }

    // MARK: Time

    private func tick(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let (orders, handlers, connections, closing, next) = state.withLock { state in
            let orders = state.machine.tick(now: now)
            let handlers = orders.expired.map { ($0, state.handlers.removeValue(forKey: $0.id)) }
            let closing = orders.close.compactMap { state.connections[$0] }
            return (orders, handlers, Array(state.connections.values), closing, state.machine.nextTick(now: now))
        }
        for (waiter, handler) in handlers { handler?(.failure(PoolTimeout(waited: waiter.since.duration(to: now)))) }
        for connection in closing { connection.close() }
        for opening in orders.open { open(opening) }
        return connections.compactMap { $0.checkDeadlines(now: now) }.reduce(next) { min($0 ?? $1, $1) }
    }

    // MARK: The end

    /// Refuses new work, closes idle connections at once and the others when they come back.
    func close() -> OneShot<Void> {
        let whenEmpty = OneShot<Void>()
        let (closing, handlers, isEmpty) = state.withLock { state in
            let orders = state.machine.close()
            state.whenEmpty = whenEmpty
            let handlers = orders.failed.compactMap { state.handlers.removeValue(forKey: $0) }
            return (orders.close.compactMap { state.connections[$0] }, handlers, state.connections.isEmpty)
        }
        for handler in handlers { handler(.failure(DatabaseClosed())) }
        for connection in closing { connection.close() }
        if isEmpty { finishClosing(whenEmpty) }
        return whenEmpty
    }

    /// Closes also what is in use.
    func closeAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.close() }
    }
}
