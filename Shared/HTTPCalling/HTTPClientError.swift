/// Why there is no (whole) answer.
public struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// Name not found, refused, unreachable.
        case connect
        case timeout(Stage)
        /// The connection died after it stood: closed or reset before the answer was complete.
        case reset
        /// The body is longer than ``ClientRequest/maxResponseBytes``, or the head than 256 kB.
        case responseTooLarge
        /// The waiting task was cancelled.
        case cancelled
        /// Not tried: the upstream's ``CircuitBreaker`` is open.
        case circuitOpen
        /// The certificate or the handshake.
        case tls
        /// The request cannot be sent as it is (URL, header), or the answer is not HTTP.
        case malformed
        /// The client was shut down.
        case closed
    }

    public enum Stage: String, Sendable {
        case connect, firstByte, idle, total
    }

    public var kind: Kind
    /// `false` only if not one byte of the request can have reached the other side; then a repeat is always safe.
    public var requestMayHaveStarted: Bool
    /// For logs; English; holds no header and no body.
    public var message: String

    public init(_ kind: Kind, requestMayHaveStarted: Bool, message: String) {
        self.kind = kind
        self.requestMayHaveStarted = requestMayHaveStarted
        self.message = message
    }

    public var description: String {
        "\(kind)\(requestMayHaveStarted ? " (request may have started)" : ""): \(message)"
    }

    /// Whether it tells something about the other side's health, and not about the caller.
    var isUpstreamFault: Bool {
        switch kind {
        case .connect, .timeout, .reset, .tls: true
        case .responseTooLarge, .cancelled, .circuitOpen, .malformed, .closed: false
        }
    }
}

extension HTTPClientError.Kind {
    /// For metrics: few and fixed.
    var label: String {
        switch self {
        case .connect: "connect"
        case .timeout(let stage): "timeout_\(stage.rawValue)"
        case .reset: "reset"
        case .responseTooLarge: "response_too_large"
        case .cancelled: "cancelled"
        case .circuitOpen: "circuit_open"
        case .tls: "tls"
        case .malformed: "malformed"
        case .closed: "closed"
        }
    }
}
