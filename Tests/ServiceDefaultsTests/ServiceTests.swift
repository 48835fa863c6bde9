import ConcurrencySupport
import ConfigReading
import Foundation
import HTTPCore
import HTTPServing
import Lifecycle
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ServiceDefaults

/// A service that does next to nothing, built as the real ones are.
private enum Application: ServiceApplication {
    struct Settings: ServiceSettings {
        let common: CommonSettings
        let greeting: String

        init(from reader: inout EnvironmentReader) {
            common = CommonSettings(for: Application.name, from: &reader)
            greeting = reader.string("GREETING", default: "hello")
        }
    }

    static let name = ServiceName.contentCenter
    static let migrations = [
        Migration(
            number: 1, name: "notes",
            sql: PlatformSchema.v1(app: "content_app", system: "content_system")
                + "CREATE TABLE notes (id int PRIMARY KEY); GRANT SELECT, INSERT ON notes TO content_app;")
    ]
    static let commands = [
        ExtraCommand<Settings>("count", summary: "count the notes") { _, runtime, arguments in
            guard arguments.isEmpty else { throw PermanentFailure(reason: "no arguments") }
            _ = try await runtime.database.query("SELECT count(*) FROM notes")
        }
    ]

    static func build(_ settings: Settings, _ runtime: ServiceRuntime) async throws -> ServiceParts {
        var router = runtime.makeRouter()
        router.group(runtime.internalAuthentication) { group in
            group.on(.get, "/v1/greeting") { _ in try .json(.ok, ["text": settings.greeting]) }
            group.on(.get, "/v1/notes") { [database = runtime.database] _ in
                let rows = try await database.query("SELECT count(*) AS number FROM notes")
                return try .json(.ok, ["rows": rows.count])
            }
        }
        router.on(.get, "/fails/{how}") { request in
            switch request.parameters["how"] {
            case "lost": throw PostgresError(sqlState: "08006", message: "secret host")
            case "deadlock": throw PostgresError(sqlState: "40P01", message: "x")
            case "late": throw PostgresError(sqlState: "57014", message: "x")
            case "pool": throw PoolTimeout(waited: .seconds(1))
            case "broker": throw PublishFailure.brokerUnavailable("x")
            case "busy": throw BlockingPool.Overloaded()
            default: throw PostgresError(sqlState: "23505", message: "secret value")
            }
        }
        return ServiceParts(router: router)
    }
}

private let template = DatabaseTemplate(service: "content", migrations: Application.migrations)
private let nowhere = Secret("postgres://nobody@127.0.0.1:1/none")

@Suite struct ServiceTests {
    @Test func servesAndIsReadyWithItsDatabase() async throws {
        try await TestDatabase.withClone(of: template) { db in
            try await TestApplication.run(
                Application.self, database: db.appConfiguration.url, system: db.systemConfiguration.url,
                environment: ["GREETING": "你好"]
            ) { app in
                let greeting = try await app.client.send(
                    .get, "/v1/greeting", headers: try TestContext.headers(to: .contentCenter))
                #expect(greeting.text == #"{"text":"你好"}"#)
                #expect(try await app.client.send(.get, "/v1/greeting").status == .unauthorized)
                let notes = try await app.client.send(.get, "/v1/notes", headers: try TestContext.headers(to: .contentCenter))
                #expect(notes.status == .ok)
                try await poll { try await app.client.send(.get, "/readyz").status == .ok }
            }
        }
    }

    @Test func isAliveButNotReadyWithoutItsDatabase() async throws {
        try await TestApplication.run(Application.self, database: nowhere, system: nowhere) { app in
            #expect(try await app.client.send(.get, "/healthz").status == .ok)
            let ready = try await app.client.send(.get, "/readyz")
            #expect(ready.status == .serviceUnavailable)
            let report = try ready.decode(HealthChecks.Report.self)
            #expect(report.checks.first { $0.name == "database" } == .init(name: "database", status: "unavailable", hard: true))
        }
    }

