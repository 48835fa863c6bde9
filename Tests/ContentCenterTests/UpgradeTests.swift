import Foundation
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Databases that have been in use are brought up to date with what is in them.
@Suite struct UpgradeTests {
    private static let tenant = ContentCenterHarness.tenant
    /// As far as the first databases went.
    private static let old = DatabaseTemplate(service: "content", migrations: Array(Application.migrations.prefix(9)))

    @Test func whatWasThereIsTakenAlong() async throws {
        try await TestDatabase.withClone(of: Self.old) { database in
            let (content, asset, object) = (UUID(), UUID(), UUID())
            let hash = [UInt8](repeating: 7, count: 32)
            try await database.superuser.transaction(tenant: Self.tenant) { transaction in
                for statement in Self.contents(content, showing: asset, object, hash) { try transaction.enqueue(statement) }
            }
            let applied = try await Migrator(migrations: Application.migrations, owner: database.ownerConfiguration).apply()
            #expect(applied == Application.migrations.dropFirst(9).map(\.number))

            let uses = try await database.app.query(
                "SELECT version, pointer FROM asset_uses WHERE asset_id = \(asset) ORDER BY version, pointer", tenant: Self.tenant
            ).map { "\(try $0.decode("version", as: Int.self)) \(try $0.decode("pointer", as: String.self))" }
            #expect(uses == ["1 /body/slots/0/assetId", "2 /body/slots/1/assetId"])
            // Everything is read anew for what is found by it now.
            let listed = try await database.superuser.query("SELECT content_id FROM search_changes")
            #expect(try listed.map { try $0.decode("content_id", as: UUID.self) } == [content])
            let left = try await database.app.query(
                "SELECT title, revision FROM contents JOIN content_assets USING (tenant_id)", tenant: Self.tenant)
            #expect(try left.only.decode("title", as: String.self) == "夏日通勤" && left.only.decode("revision", as: Int.self) == 1)
            #expect(try await CatalogueCheck.violations(in: database.superuser, globalTables: ["outbox"]) == [])
        }
    }

    private static let withoutLabels = DatabaseTemplate(
        service: "content", migrations: Array(Application.migrations.prefix(25)))

    /// Servers of before serve on meanwhile, and after it.
    @Test func theSearchLearnsLabelsWhileContentsAreRead() async throws {
        try await TestDatabase.withClone(of: Self.withoutLabels) { database in
            let content = UUID()
            try await database.superuser.transaction(tenant: Self.tenant) { transaction in
                for statement in Self.contents(content, showing: UUID(), UUID(), [UInt8](repeating: 7, count: 32)) {
                    try transaction.enqueue(statement)
                }
                try transaction.enqueue(
                    """
                    INSERT INTO search_documents
                        (tenant_id, id, segment, version, kind, status, completeness, created_at, updated_at, body, terms)
                    SELECT tenant_id, id, 0, 2, kind, status, 'draft', created_at, updated_at, '', '{}' FROM contents
                    """)
                try transaction.enqueue("INSERT INTO search_words (tenant_id, word) VALUES (\(Self.tenant), 'cat')")
                try transaction.enqueue("DELETE FROM search_changes")
            }
            try await database.superuser.transaction { reader in
                _ = try await reader.query("SELECT FROM contents")
                try await Migrator(migrations: Application.migrations, owner: database.ownerConfiguration).apply()
            }
            // What servers of before would consume is not there; what they write is found.
            let left = try await database.superuser.query(
                "SELECT (SELECT count(*) FROM search_changes) AS listed, (SELECT count(*) FROM search_words) AS words"
            ).only
            #expect(try left.decode("listed", as: Int.self) == 0 && left.decode("words", as: Int.self) == 1)
            let store = SearchIndexerStore(app: database.app, system: database.system)
            #expect(try await store.listUnread(limit: 10) == 1)
            #expect(try await store.listUnread(limit: 10) == 0)
            #expect(try await store.claim(limit: 10).map(\.id) == [content])
        }
    }

    /// An image-text whose first version shows the picture in its first place, and whose second in its second.
    private static func contents(_ content: UUID, showing asset: UUID, _ object: UUID, _ hash: [UInt8]) -> [SQL] {
        func body(_ slots: String) -> JSONText { JSONText(bytes: Array(#"{"slots": [\#(slots)]}"#.utf8)) }
        let shown = #"{"assetId": "\#(asset.uuidString.lowercased())"}"#
        return [
            "INSERT INTO asset_objects (tenant_id, id, sha256, size) VALUES (\(tenant), \(object), \(hash), 5)",
            """
            INSERT INTO content_assets (tenant_id, id, sha256, media_type, size, created_by, object_id)
            VALUES (\(tenant), \(asset), \(hash), 'image/png', 5, 'user-1', \(object))
            """,
            """
            INSERT INTO contents (tenant_id, id, kind, status, version, title)
            VALUES (\(tenant), \(content), 'image_text', 'draft', 2, '夏日通勤')
            """,
            """
            INSERT INTO content_versions (tenant_id, content_id, version, title, body, source_kind, author)
            VALUES (\(tenant), \(content), 1, '夏日', \(body(shown)), 'human', 'user-1'),
                   (\(tenant), \(content), 2, '夏日通勤', \(body("{}, " + shown)), 'human', 'user-1')
            """,
        ]
    }
}
