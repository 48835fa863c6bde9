import ConcurrencySupport
import ConfigReading
public import HTTPCalling
public import HTTPCore
public import HTTPServing
import Lifecycle
public import Messaging
public import Observability
public import PostgresStore

/// The parts that every service stands on, made from its settings. Making them opens nothing: connections and threads come with first use.
public struct ServiceRuntime: Sendable {
    public let name: ServiceName
    public let settings: CommonSettings
    public let logger: Logger
    public let metrics: MetricsRegistry
    public let tracer: Tracer
    /// The service's own database as role `app`, under row-level security.
    public let database: Database
    /// The same as role `system`: sees only what leads to a tenant before one is known.
    public let system: Database
    public let http: HTTPClient
    /// For consumers; one connection for all of them.
    public let broker: Broker
    public let publisher: Publisher
    /// Publishes what the outbox table holds. Runs only in a service that emits events; see ``ServiceParts/emitsEvents``.
    public let outbox: OutboxRelay
    public let signer: ContextSigner
    public let verifier: ContextVerifier
    public let health: HealthChecks
    let exporter: SpanExporter?
    private let upstreams: [ServiceName: UpstreamClient]

    /// - Parameters:
    ///   - topology: what is declared before anything is published.
    ///   - transports: what answers for an upstream instead of the network; for tests.
    public init(
        name: ServiceName, settings: CommonSettings, topology: Topology = Topology(), logger: Logger? = nil,
        transports: [ServiceName: UpstreamClient.Transport] = [:],
        streamTransports: [ServiceName: UpstreamClient.StreamTransport] = [:]
    ) {
        self.name = name
        self.settings = settings
        EventLoopGroup.setSharedCount(settings.eventLoops)
        let logger = logger ?? Logger(service: name.rawValue, level: settings.logLevel)
        let metrics = MetricsRegistry()
        let http = HTTPClient(metrics: metrics)
        exporter = settings.telemetryEndpoint.map { Self.exporter(for: name, endpoint: $0, http: http, metrics: metrics) }
        tracer = Tracer(service: name.rawValue, exporter: exporter)
        func database(_ url: Secret, _ size: Int, _ role: String) -> Database {
            Database(
                configuration: .init(url: url, poolSize: size, applicationName: "\(name.rawValue).\(role)"), logger: logger,
                metrics: metrics)
        }
        self.database = database(settings.databaseURL, settings.databasePoolSize, "app")
        system = database(settings.systemDatabaseURL, 4, "system")
        broker = Broker(settings.broker, name: name.rawValue, logger: logger, metrics: metrics)
        publisher = Publisher(broker: broker, topology: topology)
        outbox = OutboxRelay(system: system, publisher: publisher, logger: logger)
        let signer = ContextSigner(service: name, key: settings.contextSigningKey)
        verifier = ContextVerifier(service: name, publicKeys: settings.contextPublicKeys)
        health = HealthChecks(logger: logger)
        self.logger = logger
        self.metrics = metrics
        self.http = http
        self.signer = signer
        upstreams = settings.upstreamURLs.reduce(into: [:]) { [tracer] clients, upstream in
            let (callee, url) = upstream
            clients[callee] =
                if let transport = transports[callee] {
                    UpstreamClient(
                        callee: callee, baseURL: url, transport: transport, streamTransport: streamTransports[callee],
                        signer: signer, tracer: tracer)
                } else {
                    UpstreamClient(callee: callee, baseURL: url, http: http, signer: signer, tracer: tracer)
                }
        }
        let circuits = metrics.gauge(
            "upstream_circuit_open", help: "1 while calls to a service are refused because they kept failing.",
            labels: ["upstream"])
        metrics.onRender { [upstreams] in
            for (callee, client) in upstreams { circuits.set(client.isCircuitOpen ? 1 : 0, [callee.rawValue]) }
        }
    }

    /// The client for a service that this one may call.
    ///
    /// - Precondition: the arrow is in the ``CallMap``.
    public func upstream(_ callee: ServiceName) -> UpstreamClient {
        guard let client = upstreams[callee] else { preconditionFailure("\(name.rawValue) does not call \(callee.rawValue)") }
        return client
    }

    /// A router with the health routes, and with failures of database and broker turned into 503. The service adds its own routes:
    /// inner ones in a group with ``internalAuthentication``.
    ///
    /// - Parameters:
    ///   - answerHeaders: on every answer, problems included.
    ///   - refusing: in which words; see ``Router``.
    public func makeRouter(
        entrance: Router.Entrance = .internalCalls, answerHeaders: HTTPHeaders = [:],
        refusing: @escaping Router.Refusing = { .problem($0, for: $1) }
    ) -> Router {
        var router = Router(
            entrance: entrance, logger: logger, metrics: metrics, tracer: tracer, answerHeaders: answerHeaders, refusing: refusing
        )
        router.use(ServiceMiddleware(logger: logger))
        HealthRoutes(checks: health, metrics: metrics).register(on: &router)
        return router
    }

    public var internalAuthentication: InternalAuthentication { InternalAuthentication(verifier: verifier, logger: logger) }

    private static func exporter(
        for name: ServiceName, endpoint: String, http: HTTPClient, metrics: MetricsRegistry
    ) -> SpanExporter {
        SpanExporter(service: name.rawValue, metrics: metrics) { body in
            let response = try await http.send(
                ClientRequest(
                    .post, endpoint + "/v1/traces", headers: ["Content-Type": "application/json"], body: .bytes(body),
                    deadline: .after(.seconds(5))))
            guard response.status.isSuccess else { throw CollectorRefused(status: response.status.code) }
        }
    }
}

private struct CollectorRefused: Error {
    let status: Int
}
