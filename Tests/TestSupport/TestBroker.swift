public import ConfigReading
import FoundationEssentials
public import Messaging
public import Observability

#if canImport(Glibc)
import Glibc
#endif

/// A corner of the real broker for one test: every exchange and queue carries a prefix of its own and is deleted afterwards.
public enum TestBroker {
    public struct Missing: Error, CustomStringConvertible {
        public let description = "TEST_AMQP_URL is not set: run the tests with `make test`, which starts RabbitMQ"
    }

    /// The URL of the broker that `make test` started.
    public static func url() throws -> Secret {
        guard let value = getenv("TEST_AMQP_URL") else { throw Missing() }
        return Secret(String(cString: value))
    }

    /// A fresh configuration with a prefix of its own.
    ///
    /// - Parameter url: another way to the same broker, a proxy for instance.
    public static func configuration(url: Secret? = nil) throws -> BrokerConfiguration {
        let name = UUID().uuidString.lowercased().prefix(8)
        return BrokerConfiguration(url: try url ?? Self.url(), prefix: "test-\(getpid())-\(name).")
    }

    /// Declares the queues, runs `body`, and deletes them again, whatever happened.
    public static func withBroker(
        queues: [QueueDeclaration] = [], exchanges: [Exchange] = [.marketingEvents], logger: Logger = .silent,
        configure: (inout BrokerConfiguration) -> Void = { _ in }, _ body: (Broker) async throws -> Void
    ) async throws {
        var configuration = try configuration()
        let direct = configuration
        configure(&configuration)
        let topology = Topology(exchanges: exchanges, queues: queues)
        // Declaring and deleting do not go through what the test may cut.
        let setUp = Broker(direct, name: "test-set-up", logger: logger)
        try await setUp.declare(topology)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(Broker(configuration, name: "test", logger: logger)))
        } catch {
            outcome = .failure(error)
        }
        // Unstructured, so that a cancelled test cleans up too.
        try await Task.detached { try await setUp.delete(topology) }.value
        try outcome.get()
    }
}
