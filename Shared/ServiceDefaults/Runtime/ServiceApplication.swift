public import HTTPServing
public import Lifecycle
public import Messaging
public import PostgresStore

/// A service as a value: its name, its tables, and how its parts are put together. `Main.swift` hands it to ``ServiceCommand``; tests
/// build the same thing over a cloned database.
public protocol ServiceApplication: Sendable {
    associatedtype Settings: ServiceSettings

    static var name: ServiceName { get }
    static var migrations: [Migration] { get }
    /// What is declared at the broker before anything is published: the queues that this service's events must not miss.
    static var topology: Topology { get }
    /// Further words that the executable understands beside `run`, `migrate` and `parking`, e.g. `seed-demo`.
    static var commands: [ExtraCommand<Settings>] { get }

    /// The composition root: stores → flows → routes and consumers. Starts nothing.
    static func build(_ settings: Settings, _ runtime: ServiceRuntime) async throws -> ServiceParts
}

extension ServiceApplication {
    public static var topology: Topology { Topology() }
    public static var commands: [ExtraCommand<Settings>] { [] }
}

/// What a service adds to its ``ServiceRuntime``.
public struct ServiceParts: Sendable {
    /// Made by ``ServiceRuntime/makeRouter(entrance:)``.
    public var router: Router
    /// `Messaging.Consumer`s, in start order.
    public var consumers: [any Service]
    /// Job workers, sweepers and the like; they start after the consumers.
    public var background: [any Service]
    /// Whether the service writes to the outbox, so that publisher and relay run.
    public var emitsEvents: Bool

    public init(
        router: Router, consumers: [any Service] = [], background: [any Service] = [], emitsEvents: Bool = false
    ) {
        self.router = router
        self.consumers = consumers
        self.background = background
        self.emitsEvents = emitsEvents
    }
}

/// A word of the executable's command line that belongs to one service.
public struct ExtraCommand<Settings: ServiceSettings>: Sendable {
    public let name: String
    /// One line for `help`.
    public let summary: String
    /// Runs while the databases of the runtime do; a throw ends the process with 1.
    public let run: @Sendable (_ settings: Settings, _ runtime: ServiceRuntime, _ arguments: [String]) async throws -> Void

    public init(
        _ name: String, summary: String,
        run: @escaping @Sendable (_ settings: Settings, _ runtime: ServiceRuntime, _ arguments: [String]) async throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.run = run
    }
}
