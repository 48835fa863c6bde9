public import HTTPServing
public import Lifecycle
import Messaging
import Observability
import PostgresStore

/// A built service, ready to run: its long-running parts in start order, the server last.
public struct AssembledService: Sendable {
    public let runtime: ServiceRuntime
    public let parts: ServiceParts
    public let server: HTTPServer

    /// Builds the application from its settings.
    public static func build<App: ServiceApplication>(
        _ application: App.Type, settings: App.Settings, runtime: ServiceRuntime
    ) async throws -> AssembledService {
        // `check` works as `app`; the owner's connection is never opened by a server.
        let migrator = Migrator(migrations: application.migrations, owner: runtime.database.configuration)
        let schema = SchemaGuard(migrator: migrator, database: runtime.database, logger: runtime.logger)
        runtime.addChecks(schema: schema)
        let parts = try await application.build(settings, runtime)
        if parts.emitsEvents || !parts.consumers.isEmpty { runtime.addBrokerCheck() }
        return AssembledService(runtime: runtime, parts: parts, schema: schema)
    }

    private let schema: SchemaGuard

    private init(runtime: ServiceRuntime, parts: ServiceParts, schema: SchemaGuard) {
        self.runtime = runtime
        self.parts = parts
        self.schema = schema
        server = HTTPServer(
            configuration: .init(host: runtime.settings.host, port: runtime.settings.port), router: parts.router,
            logger: runtime.logger, metrics: runtime.metrics)
    }

    /// Dependencies first. Shutdown goes the other way round: the server drains while everything behind it still works, and spans are
    /// sent last.
    public var services: [any Service] { foundation + parts.consumers + parts.background + [server] }

    /// Everything but consumers, background work and server: what handlers need when a test calls them in process.
    public var foundation: [any Service] {
        var services: [any Service] = [StopsByCancellation(runtime.http)]
        if let exporter = runtime.exporter { services.append(exporter) }
        services += [runtime.database, runtime.system, schema] as [any Service]
        if parts.emitsEvents { services += [runtime.publisher, runtime.outbox] as [any Service] }
        return services
    }

    /// Runs until a signal, then drains.
    public func run() async throws {
        runtime.logger.info(
            "starting",
            ["host": runtime.settings.host, "port": runtime.settings.port, "drainDeadlineMs": runtime.settings.drainDeadline])
        try await ServiceGroup(services: services, logger: runtime.logger, drainDeadline: runtime.settings.drainDeadline).run()
        runtime.logger.info("stopped")
    }
}

extension ServiceRuntime {
    /// Own database hard, upstreams soft (design §9).
    func addChecks(schema: SchemaGuard) {
        health.add("database", isHard: true) { [database] in try await database.ping() }
        health.add("schema", isHard: true) { try schema.check() }
        for callee in settings.upstreamURLs.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            health.add(callee.rawValue, isHard: false) { [client = upstream(callee)] in try await client.ping() }
        }
    }

    func addBrokerCheck() {
        health.add("broker", isHard: false) { [publisher] in
            guard publisher.isConnected else { throw BrokerNotConnected() }
        }
    }
}

private struct BrokerNotConnected: Error {}

/// Runs a service that knows cancellation only.
private struct StopsByCancellation: Service {
    private let service: any Service

    init(_ service: any Service) { self.service = service }

    func run() async throws { try await cancelWhenGracefulShutdown { try await service.run() } }
}
