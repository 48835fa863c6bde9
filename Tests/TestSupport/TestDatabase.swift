import ConcurrencySupport
public import ConfigReading
import Foundation
public import PostgresStore

import struct Synchronization.Atomic

/// What a test's database is made from: a service's roles and its migrations.
public struct DatabaseTemplate: Sendable {
    /// `content` gives the roles `content_owner`, `content_app` and `content_system`.
    public let service: String
    public let migrations: [Migration]

    public init(service: String, migrations: [Migration]) {
        self.service = service
        self.migrations = migrations
    }

    public var ownerRole: String { "\(service)_owner" }
    public var appRole: String { "\(service)_app" }
    public var systemRole: String { "\(service)_system" }

    /// Changes with the migrations, so that an old template is never taken for a new one.
    var name: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a: only to tell texts apart
        for migration in migrations {
            for byte in "\(migration.number)\u{1}\(migration.name)\u{1}\(migration.sql)\u{2}".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        return "template_\(service)_\(String(hash, radix: 16))"
    }
}

/// A database of a test's own, cloned from a migrated template in some 50 ms and dropped after the test.
public struct TestDatabase: Sendable {
    public struct MissingServer: Error, CustomStringConvertible {
        public var description: String { "TEST_POSTGRES_URL is not set: run the tests with `make test`" }
    }

    public let template: DatabaseTemplate
    public let name: String
    /// Row-level security holds for it.
    public let app: Database
    /// Sees the rows of all tenants where a table lets it.
    public let system: Database
    /// Sees everything; for looking at what a test has done.
    public let superuser: Database

    public var ownerConfiguration: Database.Configuration { configuration(role: template.ownerRole) }
    public var appConfiguration: Database.Configuration { configuration(role: template.appRole) }
    public var systemConfiguration: Database.Configuration { configuration(role: template.systemRole) }

    /// Runs `body` with a fresh clone. Only some clones exist at a time: Swift Testing starts hundreds of cases at once.
    public static func withClone<Value: Sendable>(
        of template: DatabaseTemplate, _ body: @Sendable (TestDatabase) async throws -> Value
    ) async throws -> Value {
        let server = try TestServer.current()
        return try await server.gate.whileInside {
            let run = try await server.run.value()
            try await server.prepare(template)
            let name = "clone_\(run.id)_\(server.clones.wrappingAdd(1, ordering: .relaxed).newValue)"
            try await server.admin.copyDatabase(template.name, to: name, owner: template.ownerRole)
            let database = TestDatabase(template: template, name: name)
            let result: Result<Value, any Error>
            do { result = .success(try await body(database)) } catch { result = .failure(error) }
            // A cancelled test cleans up too.
            await Task.detached {
                await database.close()
                _ = try? await server.admin.query("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
            }.value
            return try result.get()
        }
    }

    private init(template: DatabaseTemplate, name: String) {
        self.template = template
        self.name = name
        let make = { (role: String?) in
            Database(configuration: TestServer.configuration(database: name, role: role, poolSize: 6))
        }
        app = make(template.appRole)
        system = make(template.systemRole)
        superuser = make(nil)
    }

    private func configuration(role: String) -> Database.Configuration {
        TestServer.configuration(database: name, role: role, poolSize: 6)
    }

    private func close() async {
        await app.close()
        await system.close()
        await superuser.close()
    }

    /// The connection URL of one of the template's roles, for a service that runs as a process of its own.
    public func url(role: String) -> Secret { configuration(role: role).url }

    /// Moves the clock of stored instants, `app_now()`, away from the wall clock.
    public func setClock(offset: Duration) async throws {
        try await superuser.query(SQL(unescaped: PlatformSchema.clock(offset: offset)))
    }
}

/// The PostgreSQL server of this test run.
final class TestServer: Sendable {
    struct Run: Sendable { let id: Int }

    let admin: Database
    let gate = AsyncGate(places: 8)
    let clones = Atomic<Int>(0)
    let run = SharedTask<Run>()
    private let templates = Lock<[String: SharedTask<Bool>]>([:])

    private static let shared = Lock<TestServer?>(nil)

    static func current() throws -> TestServer {
        guard getenv("TEST_POSTGRES_URL") != nil else { throw TestDatabase.MissingServer() }
        return shared.withLock { server in
            if let server { return server }
            let made = TestServer()
            server = made
            return made
        }
    }

    private init() {
        admin = Database(configuration: Self.configuration(database: nil, role: nil, poolSize: 4))
        run.start { [admin] in try await Self.begin(admin) }
    }

    /// The superuser's URL with another database, acting as `role`. Policies and privileges go by the acting role; so no password of a
    /// service's role is needed.
    static func configuration(database: String?, role: String?, poolSize: Int) -> Database.Configuration {
        var url = getenv("TEST_POSTGRES_URL").map { String(cString: $0) } ?? ""
        var query = ""
        if let mark = url.firstIndex(of: "?") {
            query = String(url[url.index(after: mark)...])
            url = String(url[..<mark])
        }
        if let database {
            let scheme = url.range(of: "://")?.upperBound ?? url.startIndex
            if let slash = url[scheme...].firstIndex(of: "/") { url = String(url[..<slash]) }
            url += "/" + database
        }
        if let role { query += (query.isEmpty ? "" : "&") + "options=-c%20role%3D\(role)" }
        return Database.Configuration(
            url: Secret(query.isEmpty ? url : "\(url)?\(query)"), poolSize: poolSize, acquireTimeout: .seconds(30),
            connectTimeout: .seconds(20),
            applicationName: "tests")
    }

