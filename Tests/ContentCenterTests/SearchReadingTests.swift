import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

extension ContentCenterHarness {
    /// Writes documents as a server of before does: it names no reading, and its tokens are others.
    fileprivate func writeAsBefore(_ content: Content) async throws {
        try await database.superuser.query(
            """
            INSERT INTO search_documents
                (tenant_id, id, segment, version, kind, status, completeness, created_at, updated_at, body, terms)
            SELECT tenant_id, id, segment, version, kind, status, completeness, created_at, updated_at, body, terms
            FROM search_documents WHERE id = \(content.id)
            ON CONFLICT (tenant_id, id) DO UPDATE SET version = excluded.version, body = excluded.body, terms = '{}'
            """)
    }

    fileprivate func words() async throws -> [String] {
        try await database.superuser.query("SELECT word FROM search_words ORDER BY word").map { try $0.decode("word") }
    }

    fileprivate func unread() async throws -> Int {
        try await database.superuser.query(
            """
            SELECT (SELECT count(*) FROM search_documents WHERE reading < 1) + (SELECT count(*) FROM search_words WHERE reading < 1) AS n
            """
        ).only.decode("n")
    }
}

/// What servers of before write while versions roll.
@Suite struct SearchReadingTests {
    @Test func isReadAnewByItself() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒霜", "iphone")
            let labels = Array(#"{"tags": ["new"]}"#.utf8)
            #expect(try await service.send(.patch, "/v1/contents/\(content.id.lowercase)/labels", body: labels).status == .ok)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("防晒霜", "&tag=new") == ["防晒霜"])
            #expect(try await service.unread() == 0)
            try await service.writeAsBefore(content)
            // Somebody who did not see it yet has forgotten its words.
            try await service.database.superuser.query("DELETE FROM search_words")
            #expect(try await service.unread() == 1)
            #expect(try await service.titles("防晒霜", "&tag=new") == [])
            try await service.indexer.takeInAll()
            #expect(try await service.titles("防晒霜", "&tag=new") == ["防晒霜"])
            #expect(try await service.words() == ["iphone", "new"])
            #expect(try await service.unread() == 0)
            #expect(try await service.count("search_changes") == 0)
        }
    }

    /// What a crash takes from the index it gives back to the list.
    @Test func doesNotWaitForTheDisk() async throws {
        try await ContentCenterHarness.run { service in
            for sql: SQL in [
                "CREATE TABLE commits (synchronous text NOT NULL)",
                """
                CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                    INSERT INTO commits VALUES (current_setting('synchronous_commit')); RETURN NULL;
                END $$
                """,
                "CREATE TRIGGER noted AFTER DELETE ON search_changes FOR EACH ROW EXECUTE FUNCTION note_commit()",
            ] { try await service.database.superuser.query(sql) }
            _ = try await service.copy("防晒霜", "油皮")
            try await service.indexer.takeInAll()
            let noted = try await service.database.superuser.query("SELECT DISTINCT synchronous FROM commits")
            #expect(try noted.map { try $0.decode("synchronous", as: String.self) } == ["off"])
        }
    }

    @Test func waitsWhereManyChangesDo() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒霜", "油皮")
            try await service.indexer.takeInAll()
            try await service.writeAsBefore(content)
            try await service.database.superuser.query(
                """
                INSERT INTO search_changes (tenant_id, content_id)
                SELECT \(ContentCenterHarness.tenant), gen_random_uuid() FROM generate_series(1, \(SearchIndexer.batch))
                """)
            #expect(try await service.indexer.takeIn() == SearchIndexer.batch)
            #expect(try await service.count("search_changes") == 0)
            #expect(try await service.indexer.takeIn() == 1)
            #expect(try await service.count("search_changes") == 1)
        }
    }

    @Test func keepsAllWordsUntilItIsRead() async throws {
        try await ContentCenterHarness.run { service in
            let old = try await service.copy("甲", "xiaomi")
            let edited = try await service.copy("乙", "phone")
            try await service.indexer.takeInAll()
            try await service.writeAsBefore(old)
            try await service.database.superuser.query(
                "INSERT INTO search_words (tenant_id, word) VALUES (\(ContentCenterHarness.tenant), 'xioami')")
            let patch = ContentPatch(body: ContentBodyPatch(text: "case"))
            #expect(try await service.patch(edited.id, patch, ifVersion: 1).status == .ok)
            try await service.indexer.takeIn()
            #expect(try await service.count("search_changes") == 1)
            #expect(try await service.words() == ["case", "phone", "xiaomi", "xioami"])
            try await service.indexer.takeInAll()
            #expect(try await service.words() == ["case", "xiaomi"])
            #expect(try await service.unread() == 0)
        }
    }
}
