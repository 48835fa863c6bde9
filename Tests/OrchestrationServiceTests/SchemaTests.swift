import Foundation
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

@Suite struct SchemaTests {
    @Test func everyTableIsWalledByTenant() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let violations = try await CatalogueCheck.violations(in: database.superuser, globalTables: ["outbox"])
            #expect(violations == [])
        }
    }

    @Test func everyInstantComesFromTheOneClock() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let violations = try await CatalogueCheck.clockViolations(in: database.superuser)
            #expect(violations == [])
        }
    }

    @Test func theAppRoleSeesOnlyTheTenantThatIsSet() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            for table in ["brand_words", "banned_words"] {
                let insert: SQL = """
                    INSERT INTO \(identifier: table) (tenant_id, word) VALUES (\(TestContext.tenant), '喵喵家')
                    """
                try await database.app.query(insert, tenant: TestContext.tenant)
                await #expect(throws: PostgresError.self) {
                    try await database.app.query(insert, tenant: TestContext.otherTenant)
                }
                let select: SQL = "SELECT word FROM \(identifier: table)"
                #expect(try await database.app.query(select, tenant: TestContext.tenant).count == 1)
                #expect(try await database.app.query(select, tenant: TestContext.otherTenant).isEmpty)
                #expect(try await database.app.query(select).isEmpty)
            }
        }
    }
}
