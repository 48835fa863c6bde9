public import ConfigReading
import Cryptography
import FoundationEssentials
import HTTPCalling
import HTTPCore
public import HTTPServing
import Lifecycle
public import Observability
public import ServiceDefaults

/// One service booted inside the test's process, from the same settings and composition root as the real one.
///
///     try await TestApplication.run(Application.self, database: db.app.configuration.url, system: db.system.configuration.url) { app in
///         let answer = try await app.client.send(.get, "/v1/contents", headers: try TestContext.headers(to: .contentCenter))
///     }
public struct TestApplication: Sendable {
    public enum Scope: Sendable {
        /// Databases and, where the service emits, publisher and relay: enough for requests in process.
        case handlers
        /// Also consumers, background work and a server on a free port.
        case everything
    }

    public let service: AssembledService
    /// Calls the routes without a socket.
    public let client: InProcessClient

    public var runtime: ServiceRuntime { service.runtime }

    /// - Parameters:
    ///   - broker: where events go; without it an address where nobody listens.
    ///   - brokerPrefix: the prefix of the test's exchanges and queues.
    ///   - environment: further settings, in the form of environment variables.
    ///   - upstreams: what answers for the services this one calls; one that is missing refuses connections.
    public static func run<App: ServiceApplication, Value: Sendable>(
        _ application: App.Type, database: Secret, system: Secret, broker: Secret = Secret("amqp://guest:guest@127.0.0.1:1/"),
        brokerPrefix: String = "", environment: [String: String] = [:], upstreams: [ServiceName: Handler] = [:],
        scope: Scope = .handlers, logger: Logger = .silent, _ body: @escaping @Sendable (TestApplication) async throws -> Value
    ) async throws -> Value {
        var variables = self.environment(for: App.name, database: database, system: system, broker: broker)
        variables["AMQP_PREFIX"] = brokerPrefix
        variables.merge(environment) { $1 }
        var reader = EnvironmentReader(variables)
        let settings = App.Settings(from: &reader)
        try reader.finish()
        let runtime = ServiceRuntime(
            name: App.name, settings: settings.common, topology: App.topology, logger: logger,
            transports: upstreams.mapValues { transport(to: $0) },
            streamTransports: upstreams.mapValues { streamTransport(to: $0) })
        let service = try await AssembledService.build(application, settings: settings, runtime: runtime)
        let running = TestApplication(service: service, client: InProcessClient(service.parts.router))
        return try await whileRunning(scope == .everything ? service.services : service.foundation) { try await body(running) }
    }

    /// The variables that a service of this name would get, with throw-away keys.
    public static func environment(
        for service: ServiceName, database: Secret, system: Secret, broker: Secret
    ) -> [String: String] {
        var variables = [
            "HOST": "127.0.0.1", "PORT": "0", "DATABASE_URL": database.exposed, "SYSTEM_DATABASE_URL": system.exposed,
            "DATABASE_POOL_SIZE": "4", "AMQP_URL": broker.exposed, "LOG_LEVEL": "debug", "DRAIN_DEADLINE": "5s",
            "CONTEXT_SIGNING_KEY": Base64.encode(TestContext.key(of: service).seed),
            "CONTEXT_PUBLIC_KEYS": TestContext.publicKeys.map { "\($0.key.rawValue)=\(Base64.encode($0.value.raw))" }
                .sorted().joined(separator: ","),
        ]
        for callee in CallMap.allowed[service] ?? [] { variables[callee.urlKey] = "http://127.0.0.1:1" }
        return variables
    }

    /// Lets a handler answer an ``UpstreamClient``.
    public static func transport(to handler: @escaping Handler) -> UpstreamClient.Transport {
        let client = InProcessClient(handler)
        return { request in
            let body: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { [] }
            let response = try await client.send(request.method, target(of: request.url), headers: request.headers, body: body)
            return ClientResponse(status: response.status, headers: response.headers, body: response.body)
        }
    }

    /// The same for answers that are read as they come.
    public static func streamTransport(to handler: @escaping Handler) -> UpstreamClient.StreamTransport {
        let client = InProcessClient(handler)
        return { request in
            let body: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { [] }
            let stream = try await client.open(request.method, target(of: request.url), headers: request.headers, body: body)
            return UpstreamStream(status: stream.status, headers: stream.headers) {
                // As the live client does it: a reader that is cancelled hangs up.
                try await withTaskCancellationHandler {
                    try await stream.read()
                } onCancel: {
                    stream.close()
                }
            }
        }
    }

    private static func target(of url: String) -> String {
        let afterScheme = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return afterScheme.firstIndex(of: "/").map { String(afterScheme[$0...]) } ?? "/"
    }

    /// Runs services until `body` has ended, then shuts them down gracefully. A service that fails ends the body too.
    private static func whileRunning<Value: Sendable>(
        _ services: [any Service], _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let group = ServiceGroup(services: services, logger: .silent, drainDeadline: .seconds(10), signals: [])
        return try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Value?.self) { tasks in
                tasks.addTask {
                    try await group.run()
                    return nil
                }
                tasks.addTask {
                    defer { trigger.triggerGracefulShutdown() }
                    return try await body()
                }
                var value: Value?
                while let result = try await tasks.next() { value = result ?? value }
                guard let value else { throw CancellationError() }
                return value
            }
        }
    }
}