    /// Marks this run as alive by a lock that ends with the process, and removes what dead runs left.
    private static func begin(_ admin: Database) async throws -> Run {
        let id = Int.random(in: 1...Int(Int32.max))
        let isLocked = OneShot<Void>()
        Task.detached {
            do {
                try await admin.withSession { session in
                    try await session.query("SELECT pg_advisory_lock(\(lockClass)::int, \(id)::int)")
                    isLocked.succeed()
                    try await Task.sleep(for: .seconds(1_000_000))
                }
            } catch { isLocked.fail(error) }
        }
        try await isLocked.value()
        let left = try await admin.query("SELECT datname::text FROM pg_database WHERE datname ~ '^clone_[0-9]+_[0-9]+$'")
        for row in left {
            let name: String = try row.decode("datname")
            guard let owner = name.split(separator: "_").dropFirst().first.flatMap({ Int($0) }), owner != id else { continue }
            // Released at once by the end of the statement's own transaction; held by a living run, it is refused.
            let isDead: Bool = try await admin.query("SELECT pg_try_advisory_xact_lock(\(lockClass)::int, \(owner)::int) AS dead")
                .only.decode("dead")
            if isDead { _ = try? await admin.query("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)") }
        }
        return Run(id: id)
    }

    private static let lockClass = 7_401

    /// Migrates the template's database, once per process and once per version of the migrations.
    func prepare(_ template: DatabaseTemplate) async throws {
        let (task, isNew) = templates.withLock { templates in
            if let task = templates[template.name] { return (task, false) }
            let task = SharedTask<Bool>()
            templates[template.name] = task
            return (task, true)
        }
        if isNew { task.start { [admin] in try await Self.make(template, admin) } }
        _ = try await task.value()
    }

    private static func make(_ template: DatabaseTemplate, _ admin: Database) async throws -> Bool {
        try await admin.withSession { session in
            // One process at a time; the lock ends with the connection.
            try await session.query("SELECT pg_advisory_lock(\(lockClass)::int, 0)")
            for role in [template.ownerRole, template.appRole, template.systemRole] {
                let exists = try await session.query("SELECT 1 FROM pg_roles WHERE rolname = \(role)")
                if exists.isEmpty { try await session.query("CREATE ROLE \(identifier: role) LOGIN") }
            }
            let state = try await session.query("SELECT datistemplate FROM pg_database WHERE datname = \(template.name)")
            let isReady = try state.first?.decode("datistemplate", as: Bool.self) ?? false
            if !isReady {
                let name = template.name
                try await session.query("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
                try await session.query("CREATE DATABASE \(identifier: name) OWNER \(identifier: template.ownerRole)")
                let owner = configuration(database: name, role: template.ownerRole, poolSize: 1)
                try await Migrator(migrations: template.migrations, owner: owner).apply()
                try await session.query(
                    "ALTER DATABASE \(identifier: name) WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
            }
            try await session.query("SELECT pg_advisory_unlock(\(lockClass)::int, 0)")
        }
        return true
    }
}

extension Database {
    /// `CREATE DATABASE … TEMPLATE`, tried again while the server still ends a connection to the template.
    fileprivate func copyDatabase(_ template: String, to name: String, owner: String) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                try await query(
                    """
                    CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: template) OWNER \(identifier: owner)
                    STRATEGY FILE_COPY
                    """)
                return
            } catch let error as PostgresError where error.sqlState == "55006" && .now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}

/// Something that is done once and awaited by many.
final class SharedTask<Value: Sendable>: Sendable {
    private let task = Lock<Task<Value, any Error>?>(nil)

    func start(_ body: @escaping @Sendable () async throws -> Value) {
        task.withLock { $0 = Task.detached { try await body() } }
    }

    func value() async throws -> Value {
        while true {
            if let task = task.withLock({ $0 }) { return try await task.value }
            await Task.yield()
        }
    }
}

/// Lets a limited number of tasks in at a time.
public final class AsyncGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [OneShot<Void>] = []
    }

    private let state: Lock<State>

    public init(places: Int) { state = Lock(State(free: places)) }

    public func whileInside<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        let turn = state.withLock { state -> OneShot<Void>? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            let turn = OneShot<Void>()
            state.waiting.append(turn)
            return turn
        }
        // A cancelled waiter keeps its place in the row; its turn is passed on when it comes.
        if let turn {
            await Task.detached { _ = try? await turn.value() }.value
        }
        defer { leave() }
        try Task.checkCancellation()
        return try await body()
    }

    private func leave() {
        let next = state.withLock { state -> OneShot<Void>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.succeed()
    }
}
