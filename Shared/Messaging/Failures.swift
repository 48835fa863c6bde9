/// Thrown by a consumer's handler: this message can never be handled. It goes to the parking queue at once.
public struct PermanentFailure: Error, Equatable, CustomStringConvertible {
    public let reason: String

    public init(reason: String) { self.reason = reason }

    public var description: String { reason }
}

/// Thrown by a consumer's handler: try again later. Any other error means the same; this one says why in words.
public struct RetryableFailure: Error, Equatable, CustomStringConvertible {
    public let reason: String

    public init(reason: String) { self.reason = reason }

    public var description: String { reason }
}

/// Why a message was not published, or not known to be.
public enum PublishFailure: Error, Equatable, CustomStringConvertible {
    /// The broker could not be reached in time; the message did not leave.
    case brokerUnavailable(String)
    /// The message left and no answer came in time: it may have arrived.
    case unconfirmed(String)
    /// No queue is bound for it (`basic.return` of a mandatory message).
    case unroutable(String)
    /// The broker answered that it did not take the message.
    case refused
    /// Too many messages wait for the broker already.
    case overloaded
    /// The publisher was shut down.
    case stopped

    public var description: String {
        switch self {
        case .brokerUnavailable(let reason): "broker unavailable: \(reason)"
        case .unconfirmed(let reason): "not confirmed: \(reason)"
        case .unroutable(let reason): "unroutable: \(reason)"
        case .refused: "refused by the broker"
        case .overloaded: "too many messages wait for the broker"
        case .stopped: "the publisher is stopped"
        }
    }
}
