import ConcurrencySupport

/// Exchanges and queues as data. Declaring is idempotent; it is repeated on every reconnect.
public struct Topology: Sendable, Hashable {
    public var exchanges: [Exchange]
    public var queues: [QueueDeclaration]

    public init(exchanges: [Exchange] = [.marketingEvents], queues: [QueueDeclaration] = []) {
        self.exchanges = exchanges
        self.queues = queues
    }
}

/// A durable topic exchange.
public struct Exchange: Sendable, Hashable {
    public let name: String

    public init(_ name: String) { self.name = name }

    /// The one exchange of events; the routing key is the event's type (design §4).
    public static let marketingEvents = Exchange("marketing.events")
    /// The broker's own exchange that delivers to the queue named by the routing key.
    static let `default` = Exchange("")
}

/// A queue, what it hears, and what becomes of a message that cannot be handled now, or ever.
public struct QueueDeclaration: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// Durable and replicated: work and events. Has its retry rungs and its parking queue beside it.
        case quorum
        /// Lives as long as the connection that declared it: fan-out to one replica. A message that fails is logged and dropped.
        case exclusive
    }

    /// `<service>.<purpose>`, e.g. `orchestration.content-activity`.
    public let name: String
    public let kind: Kind
    public let exchange: Exchange
    /// Binding patterns of the topic exchange: event types, `*` for one word, `#` for any number.
    public let bindings: [String]
    public let retry: RetryLadder
    /// How often the broker hands out one message to consumers that die over it before it goes to the parking queue.
    public let deliveryLimit: Int

    public init(
        _ name: String, kind: Kind = .quorum, exchange: Exchange = .marketingEvents, bindings: [String],
        retry: RetryLadder = .standard, deliveryLimit: Int = 20
    ) {
        self.name = name
        self.kind = kind
        self.exchange = exchange
        self.bindings = bindings
        self.retry = retry
        self.deliveryLimit = deliveryLimit
    }

    /// Where messages end that cannot be handled, with their reason.
    public var parkingQueue: String { "\(name).parking" }

    /// The queue in which a message waits for `delay` before it returns. The delay is in the name, so that a changed ladder makes
    /// new queues instead of failing on the old ones' arguments.
    func rungQueue(_ delay: Duration) -> String { "\(name).retry.\(delay.milliseconds)ms" }
}

/// The growing delays between attempts. A fixed-TTL queue per rung: a TTL per message would block behind the head of the queue.
public struct RetryLadder: Sendable, Hashable {
    public let delays: [Duration]

    public init(_ delays: [Duration]) { self.delays = delays }

    /// 1 s, 5 s, 30 s, 2 min, 10 min.
    public static let standard = RetryLadder([.seconds(1), .seconds(5), .seconds(30), .seconds(120), .seconds(600)])

    /// The delay after the given attempt (1 = the first); `nil` when the ladder is used up.
    func delay(afterAttempt attempt: Int) -> Duration? {
        delays.indices.contains(attempt - 1) ? delays[attempt - 1] : nil
    }
}
