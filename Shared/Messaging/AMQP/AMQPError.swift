import CRabbitMQ

/// What went wrong on a connection or a channel, as plain values copied on the owning thread.
struct AMQPError: Error, CustomStringConvertible {
    enum Scope { case connection, channel }

    /// A channel's error leaves the connection usable; the channel itself is closed.
    let scope: Scope
    /// The broker's reply code (404, 541, …), or the library's negative status.
    let code: Int
    let text: String

    var description: String { "\(text) (\(code))" }

    var isTimeout: Bool { code == Int(AMQP_STATUS_TIMEOUT.rawValue) }
    /// How RabbitMQ 3.10 speaks of a queue without a leader.
    var isInternalError: Bool { code == 541 }

    static func library(_ status: Int32) -> AMQPError {
        AMQPError(scope: .connection, code: Int(status), text: String(cString: amqp_error_string2(status)))
    }

    static func connection(_ text: String) -> AMQPError { AMQPError(scope: .connection, code: 0, text: text) }
}

extension amqp_bytes_t {
    var string: String { String(decoding: array, as: UTF8.self) }

    var array: [UInt8] {
        guard len > 0, let bytes else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: len))
    }
}

/// A library status that Swift sees as an enumeration's raw value.
func checkStatus(_ status: Int32) throws {
    guard status == AMQP_STATUS_OK.rawValue else { throw AMQPError.library(status) }
}
