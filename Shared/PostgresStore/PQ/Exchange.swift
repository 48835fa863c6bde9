import ConcurrencySupport

/// One thing to send within an exchange.
enum Command: Sendable {
    /// Goes through the statement cache.
    case query(SQL)
    /// Sent as it stands, without parameters and without a place in the cache.
    case control(String)
    /// Several statements in one text, by the simple protocol. Must be the only command.
    case script(String)

    var text: String {
        switch self {
        case .query(let sql): sql.text
        case .control(let text), .script(let text): text
        }
    }
}

/// Commands that are sent with one write and answered up to one synchronisation point. Outside a transaction that point commits them.
struct ExchangeRequest: Sendable {
    /// Who may cancel it; 0 for nobody.
    let id: UInt64
    let commands: [Command]
    /// When the server is asked to stop.
    let deadline: ContinuousClock.Instant
    /// Whether a connection that breaks now leaves the outcome unknown; otherwise the server surely rolls back.
    let canCommit: Bool
}

/// What an exchange came to.
struct ExchangeOutcome: Sendable {
    /// One per command, in order; `nil` from the failed command on.
    var results: [ResultBox?]
    var error: PostgresError?
    /// Whether the server still has a transaction open, or a failed one.
    var isInTransaction = false
    /// Why the server was asked to stop, if it was.
    var cancelReason: CancelReason?
    /// The connection is as good as new.
    var isConnectionClean: Bool { error?.isConnectionLoss != true && !isInTransaction && cancelReason == nil }

    /// A statement did not run because its plan, or its name, is out of date. It may be sent again where no transaction was lost.
    var isStalePlan: Bool {
        guard let error else { return false }
        return error.sqlState == "26000" || (error.sqlState == "0A000" && error.message.contains("cached plan"))
    }

    /// The results, or the reason why there are none.
    func get() throws -> [ResultBox?] {
        guard let error else { return results }
        if error.isQueryCancelled, let cancelReason { throw cancelReason.error }
        throw error
    }
}

enum CancelReason: Sendable {
    case taskCancelled
    case deadline

    var error: any Error {
        switch self {
        case .taskCancelled: CancellationError()
        case .deadline: DeadlineExceeded()
        }
    }
}

/// An exchange whose answers are being read.
struct RunningExchange {
    enum Step {
        /// Belongs to the command with this index.
        case command(Int)
        case prepare(StatementCache.Key, name: String)
        case deallocate
    }

    let request: ExchangeRequest
    let completion: Connection.Completion
    var outcome: ExchangeOutcome
    var steps: [Step] = []
    /// The step whose answer comes next.
    var position = 0
    /// Turns that end before that of the commands.
    var turnsBefore = 0
    var cancelRequestedAt: ContinuousClock.Instant?
    /// How often the end of a step was read in a row; more than a few are a sign of confusion.
    var emptyReads = 0

    init(request: ExchangeRequest, completion: @escaping Connection.Completion) {
        self.request = request
        self.completion = completion
        outcome = ExchangeOutcome(results: Array(repeating: nil, count: request.commands.count))
    }

    var isScript: Bool {
        if case .script = request.commands.first { true } else { false }
    }

    /// The text of the statement that is being answered.
    var currentText: String? {
        guard position < steps.count else { return nil }
        switch steps[position] {
        case .command(let index): return request.commands[index].text
        case .prepare(let key, _): return key.text
        case .deallocate: return nil
        }
    }
}

extension SQL {
    var cacheKey: StatementCache.Key { StatementCache.Key(text: text, types: binds.map(\.type)) }

    /// What makes a statement impossible to send, found before anything is sent.
    var sendingProblem: PostgresError? {
        if binds.count > 65_535 {
            return PostgresError(sqlState: "54023", message: "\(binds.count) parameters; use arrays and unnest", statement: text)
        }
        for case .text(let value) in binds.lazy.map(\.value) where value.utf8.contains(0) {
            // As a C string it would be cut silently; the server refuses it in every other form.
            return PostgresError(sqlState: "22021", message: "U+0000 in a text parameter", statement: text)
        }
        return nil
    }
}
