import TestSupport
import Testing

@Suite("The gateway's tables")
struct GatewayCatalogueTests {
    @Test("keep tenants apart")
    func catalogue() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let violations = try await CatalogueCheck.violations(
                in: database.superuser, globalTables: ["tenants", "users", "gateway_instances"])
            #expect(violations.isEmpty)
        }
    }

    @Test("have one clock")
    func clock() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let violations = try await CatalogueCheck.clockViolations(in: database.superuser)
            #expect(violations == [])
        }
    }
}
