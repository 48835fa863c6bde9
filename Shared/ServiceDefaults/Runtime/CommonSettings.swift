import ConcurrencySupport
public import ConfigReading
public import Cryptography
public import Messaging
public import Observability
import PostgresStore

/// The settings that every service has. Each key also as `KEY_FILE`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `HOST`, `PORT` | where to listen; port 0 = any free one | `127.0.0.1`, the service's own |
/// | `DATABASE_URL` | own database as role `app`; secret | – |
/// | `SYSTEM_DATABASE_URL` | own database as role `system`; secret | – |
/// | `DATABASE_POOL_SIZE` | connections as `app` at most | 8 |
/// | `AMQP_URL` | the broker, `amqp:` or `amqps:`; secret | – |
/// | `AMQP_CA_FILE` | PEM file of the authorities that an `amqps` broker's certificate may come from | Debian's public ones |
/// | `AMQP_LEADERLESS_QUEUES` | what to do about a queue that lost its leader: `recreate` (a broker of one node), `wait` (a cluster) | `recreate` |
/// | `AMQP_EVENTS_TOGETHER` | how many events go out in one message at most; 1 while servers that know no such messages hear | 64 |
/// | `AMQP_PREFIX` | stands before all exchange and queue names | none |
/// | `LOG_LEVEL` | `debug`, `info`, `warning`, `error` | `info` |
/// | `CONTEXT_SIGNING_KEY` | own Ed25519 seed, 32 bytes in base64; secret | – |
/// | `CONTEXT_PUBLIC_KEYS` | `service=key` pairs, 32 bytes in base64 each: at least of all callers | – |
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | where spans go, without `/v1/traces` | none: no spans |
/// | `EVENT_LOOPS` | threads that serve requests | one per core |
/// | `DRAIN_DEADLINE` | how long a shutdown may take | `20s` |
/// | `ORCHESTRATION_URL`, `AGENT_CENTER_URL`, `CONTENT_CENTER_URL`, `CONNECTOR_URL` | those the service calls | local ports |
public struct CommonSettings: Sendable {
    public var host: String
    public var port: Int
    public var databaseURL: Secret
    public var systemDatabaseURL: Secret
    public var databasePoolSize: Int
    public var broker: BrokerConfiguration
    public var logLevel: Logger.Level
    public var contextSigningKey: Ed25519.PrivateKey
    public var contextPublicKeys: [ServiceName: Ed25519.PublicKey]
    public var telemetryEndpoint: String?
    public var eventLoops: Int
    public var drainDeadline: Duration
    public var upstreamURLs: [ServiceName: String]

    /// Reads them for one service; problems are collected by the reader.
    public init(for service: ServiceName, from reader: inout EnvironmentReader) {
        host = reader.string("HOST", default: "127.0.0.1")
        port = reader.int("PORT", default: service.defaultPort, in: 0...65_535)
        databaseURL = Self.address("DATABASE_URL", Database.Configuration.complaint, from: &reader)
        systemDatabaseURL = Self.address("SYSTEM_DATABASE_URL", Database.Configuration.complaint, from: &reader)
        databasePoolSize = reader.int("DATABASE_POOL_SIZE", default: 8, in: 1...200)
        broker = Self.broker(from: &reader)
        logLevel = reader.choice("LOG_LEVEL", default: .info)
        contextSigningKey = Self.signingKey(from: &reader)
        contextPublicKeys = Self.publicKeys(for: service, from: &reader)
        telemetryEndpoint = reader.optionalURL("OTEL_EXPORTER_OTLP_ENDPOINT")
        eventLoops = reader.int("EVENT_LOOPS", default: EventLoopGroup.coreCount, in: 1...256)
        drainDeadline = reader.duration("DRAIN_DEADLINE", default: .seconds(20))
        upstreamURLs = [:]
        for callee in CallMap.allowed[service] ?? [] {
            upstreamURLs[callee] = reader.url(callee.urlKey, default: "http://127.0.0.1:\(callee.defaultPort)")
        }
    }

    /// One that would never lead anywhere is told before anything starts, and not once a second for ever after.
    private static func address(
        _ key: String, _ complaint: (Secret) -> String?, from reader: inout EnvironmentReader
    ) -> Secret {
        let url = reader.secret(key)
        if !url.exposed.isEmpty, let complaint = complaint(url) { reader.report(key, complaint) }
        return url
    }

    /// Also all that the commands which only talk to the broker need.
    static func broker(from reader: inout EnvironmentReader) -> BrokerConfiguration {
        BrokerConfiguration(
            url: address("AMQP_URL", BrokerConfiguration.complaint, from: &reader),
            prefix: reader.string("AMQP_PREFIX", default: ""),
            leaderlessQueues: reader.choice("AMQP_LEADERLESS_QUEUES", default: .recreate),
            eventsTogether: reader.int(
                "AMQP_EVENTS_TOGETHER", default: BrokerConfiguration.mostEventsTogether,
                in: 1...BrokerConfiguration.mostEventsTogether),
            authorities: reader.string("AMQP_CA_FILE", default: BrokerConfiguration.publicAuthorities))
    }

    private static func signingKey(from reader: inout EnvironmentReader) -> Ed25519.PrivateKey {
        let text = reader.secret("CONTEXT_SIGNING_KEY")
        if let seed = Base64.decode(text.exposed), let key = try? Ed25519.PrivateKey(seed: seed) { return key }
        // Where it is missing the reader has said so already.
        if !text.exposed.isEmpty { reader.report("CONTEXT_SIGNING_KEY", "is not 32 bytes in base64") }
        return .generate()
    }

    private static func publicKeys(
        for service: ServiceName, from reader: inout EnvironmentReader
    ) -> [ServiceName: Ed25519.PublicKey] {
        let callers = CallMap.callers(of: service)
        // Nobody calls the gateway with a context: it may do without.
        let pairs = reader.pairs("CONTEXT_PUBLIC_KEYS", default: callers.isEmpty ? [:] : nil)
        var keys: [ServiceName: Ed25519.PublicKey] = [:]
        for (name, text) in pairs.sorted(by: { $0.key < $1.key }) {
            guard let owner = ServiceName(rawValue: name) else {
                reader.report("CONTEXT_PUBLIC_KEYS", "names '\(name)', which is no service")
                continue
            }
            guard let raw = Base64.decode(text), let key = try? Ed25519.PublicKey(raw: raw) else {
                reader.report("CONTEXT_PUBLIC_KEYS", "has for '\(name)' no 32 bytes in base64")
                continue
            }
            keys[owner] = key
        }
        let missing = pairs.isEmpty ? [] : callers.filter { pairs[$0.rawValue] == nil }
        for caller in missing { reader.report("CONTEXT_PUBLIC_KEYS", "has no key of '\(caller.rawValue)', which calls us") }
        return keys
    }
}

/// What a service reads from its environment: ``CommonSettings`` and its own keys.
public protocol ServiceSettings: Sendable {
    var common: CommonSettings { get }

    /// Reads every key; problems are collected by the reader.
    init(from reader: inout EnvironmentReader)
}
