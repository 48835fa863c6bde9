import ConcurrencySupport

/// A connection's state and what its events do to it. Always used under the connection's lock; what is to be done after it is returned.
struct ConnectionCore: ~Copyable {
    enum Phase { case connecting, ready, gone }

    enum Action {
        case nothing
        /// On the loop's thread: watch for something else than until now.
        case rewatch
        case complete(Connection.Completion, ExchangeOutcome)
        case ready
        case gone(PostgresError, Connection.Completion?, ExchangeOutcome?)
        case cancel(Canceller)
    }

    /// How long a cancelled exchange may go on before the connection is given up.
    static let cancelGrace = Duration.seconds(2)

    private var handle: PQHandle
    private(set) var phase = Phase.connecting
    private(set) var loop: EventLoop
    private var descriptor: Int32 = -1
    private var isWaitingToWrite = false
    /// What the loop watches the descriptor for.
    private var watched: Readiness = []
    /// Loops that it was on before, and that have not heard of its leaving yet.
    private var leftLoops: [EventLoop] = []
    private var statements = StatementCache(capacity: 256)
    private var running: RunningExchange?
    private var connectBy: ContinuousClock.Instant?
    /// Cancel requests on their way to the server: while there are any, they could hit the next statement.
    private var cancelsUnderWay = 0
    private var afterCancels: (@Sendable () -> Void)?

    init(handle: consuming PQHandle, loop: EventLoop) {
        self.handle = handle
        self.loop = loop
    }

    // MARK: The loop

    /// Watches for what is wanted now. On the loop's thread.
    mutating func watch(_ handler: Connection) {
        // libpq closes its socket where it finds the connection dead; the number may be somebody else's by now.
        guard phase != .gone, loop.isCurrent, handle.socket == descriptor, descriptor >= 0, wanted != watched else { return }
        // Cannot fail on an open descriptor but for want of memory; then the deadline ends it.
        if watched.isEmpty {
            try? loop.watch(descriptor, for: wanted, handler: handler)
        } else {
            try? loop.rewatch(descriptor, for: wanted)
        }
        watched = wanted
    }

    private var wanted: Readiness { isWaitingToWrite ? [.readable, .hangUp, .writable] : [.readable, .hangUp] }

    private mutating func unwatch(_ handler: Connection) {
        if !watched.isEmpty { loop.unwatch(descriptor, of: handler) }
        watched = []
    }

    /// Puts a connection that is not in use on the loop whose thread this is. The one before hears of it when something comes: telling it
    /// would wake it.
    mutating func move(to here: EventLoop, _ handler: Connection) {
        guard here !== loop, phase == .ready else { return }
        leftLoops.append(loop)
        loop = here
        if let index = leftLoops.firstIndex(where: { $0 === here }) {
            // It is still watched here.
            leftLoops.remove(at: index)
            loop.unwatch(descriptor, of: handler)
        }
        watched = []
        watch(handler)
    }

    private mutating func leave(_ former: EventLoop, _ handler: Connection) {
        former.unwatch(descriptor, of: handler)
        leftLoops.removeAll { $0 === former }
    }

    /// Closes what has ended. On the loop's thread.
    mutating func close(_ handler: Connection) {
        unwatch(handler)
        handle.close()
        let descriptor = descriptor
        for former in leftLoops { former.execute { former.unwatch(descriptor, of: handler) } }
        leftLoops = []
    }

    // MARK: Connecting

    mutating func start(_ handler: Connection, connectBy: ContinuousClock.Instant) {
        guard phase == .connecting else { return }
        self.connectBy = connectBy
        // libpq wants the first step when the socket can be written.
        isWaitingToWrite = true
        descriptor = handle.socket
        watch(handler)
    }

    mutating func socketIsReady(_ handler: Connection, on here: EventLoop) -> Action {
        guard here === loop else {
            leave(here, handler)
            return .nothing
        }
        switch phase {
        case .connecting: return advanceConnect(handler)
        case .ready:
            let action = receive()
            watch(handler)
            return action
        case .gone: return .nothing
        }
    }