    @Test func endsWhenTheDatabaseHasAnotherSchema() async throws {
        try await TestDatabase.withClone(of: template) { db in
            _ = try await db.superuser.query("UPDATE schema_migrations SET checksum = 'edited'")
            await #expect(throws: MigrationError.self) {
                try await TestApplication.run(
                    Application.self, database: db.appConfiguration.url, system: db.systemConfiguration.url
                ) { _ in
                    let never = OneShot<Void>()
                    try await never.value()
                }
            }
        }
    }

    @Test(arguments: ["lost", "deadlock", "pool", "broker", "busy"])
    func whatMayWorkLaterIs503(how: String) async throws {
        try await TestApplication.run(Application.self, database: nowhere, system: nowhere) { app in
            let response = try await app.client.send(.get, "/fails/\(how)")
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers["Retry-After"] == "1")
            let problem = try response.problem()
            #expect(problem.code == "dependency.unavailable" && problem.retryable)
            #expect(!response.text.contains("secret"))
        }
    }

    @Test func otherErrorsKeepTheirMeaning() async throws {
        try await TestApplication.run(Application.self, database: nowhere, system: nowhere) { app in
            #expect(try await app.client.send(.get, "/fails/late").status == .gatewayTimeout)
            let fault = try await app.client.send(.get, "/fails/otherwise")
            #expect(fault.status == .internalServerError && !fault.text.contains("secret"))
        }
    }

    @Test func answersOnAPortAndDrains() async throws {
        try await TestDatabase.withClone(of: template) { db in
            try await TestApplication.run(
                Application.self, database: db.appConfiguration.url, system: db.systemConfiguration.url, scope: .everything
            ) { app in
                try await poll { app.service.server.port != 0 }
                let client = LiveClient(port: app.service.server.port)
                #expect(try await client.send(.get, "/healthz").status == .ok)
            }
        }
    }

    /// Spans leave before the client that carries them does, also those of the last moment.
    @Test func sendsItsSpansToTheCollector() async throws {
        let bodies = Locked<[String]>([])
        var router = Router()
        router.on(.post, "/v1/traces") { request in
            bodies.withLock { $0.append(String(decoding: request.body, as: UTF8.self)) }
            return try .json(.ok, [String: String]())
        }
        let collector = HTTPServer(configuration: .init(port: 0), router: router)
        try await collector.start()
        try await testGracefulShutdown { trigger in
            async let serving: Void = collector.run()
            let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)"]
            try await TestApplication.run(Application.self, database: nowhere, system: nowhere, environment: environment) { app in
                var headers = try TestContext.headers(to: .contentCenter)
                headers["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                #expect(try await app.client.send(.get, "/v1/greeting", headers: headers).status == .ok)
            }
            trigger.triggerGracefulShutdown()
            try await serving
        }
        let text = bodies.value.joined()
        #expect(text.contains(#""traceId":"4bf92f3577b34da6a3ce929d0e0e4736""#))
        #expect(text.contains(#""parentSpanId":"00f067aa0ba902b7""#))
        #expect(text.contains(#""stringValue":"content-center""#))
    }

    // MARK: - Command line

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) async -> Int32 {
        await ServiceCommand.run(Application.self, arguments: arguments, environment: environment)
    }

    @Test func saysWhatIsWrongWithItsUse() async {
        #expect(await run(["help"]) == 0)
        for arguments in [["unknown"], ["run", "now"], ["migrate", "twice"], ["parking"], ["parking", "list"]] {
            #expect(await run(arguments) == 64, "\(arguments)")
        }
        #expect(await run([]) == 78)
        #expect(await run(["migrate"]) == 78)
        #expect(await run(["parking", "list", "q"]) == 78)
    }

    @Test func migratesAsOwnerOnly() async throws {
        try await TestDatabase.withClone(of: template) { db in
            // As in a real installation, where the schema belongs to whoever owns the database.
            _ = try await db.superuser.query("ALTER DATABASE \(identifier: db.name) OWNER TO content_owner")
            #expect(await run(["migrate"], ["OWNER_DATABASE_URL": db.ownerConfiguration.url.exposed]) == 0)
            #expect(await run(["migrate"], ["OWNER_DATABASE_URL": db.appConfiguration.url.exposed]) == 1)
        }
    }

    @Test func runsAServicesOwnCommand() async throws {
        try await TestDatabase.withClone(of: template) { db in
            let environment = TestApplication.environment(
                for: .contentCenter, database: db.appConfiguration.url, system: db.systemConfiguration.url,
                broker: Secret("amqp://guest:guest@127.0.0.1:1/"))
            #expect(await run(["count"], environment) == 0)
            #expect(await run(["count", "x"], environment) == 1)
        }
    }

    private func poll(_ condition: () async throws -> Bool) async throws {
        let deadline = Deadline.after(.seconds(10))
        while try await !condition() {
            try #require(!deadline.isPast, "not within 10 s")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
