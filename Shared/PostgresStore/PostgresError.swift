/// What the server, or the way to it, refused.
public struct PostgresError: Error, Sendable {
    /// Five characters of SQLSTATE (PostgreSQL manual, appendix A). Class 08 is also used for what libpq reports without one.
    public let sqlState: String
    /// The server's words, for the log. They can quote data: never show them to a client.
    public let message: String
    public let detail: String?
    public let constraint: String?
    public let table: String?
    public let column: String?
    /// The text of the statement, with placeholders.
    public let statement: String?
    /// The connection broke after work was sent that may have been committed: done or not done, nobody knows.
    public let isOutcomeUnknown: Bool

    public init(
        sqlState: String, message: String, detail: String? = nil, constraint: String? = nil, table: String? = nil,
        column: String? = nil, statement: String? = nil, isOutcomeUnknown: Bool = false
    ) {
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.constraint = constraint
        self.table = table
        self.column = column
        self.statement = statement
        self.isOutcomeUnknown = isOutcomeUnknown
    }

    public var isUniqueViolation: Bool { sqlState == "23505" }
    public var isForeignKeyViolation: Bool { sqlState == "23503" }
    public var isCheckViolation: Bool { sqlState == "23514" }
    public var isNotNullViolation: Bool { sqlState == "23502" }
    /// A row that the role's policy does not let in, or an object that it may not touch.
    public var isInsufficientPrivilege: Bool { sqlState == "42501" }
    /// Serialization failure or deadlock: the whole transaction may be tried again, by whoever knows that this is safe.
    public var isSerializationFailure: Bool { sqlState == "40001" || sqlState == "40P01" }
    /// Stopped by `statement_timeout` or by a cancel request.
    public var isQueryCancelled: Bool { sqlState == "57014" }
    public var isLockTimeout: Bool { sqlState == "55P03" }

    /// No connection, or the connection is gone: nothing is wrong with the statement, later it may work.
    public var isConnectionLoss: Bool {
        sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05", "53300"].contains(sqlState)
    }

    static func connectionLost(_ message: String, isOutcomeUnknown: Bool = false) -> PostgresError {
        PostgresError(sqlState: "08006", message: message, isOutcomeUnknown: isOutcomeUnknown)
    }
}

extension PostgresError: CustomStringConvertible {
    /// State, names and message for the log; detail is left out, since it quotes values of rows.
    public var description: String {
        var text = "PostgreSQL \(sqlState): \(message)"
        if let table { text += " [table \(table)]" }
        if let constraint { text += " [constraint \(constraint)]" }
        if isOutcomeUnknown { text += " [outcome unknown]" }
        return text
    }
}

/// No connection became free in time.
public struct PoolTimeout: Error, Sendable, Equatable {
    public let waited: Duration

    public init(waited: Duration) { self.waited = waited }
}

/// The database object was closed, at the end of the process.
public struct DatabaseClosed: Error, Sendable, Equatable {
    public init() {}
}

/// A field that could not be read as the type that was asked for: a mistake of the program, never of its input.
public struct RowDecodingError: Error, Sendable, CustomStringConvertible {
    public let column: String
    public let type: String
    public let reason: String

    public var description: String { "column \(column) as \(type): \(reason)" }
}