    private mutating func advanceConnect(_ handler: Connection) -> Action {
        // The step may close the socket and open another.
        unwatch(handler)
        let step = handle.pollConnect()
        switch step {
        case .needsRead: isWaitingToWrite = false
        case .needsWrite: isWaitingToWrite = true
        case .connected:
            isWaitingToWrite = false
            phase = .ready
        case .failed(let error): return end(error)
        }
        descriptor = handle.socket
        watch(handler)
        return phase == .ready ? .ready : .nothing
    }

    // MARK: Sending

    mutating func begin(_ request: ExchangeRequest, _ completion: @escaping Connection.Completion) -> Action {
        precondition(running == nil, "an exchange is running")
        var exchange = RunningExchange(request: request, completion: completion)
        guard phase == .ready else {
            exchange.outcome.error = .connectionLost("the connection was lost")
            return .complete(completion, exchange.outcome)
        }
        for case .query(let sql) in request.commands {
            if let problem = sql.sendingProblem {
                exchange.outcome.error = problem
                exchange.outcome.isInTransaction = handle.isInTransaction
                return .complete(completion, exchange.outcome)
            }
        }
        let isSent = send(request.commands, into: &exchange)
        running = exchange
        guard isSent, flush() else { return end(handle.lossError()) }
        return wanted == watched ? .nothing : .rewatch
    }

    private mutating func send(_ commands: [Command], into exchange: inout RunningExchange) -> Bool {
        var prepared: [StatementCache.Key: String] = [:]
        guard makeRoom(for: commands, in: &exchange) else { return false }
        for (index, command) in commands.enumerated() {
            switch command {
            case .script(let text):
                exchange.steps.append(.command(index))
                return handle.sendScript(text)
            case .control(let text):
                guard handle.sendPlain(text) else { return false }
            case .query(let sql):
                let key = sql.cacheKey
                let name: String
                if let known = statements.use(key) ?? prepared[key] {
                    name = known
                } else {
                    name = statements.makeName()
                    guard handle.sendPrepare(name: name, text: key.text, types: key.types) else { return false }
                    exchange.steps.append(.prepare(key, name: name))
                    prepared[key] = name
                }
                guard handle.sendPrepared(name: name, binds: sql.binds) else { return false }
            }
            exchange.steps.append(.command(index))
        }
        return handle.sendSync()
    }

    /// Lets go of statements in a turn of its own, before the commands: some (`CREATE DATABASE`, `VACUUM`) may not follow another one in
    /// the same turn, and a turn that ends between commands would end what holds them together.
    private mutating func makeRoom(for commands: [Command], in exchange: inout RunningExchange) -> Bool {
        guard statements.count + commands.count > statements.capacity else { return true }
        var fresh: Set<StatementCache.Key> = []
        for case .query(let sql) in commands where statements.use(sql.cacheKey) == nil { fresh.insert(sql.cacheKey) }
        let victims = statements.makeRoom(for: fresh.count)
        guard !victims.isEmpty else { return true }
        for victim in victims {
            guard handle.sendPlain("DEALLOCATE \(victim)") else { return false }
            exchange.steps.append(.deallocate)
        }
        exchange.turnsBefore = 1
        return handle.sendSync()
    }

    private mutating func flush() -> Bool {
        guard let isPending = handle.flush() else { return false }
        isWaitingToWrite = isPending
        return true
    }

    // MARK: Receiving

    private mutating func receive() -> Action {
        let isAlive = handle.consumeInput() && (!isWaitingToWrite || flush())
        if running != nil {
            while !handle.isBusy {
                let result = handle.nextResult()
                if let action = take(result) { return action }
            }
        } else if !handle.isBusy {
            handle.discardUnasked()
        }
        return isAlive && !handle.isBad ? .nothing : end(handle.lossError())
    }

