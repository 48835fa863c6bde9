import ConcurrencySupport
import Lifecycle
public import Observability

/// A process's access to the broker: one connection for publishing and one for consuming, each with its own thread, shared by every
/// ``Publisher`` and ``Consumer`` made from it. A connection is up while somebody uses it.
public final class Broker: Sendable {
    public let configuration: BrokerConfiguration
    let logger: Logger
    let metrics: MessagingMetrics
    let publishing: Link<PublishingDriver>
    let consuming: Link<ConsumingDriver>
    private let lastSubscription = Lock<UInt16>(0)

    /// - Parameter name: shown by the broker's tools beside each connection.
    public init(_ configuration: BrokerConfiguration, name: String, logger: Logger, metrics: MetricsRegistry? = nil) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = MessagingMetrics(metrics ?? MetricsRegistry())
        let repair = QueueRepair(configuration: configuration, logger: logger)
        publishing = Link(configuration: configuration, name: "\(name)-publish", logger: logger) {
            PublishingDriver(configuration: configuration, repair: repair, logger: logger)
        }
        consuming = Link(configuration: configuration, name: "\(name)-consume", logger: logger) {
            ConsumingDriver(configuration: configuration, repair: repair, logger: logger)
        }
    }

    /// Whether every connection that is in use is up. For readiness, where the broker is a soft dependency.
    public var isConnected: Bool {
        (!publishing.isUsed || publishing.isConnected) && (!consuming.isUsed || consuming.isConnected)
    }

    /// Why the last attempt to connect failed, while not connected.
    public var lastError: String? { publishing.lastError ?? consuming.lastError }

    /// Declares exchanges, queues, rungs and parking queues once. Publishers and consumers do it for what they use.
    public func declare(_ topology: Topology) async throws {
        let prefix = configuration.prefix
        try await withConnection { connection in
            try connection.openChannel(1)
            try connection.declare(topology.shared, prefix: prefix, channel: 1)
        }
    }

    /// Deletes queues with their messages, and with a prefix (that is, a test's own) the exchanges, unless they are kept.
    public func delete(_ topology: Topology, keepingExchanges: Bool = false) async throws {
        let prefix = configuration.prefix
        try await withConnection { connection in
            // A queue without a leader takes some 5 s to go.
            try connection.setAnswerTimeout(.seconds(15))
            try connection.openChannel(1)
            for queue in topology.shared.queues.flatMap({ $0.plainQueues(prefix: prefix) }) {
                try connection.deleteQueue(queue.name, channel: 1)
            }
            guard !prefix.isEmpty, !keepingExchanges else { return }
            let exchanges = Set(topology.exchanges).union(topology.queues.map(\.exchange))
            for exchange in exchanges { try connection.deleteExchange(prefix + exchange.name, channel: 1) }
        }
    }

    func makeSubscriptionId() -> UInt16 {
        lastSubscription.withLock { last in
            // Channel 0 is the connection itself; ids come round after 65,535 consumers.
            last = last == .max ? 1 : last + 1
            return last
        }
    }

    /// Runs `body` with a connection of its own on a thread of its own. For commands and set-up, not for traffic.
    func withConnection<Value: Sendable>(_ body: @escaping @Sendable (AMQPConnection) throws -> Value) async throws -> Value {
        let result = OneShot<Value>()
        let configuration = configuration
        OwnThread.start(name: "amqp-command") {
            result.complete(
                with: Result {
                    let connection = try AMQPConnection(configuration, name: "command")
                    defer { connection.close() }
                    return try body(connection)
                })
        }
        do {
            return try await result.value()
        } catch let error as AMQPError {
            throw BrokerFailure(reason: error.description)
        }
    }
}

/// The broker refused a command or could not be reached.
public struct BrokerFailure: Error, Equatable, CustomStringConvertible {
    public let reason: String

    public var description: String { reason }
}
