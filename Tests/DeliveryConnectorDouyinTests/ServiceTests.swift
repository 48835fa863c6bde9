import ConfigReading
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import DeliveryConnectorDouyin

@Suite struct ServiceTests {
    static let template = DatabaseTemplate(service: "connector", migrations: Application.migrations)

    @Test func everyTableIsWalledByTenantOrListed() async throws {
        try await TestDatabase.withClone(of: Self.template) { database in
            let violations = try await CatalogueCheck.violations(in: database.superuser, globalTables: ["outbox"])
            #expect(violations == [])
        }
    }

    @Test func everyInstantComesFromTheOneClock() async throws {
        try await TestDatabase.withClone(of: Self.template) { database in
            let violations = try await CatalogueCheck.clockViolations(in: database.superuser)
            #expect(violations == [])
        }
    }

    @Test func isReadyOverItsOwnDatabase() async throws {
        try await TestDatabase.withClone(of: Self.template) { database in
            try await TestApplication.run(
                Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url
            ) { app in
                #expect(try await app.client.send(.get, "/healthz").status == .ok)
                let report = try await app.readiness(until: .ok)
                #expect(report.checks.filter(\.hard).map(\.name) == ["database", "schema"])
                #expect(report.checks.filter { $0.hard && $0.status != "ok" } == [])
                let missing = try await app.client.send(.post, "/publish/video")
                #expect(missing.status == .notFound)
            }
        }
    }

    @Test func isNotReadyWithoutItsDatabase() async throws {
        let nowhere = Secret("postgres://connector_app@127.0.0.1:1/connector")
        try await TestApplication.run(Application.self, database: nowhere, system: nowhere) { app in
            #expect(try await app.client.send(.get, "/healthz").status == .ok)
            let report = try await app.readiness(until: .serviceUnavailable)
            #expect(report.checks.first { $0.name == "database" }?.status == "unavailable")
        }
    }
}

extension TestApplication {
    /// `/readyz` as soon as it answers with this status, or what it says after five seconds.
    fileprivate func readiness(until status: HTTPStatus) async throws -> HealthChecks.Report {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            let response = try await client.send(.get, "/readyz")
            if response.status == status || ContinuousClock.now > deadline {
                #expect(response.status == status)
                return try response.decode(HealthChecks.Report.self)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