    /// - Returns: what follows when the exchange is over; `nil` while it is not.
    private mutating func take(_ result: ResultBox?) -> Action? {
        guard var exchange = running.take() else { return .nothing }
        guard let result else {
            if exchange.isScript {
                guard handle.resumePipeline() else { return end(handle.lossError()) }
                return finish(exchange)
            }
            exchange.position += 1
            exchange.emptyReads += 1
            let isConfused = exchange.emptyReads > 3
            running = exchange
            return isConfused ? end(handle.lossError()) : nil
        }
        exchange.emptyReads = 0
        switch result.kind {
        case .synchronised:
            guard exchange.turnsBefore > 0 else { return finish(exchange) }
            exchange.turnsBefore -= 1
        case .aborted: break
        case .success: note(success: result, of: &exchange)
        case .failure:
            guard result.isFromServer else {
                running = exchange
                return end(handle.lossError())
            }
            if exchange.outcome.error == nil { exchange.outcome.error = result.error(statement: exchange.currentText) }
        case .unsupported:
            running = exchange
            return end(PostgresError(sqlState: "0A000", message: "COPY is not supported", statement: exchange.currentText))
        }
        running = exchange
        return nil
    }

    private mutating func note(success result: ResultBox, of exchange: inout RunningExchange) {
        guard exchange.position < exchange.steps.count else { return }
        switch exchange.steps[exchange.position] {
        case .command(let index): exchange.outcome.results[index] = result
        case .prepare(let key, let name): statements.insert(key, name: name)
        case .deallocate: break
        }
    }

    private mutating func finish(_ exchange: RunningExchange) -> Action {
        var outcome = exchange.outcome
        outcome.isInTransaction = handle.isInTransaction
        return .complete(exchange.completion, outcome)
    }

    // MARK: Stopping

    mutating func cancel(_ id: UInt64, reason: CancelReason) -> Action {
        guard running?.request.id == id else { return .nothing }
        return requestCancel(reason, now: .now)
    }

    private mutating func requestCancel(_ reason: CancelReason, now: ContinuousClock.Instant) -> Action {
        guard running?.cancelRequestedAt == nil, let canceller = handle.makeCanceller() else { return .nothing }
        running?.cancelRequestedAt = now
        running?.outcome.cancelReason = reason
        cancelsUnderWay += 1
        return .cancel(canceller)
    }

    /// - Returns: what waited for it.
    mutating func cancelHasReturned() -> (@Sendable () -> Void)? {
        cancelsUnderWay -= 1
        return cancelsUnderWay == 0 ? afterCancels.take() : nil
    }

    /// - Returns: whether no cancel request is under way, so that `body` need not be kept.
    mutating func whenNoCancelIsUnderWay(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard cancelsUnderWay > 0 else { return true }
        afterCancels = body
        return false
    }

    mutating func checkDeadlines(now: ContinuousClock.Instant) -> Action {
        if phase == .connecting {
            guard let connectBy else { return .nothing }
            return now < connectBy ? .nothing : end(PostgresError(sqlState: "08001", message: "connecting took too long"))
        }
        guard let request = running?.request else { return .nothing }
        if let requestedAt = running?.cancelRequestedAt {
            guard now >= requestedAt + Self.cancelGrace else { return .nothing }
            return end(.connectionLost("the server did not stop the statement"))
        }
        return now < request.deadline ? .nothing : requestCancel(.deadline, now: now)
    }

    var nextDeadline: ContinuousClock.Instant? {
        guard let running else { return phase == .connecting ? connectBy : nil }
        return running.cancelRequestedAt.map { $0 + Self.cancelGrace } ?? running.request.deadline
    }

    mutating func forget(_ commands: [Command]) {
        for case .query(let sql) in commands { statements.remove(sql.cacheKey) }
    }

    /// Ends the connection, which is to be closed next; a running exchange fails.
    mutating func end(_ error: PostgresError) -> Action {
        guard phase != .gone else { return .nothing }
        phase = .gone
        guard let exchange = running.take() else { return .gone(error, nil, nil) }
        var outcome = exchange.outcome
        outcome.isInTransaction = false
        if outcome.error == nil {
            outcome.error = PostgresError(
                sqlState: error.sqlState, message: error.message, statement: exchange.currentText,
                isOutcomeUnknown: exchange.request.canCommit)
        }
        return .gone(error, exchange.completion, outcome)
    }
}
