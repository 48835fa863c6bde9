import ConcurrencySupport
public import FoundationEssentials
import Observability

/// How much of other transactions one sees (PostgreSQL manual §13.2).
public enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// A transaction was used in a way that cannot work: after its end, or by two tasks at a time.
public struct TransactionMisuse: Error, Sendable, CustomStringConvertible {
    public let description: String
}

extension Database {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws and rethrows its error unchanged.
    ///
    /// The transaction begins, and the tenant is set, in the same round trip as the first statement; statements that were
    /// ``Transaction/enqueue(_:)``d ride with the commit. Nothing is tried again here: whoever calls knows whether a repeat is safe
    /// (``PostgresError/isSerializationFailure``). A task that was cancelled, or is past its deadline, does not commit.
    public func transaction<Value: Sendable>(
        tenant: UUID? = nil, isolation: IsolationLevel = .readCommitted,
        _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        let connection = try await lease()
        var opening: [Command] = [.control(isolation == .readCommitted ? "BEGIN" : "BEGIN ISOLATION LEVEL \(isolation.rawValue)")]
        if let tenant { opening.append(.control("SET LOCAL app.tenant = '\(tenant.text)'")) }
        let transaction = Transaction(Session(connection, pool, configuration), opening: opening)
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            pool.release(connection, after: nil)
            return value
        } catch {
            await transaction.abandon()
            throw error
        }
    }

    /// Lends one connection, outside of any transaction, for work that belongs to a session: advisory locks, scripts.
    @discardableResult
    package func withSession<Value: Sendable>(_ body: @Sendable (Session) async throws -> Value) async throws -> Value {
        let connection = try await lease()
        let session = Session(connection, pool, configuration)
        do {
            let value = try await body(session)
            await session.giveBack()
            return value
        } catch {
            await session.giveBack()
            throw error
        }
    }

    private func lease() async throws -> Connection {
        let limits = try Limits(configuration)
        let (pool, promise) = (pool, OneShot<Connection>())
        let id = pool.makeID()
        pool.acquire(id, deadline: limits.wait) { lease in
            // Whoever waited may have been cancelled in the meantime.
            if !promise.complete(with: lease), case .success(let connection) = lease { pool.release(connection, after: nil) }
        }
        do {
            return try await promise.value { pool.cancel(id) }
        } catch let timeout as PoolTimeout {
            throw limits.isContextFirst ? DeadlineExceeded() : timeout
        }
    }
}

/// A connection that one caller holds.
package struct Session: Sendable {
    let connection: Connection
    let pool: Pool
    let configuration: Database.Configuration

    init(_ connection: Connection, _ pool: Pool, _ configuration: Database.Configuration) {
        self.connection = connection
        self.pool = pool
        self.configuration = configuration
    }

    @discardableResult
    package func query(_ sql: SQL) async throws -> RowSet {
        RowSet(try await exchange([.query(sql)], canCommit: true).get().last ?? nil)
    }

    /// Runs several statements in one text, all or none unless they control transactions themselves. The result is the last one's.
    ///
    /// - Parameter timeout: instead of the configuration's; migrations take their time.
    @discardableResult
    package func script(_ text: String, timeout: Duration? = nil) async throws -> RowSet {
        let outcome = try await exchange([.script(text)], canCommit: true, deadline: timeout.map { .now + $0 })
        return RowSet(try outcome.get().last ?? nil)
    }

    /// - Parameter isCancellable: whether cancelling the task stops the server; ends of transactions run to their own end.
    func exchange(
        _ commands: [Command], canCommit: Bool, isCancellable: Bool = true, deadline: ContinuousClock.Instant? = nil
    ) async throws -> ExchangeOutcome {
        let promise = OneShot<ExchangeOutcome>()
        let deadline = try deadline ?? Limits(configuration).run
        let request = ExchangeRequest(id: pool.makeID(), commands: commands, deadline: deadline, canCommit: canCommit)
        let connection = connection
        connection.submit(request) { promise.succeed($0) }
        let outcome = try await promise.value {
            if isCancellable { connection.cancel(request.id, reason: .taskCancelled) }
        }
        if outcome.isStalePlan { connection.forget(commands) }
        return outcome
    }

    /// Rolls back what is open and returns the connection.
    func giveBack() async {
        let (promise, connection) = (OneShot<Void>(), connection)
        pool.reset(connection) { promise.succeed() }
        _ = try? await promise.value {}
    }
}

