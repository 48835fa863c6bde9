import CPostgres

/// Owns a `PGresult`. Unchecked: libpq documents a result as read-only after its creation and free to be read from any thread; this
/// type only reads, and frees it when the last reader is gone.
final class ResultBox: @unchecked Sendable {
    private let result: OpaquePointer

    init(owning result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    enum Kind { case success, failure, aborted, synchronised, unsupported }

    var kind: Kind {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .success
        case PGRES_PIPELINE_SYNC: .synchronised
        case PGRES_PIPELINE_ABORTED: .aborted
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE: .failure
        default: .unsupported
        }
    }

    var rowCount: Int { Int(PQntuples(result)) }

    /// `INSERT 0 1`, `UPDATE 3`, `COMMIT`, …
    var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    /// What the command tag counts; 0 where it counts nothing.
    var affectedRows: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    func columnNames() -> [String] {
        (0..<PQnfields(result)).map { column in PQfname(result, column).map { String(cString: $0) } ?? "" }
    }

    /// Calls `body` with the field's text, or with `nil` for NULL.
    func withCell<Value>(row: Int, column: Int, _ body: (PostgresCell) throws -> Value) rethrows -> Value {
        let (row, column) = (Int32(row), Int32(column))
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
            return try body(PostgresCell(bytes: nil))
        }
        let count = Int(PQgetlength(result, row, column))
        return try start.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            try body(PostgresCell(bytes: UnsafeBufferPointer(start: bytes, count: count)))
        }
    }

    /// libpq reports a lost connection as a failed statement too; what the server says always has an SQLSTATE.
    var isFromServer: Bool { field("C") != nil }

    /// The server's refusal, copied.
    func error(statement: String?) -> PostgresError {
        PostgresError(
            sqlState: field("C") ?? "08006",
            message: field("M") ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? "unknown error",
            detail: field("D"), constraint: field("n"), table: field("t"),
            column: field("c"), statement: statement)
    }

    /// - Parameter code: the letter that `postgres_ext.h` gives to a `PG_DIAG_…` field; macros of characters do not come over to Swift.
    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
}
