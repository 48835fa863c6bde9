import CPostgres
import Glibc

/// Owns a `PGconn` and speaks libpq's calls, none of which blocks once the connection is made. Knows nothing of threads, tasks or
/// time: whoever holds it lets one thread at a time use it.
struct PQHandle: ~Copyable {
    /// `nil` once closed; libpq takes that for a bad connection.
    private var connection: OpaquePointer?
    private var parameters = ParameterBuffer()

    enum PollStep {
        case needsRead, needsWrite, connected
        case failed(PostgresError)
    }

    /// Begins to connect. The socket is not connected yet: see ``pollConnect()``.
    init(settings: [String: String]) throws {
        var keywords: [UnsafeMutablePointer<CChar>?] = []
        var values: [UnsafeMutablePointer<CChar>?] = []
        for (keyword, value) in settings {
            keywords.append(strdup(keyword))
            values.append(strdup(value))
        }
        defer { for copy in keywords + values { free(copy) } }
        let pointers = (keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
        guard let started = PQconnectStartParams(pointers.0, pointers.1, 0) else {
            throw PostgresError(sqlState: "53200", message: "out of memory for a connection")
        }
        connection = started
        PQsetNoticeReceiver(started, ignoreNotice, nil)
        guard PQstatus(connection) != CONNECTION_BAD else { throw lossError() }
    }

    deinit { PQfinish(connection) }

    mutating func close() {
        PQfinish(connection)
        connection = nil
    }

    var socket: Int32 { PQsocket(connection) }
    var isBad: Bool { PQstatus(connection) == CONNECTION_BAD }
    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }

    /// Why the connection is gone, in libpq's words.
    func lossError(isOutcomeUnknown: Bool = false) -> PostgresError {
        let message = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        let lastLine = message.split(separator: "\n").last.map { String($0) }
        return .connectionLost(lastLine ?? "the connection was lost", isOutcomeUnknown: isOutcomeUnknown)
    }

    /// One step of connecting; the socket may be another one afterwards.
    func pollConnect() -> PollStep {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: return .needsRead
        case PGRES_POLLING_WRITING: return .needsWrite
        case PGRES_POLLING_OK:
            guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else { return .failed(lossError()) }
            return .connected
        default: return .failed(connectError())
        }
    }

    /// While connecting libpq gives no SQLSTATE; the texts are the server's own and English only by luck, so only what callers treat
    /// apart is looked for.
    private func connectError() -> PostgresError {
        let message = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        let state =
            message.contains("too many clients") || message.contains("remaining connection slots")
            ? "53300" : message.contains("is starting up") || message.contains("is shutting down") ? "57P03" : "08001"
        return PostgresError(sqlState: state, message: message.split(separator: "\n").joined(separator: "; "))
    }

    // MARK: Sending; `false` means that the connection cannot be used any more

    func sendPrepare(name: String, text: String, types: [PostgresType]) -> Bool {
        let types = types.map { Oid($0.oid) }
        return PQsendPrepare(connection, name, text, Int32(types.count), types) == 1
    }

    mutating func sendPrepared(name: String, binds: [Bind]) -> Bool {
        let connection = connection
        return parameters.withPointers(to: binds) { values, lengths, formats in
            PQsendQueryPrepared(connection, name, Int32(binds.count), values, lengths, formats, 0) == 1
        }
    }

    func sendPlain(_ text: String) -> Bool {
        PQsendQueryParams(connection, text, 0, nil, nil, nil, nil, 0) == 1
    }

    func sendSync() -> Bool { PQpipelineSync(connection) == 1 }

    /// Several statements in one text, by the simple protocol, which needs the pipeline to be left for it.
    func sendScript(_ text: String) -> Bool {
        PQexitPipelineMode(connection) == 1 && PQsendQuery(connection, text) == 1
    }

    func resumePipeline() -> Bool { PQenterPipelineMode(connection) == 1 }

    /// - Returns: whether something is left to be written; `nil` if the connection is gone.
    func flush() -> Bool? {
        switch PQflush(connection) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    // MARK: Receiving

    func consumeInput() -> Bool { PQconsumeInput(connection) == 1 }

    var isBusy: Bool { PQisBusy(connection) == 1 }

    func nextResult() -> ResultBox? { PQgetResult(connection).map { ResultBox(owning: $0) } }

    /// Reads over what came unasked (notices, parameter reports, notifications).
    func discardUnasked() {
        while let notification = PQnotifies(connection) { PQfreemem(notification) }
    }

    func makeCanceller() -> Canceller? { PQgetCancel(connection).map { Canceller(owning: $0) } }
}

/// Notices are for people at a terminal; libpq's default writes them to stderr.
private func ignoreNotice(_ argument: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {}

/// Owns a `PGcancel`. Unchecked: libpq documents it as immutable and `PQcancel` as safe to call from any thread.
final class Canceller: @unchecked Sendable {
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    /// Asks the server to stop what the connection is doing. Opens a connection of its own and blocks.
    func cancel() -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            PQcancel(handle, buffer.baseAddress, Int32(buffer.count)) == 1
        }
    }
}

/// The arrays that libpq wants for a statement's values, kept for the next statement.
private struct ParameterBuffer {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    mutating func withPointers<Value>(
        to binds: [Bind],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Value
    ) -> Value {
        guard !binds.isEmpty else { return body(nil, nil, nil) }
        fill(binds)
        defer { if bytes.capacity > 65_536 { bytes = [] } }
        return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: binds.count) { pointers in
            bytes.withUnsafeBytes { packed in
                let start = packed.baseAddress?.assumingMemoryBound(to: CChar.self)
                for index in binds.indices {
                    pointers.initializeElement(at: index, to: offsets[index] < 0 ? nil : start.map { $0 + offsets[index] })
                }
                return lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(UnsafePointer(pointers.baseAddress), lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }

    private mutating func fill(_ binds: [Bind]) {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        for bind in binds {
            let start = bytes.count
            bytes.append(bind.value)
            if case .null = bind.value { offsets.append(-1) } else { offsets.append(start) }
            lengths.append(Int32(bytes.count - start))
            formats.append(bind.value.isBinary ? 1 : 0)
            bytes.append(0)
        }
    }
}