/// Statements that become true together, or not at all. Valid inside the closure that received it; one task at a time.
public final class Transaction: Sendable {
    private struct State {
        /// What is still to be sent before the next statement: the beginning, then what was enqueued.
        var opening: [Command]
        var queued: [Command] = []
        var isBusy = false
        var isOver = false
        /// Something was sent.
        var hasBegun = false
    }

    private let session: Session
    private let openingCommands: [Command]
    private let state: Lock<State>

    init(_ session: Session, opening: [Command]) {
        self.session = session
        openingCommands = opening
        state = Lock(State(opening: opening))
    }

    /// Runs one statement and waits for its rows.
    @discardableResult
    public func query(_ sql: SQL) async throws -> RowSet {
        try await pipeline([sql]).last ?? RowSet(nil)
    }

    /// Runs one statement and waits until it is done.
    ///
    /// - Returns: the number of affected rows.
    @discardableResult
    public func execute(_ sql: SQL) async throws -> Int {
        try await query(sql).affectedRows
    }

    /// Runs statements in one round trip; after one that fails the rest are skipped.
    @discardableResult
    public func pipeline(_ statements: [SQL]) async throws -> [RowSet] {
        guard !statements.isEmpty else { return [] }
        let results = try await send(statements.map { .query($0) }, canCommit: false).get()
        return results.suffix(statements.count).map { RowSet($0) }
    }

    /// Leaves a statement whose answer is not needed to the next round trip: the next statement's or the commit's. If it fails, that one
    /// fails with its error.
    public func enqueue(_ sql: SQL) throws {
        try state.withLock { state in
            guard !state.isOver else { throw TransactionMisuse(description: "the transaction is over") }
            state.queued.append(.query(sql))
        }
    }

    private func send(_ commands: [Command], canCommit: Bool) async throws -> ExchangeOutcome {
        let (leading, isFirst) = try state.withLock { state in
            guard !state.isOver else { throw TransactionMisuse(description: "the transaction is over") }
            guard !state.isBusy else { throw TransactionMisuse(description: "two tasks use one transaction at a time") }
            state.isBusy = true
            state.hasBegun = true
            defer { (state.opening, state.queued) = ([], []) }
            return (state.opening + state.queued, !state.opening.isEmpty)
        }
        defer { state.withLock { $0.isBusy = false } }
        let all = leading + commands
        // Once a commit is on its way we want to know what came of it.
        let deadline = canCommit ? max(.now + .seconds(5), CallContext.current?.deadline ?? .now) : nil
        let outcome = try await session.exchange(all, canCommit: canCommit, isCancellable: !canCommit, deadline: deadline)
        guard outcome.isStalePlan, isFirst else { return outcome }
        // Nothing of the transaction has run yet, so it can begin again with statements that are prepared anew.
        let again: [Command] = [.control("ROLLBACK")] + all
        var repeated = try await session.exchange(again, canCommit: canCommit, isCancellable: !canCommit, deadline: deadline)
        repeated.results.removeFirst()
        return repeated
    }

    func commit() async throws {
        let hasWork = state.withLock { !$0.queued.isEmpty || $0.hasBegun }
        guard hasWork else { return state.withLock { $0.isOver = true } }
        try Task.checkCancellation()
        if let deadline = CallContext.current?.deadline, deadline <= .now { throw DeadlineExceeded() }
        let outcome = try await send([.control("COMMIT")], canCommit: true)
        state.withLock { $0.isOver = true }
        let tag = try outcome.get().last.flatMap { $0 }?.commandTag
        // The server answers the COMMIT of a failed transaction with ROLLBACK, which is no error to it.
        guard tag == "COMMIT" else {
            throw PostgresError(sqlState: "25P02", message: "a statement had failed, so the transaction was rolled back")
        }
    }

    /// Rolls back and gives the connection back.
    func abandon() async {
        let hasBegun = state.withLock { state in
            state.isOver = true
            return state.hasBegun
        }
        if hasBegun { await session.giveBack() } else { session.pool.release(session.connection, after: nil) }
    }
}
