import ConcurrencySupport
public import Lifecycle
import Observability

/// Publishes with confirms. While the broker is away, messages wait until their deadline.
public final class Publisher: Service {
    let broker: Broker
    private let topology: Topology

    /// - Parameter topology: declared before anything is published. List the queues of consumers that may start later, so that nothing
    ///   emitted before their first start is lost.
    public init(broker: Broker, topology: Topology = Topology()) {
        self.broker = broker
        self.topology = topology
    }

    /// Keeps the connection up. Returns at graceful shutdown, after which messages are refused with ``PublishFailure/stopped``: stop
    /// those who publish first.
    public func run() async throws {
        broker.publishing.acquire()
        broker.publishing.post(.declare(topology))
        try? await gracefulShutdown()
        await broker.publishing.release()
    }

    /// Whether messages leave at once.
    public var isConnected: Bool { broker.publishing.isConnected }

    /// Counts connections. A change means that the broker, or the way to it, was away.
    var generation: Int { broker.publishing.generation }

    /// Returns after the broker's confirm: the message is on disk in every queue that is bound for it.
    ///
    /// Waits until `CallContext.current`'s deadline, or 5 s. An error other than ``PublishFailure/unconfirmed(_:)`` means that it was not
    /// published. May publish twice when the connection is lost at the wrong moment; consumers recognise events by their id.
    public func publish(_ message: OutgoingMessage) async throws {
        let results = await publish([message])
        for result in results { try result.get() }
    }

    /// Publishes in order without waiting in between, and returns what became of each.
    public func publish(_ messages: [OutgoingMessage]) async -> [Result<Void, any Error>] {
        let deadline = CallContext.current?.deadline ?? .now + .seconds(5)
        let entries = messages.map { PublishEntry(message: $0, deadline: deadline, result: OneShot<Void>()) }
        broker.publishing.post(.publish(entries))
        var results: [Result<Void, any Error>] = []
        results.reserveCapacity(entries.count)
        for entry in entries {
            do {
                try await entry.result.value()
                results.append(.success(()))
                broker.metrics.published.increment(["confirmed"])
            } catch {
                results.append(.failure(error))
                broker.metrics.published.increment([(error as? PublishFailure)?.label ?? "cancelled"])
            }
        }
        return results
    }
}

extension PublishFailure {
    var label: String {
        switch self {
        case .brokerUnavailable: "unavailable"
        case .unconfirmed: "unconfirmed"
        case .unroutable: "unroutable"
        case .refused: "refused"
        case .overloaded: "overloaded"
        case .stopped: "stopped"
        }
    }
}
