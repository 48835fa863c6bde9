import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct SchemaTests {
    @Test func everyTableIsWalledByTenant() async throws {
        try await ContentCenterHarness.run { service in
            let violations = try await CatalogueCheck.violations(in: service.database.superuser, globalTables: ["outbox"])
            #expect(violations == [])
        }
    }

    @Test func everyInstantComesFromTheOneClock() async throws {
        try await TestDatabase.withClone(of: ContentCenterHarness.template) { database in
            let violations = try await CatalogueCheck.clockViolations(in: database.superuser)
            #expect(violations == [])
        }
    }

    /// Servers of before and after an upgrade write side by side: what they lock must be the same.
    @Test func aTenantsLockIsTheSameForEveryServer() async throws {
        let before = DatabaseTemplate(service: "content", migrations: Array(Application.migrations.prefix(24)))
        for template in [before, ContentCenterHarness.template] {
            try await TestDatabase.withClone(of: template) { database in
                let tenants = [TestContext.tenant, TestContext.otherTenant]
                let rows = try await database.app.query(
                    """
                    SELECT tenant_write_lock(id) AS lock, hashtextextended('tenant ' || id::text, 0) AS expected
                    FROM unnest(\(tenants)) AS id
                    """)
                for row in rows { #expect(try row.decode("lock", as: Int64.self) == row.decode("expected", as: Int64.self)) }
                let kind = try await database.superuser.query(
                    "SELECT provolatile::text || proparallel::text AS kind FROM pg_proc WHERE proname = 'tenant_write_lock'")
                #expect(try kind.only.decode("kind", as: String.self) == "is")
            }
        }
    }

    /// Nothing comes into a tenant that is erased: a table asks itself, or what it hangs from does, or it is named here with what it is.
    @Test func everyTableAsksWhetherItsTenantLives() async throws {
        try await TestDatabase.withClone(of: ContentCenterHarness.template) { database in
            let rows = try await database.superuser.query(
                """
                WITH RECURSIVE tables AS (
                    SELECT c.oid, c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
                    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                ), guarded (oid) AS (
                    SELECT t.tgrelid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                    -- Before each insert: 2 is BEFORE, 4 is INSERT.
                    WHERE p.proname = 'refuse_erased_tenant' AND t.tgtype & 6 = 6 AND t.tgenabled = 'O'
                    UNION
                    SELECT f.conrelid FROM pg_constraint f JOIN guarded g ON f.confrelid = g.oid WHERE f.contype = 'f'
                )
                SELECT relname::text AS name FROM tables WHERE oid NOT IN (SELECT oid FROM guarded) ORDER BY relname
                """)
            let others = try rows.map { try $0.decode("name", as: String.self) }
            #expect(
                others == [
                    // Made by triggers, or in the same transaction, from what asks: folders, assets, contents.
                    "asset_ancestors", "asset_garbage", "asset_keys", "asset_objects",
                    // What the installation allows, and how much there is.
                    "asset_quotas", "asset_usage",
                    // What came and what goes: handled at most once, whatever has become of the tenant.
                    "inbox", "outbox",
                    // Made from files and from contents.
                    "search_asset_changes", "search_asset_documents", "search_asset_segments", "search_changes",
                    "search_segments", "search_words",
                    // That it was erased.
                    "tenant_erasures",
                ])
        }
    }

    @Test func theAppRoleSeesOnlyTheTenantThatIsSet() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for table in ["contents", "content_versions"] {
                let sql: SQL = "SELECT 1 FROM \(identifier: table)"
                #expect(try await service.database.app.query(sql, tenant: ContentCenterHarness.tenant).count == 1)
                #expect(try await service.database.app.query(sql, tenant: UUID()).isEmpty)
                #expect(try await service.database.app.query(sql).isEmpty)
            }
            let stolen = try await service.database.app.query(
                "UPDATE contents SET title = 'x' WHERE id = \(content.id)", tenant: UUID())
            #expect(stolen.affectedRows == 0)
            await #expect(throws: PostgresError.self) {
                try await service.database.app.query(
                    """
                    INSERT INTO contents (tenant_id, id, kind, status, version, title)
                    VALUES (\(ContentCenterHarness.tenant), \(UUID()), 'title_set', 'draft', 1, 'x')
                    """, tenant: UUID())
            }
        }
    }

    @Test func aVersionCannotBeChanged() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.create()
            for sql in ["UPDATE content_versions SET title = 'x'", "DELETE FROM content_versions"] as [SQL] {
                await #expect(throws: PostgresError.self) {
                    try await service.database.app.query(sql, tenant: ContentCenterHarness.tenant)
                }
            }
        }
    }

    @Test func aFailedSaveLeavesNeitherContentNorEvent() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            // The last step of the transaction fails.
            try await service.database.superuser.query("ALTER TABLE outbox RENAME TO away")
            let answers = [
                try await service.send(.post, "/v1/contents", body: JSON.encode(NewContent.sample)),
                try await service.patch(content.id, ContentPatch(title: "x"), ifVersion: 1),
            ]
            #expect(answers.map(\.status.code) == [500, 500])
            try await service.database.superuser.query("ALTER TABLE away RENAME TO outbox")
            #expect(try await service.count("contents") == 1)
            #expect(try await service.count("content_versions") == 1)
            #expect(try await service.send(.get, "/v1/contents/\(content.id.lowercase)").decode(Content.self) == content)
            #expect(try await service.events().count == 1)
            #expect(try await service.patch(content.id, ContentPatch(title: "x"), ifVersion: 1).status == .ok)
        }
    }
}
