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
