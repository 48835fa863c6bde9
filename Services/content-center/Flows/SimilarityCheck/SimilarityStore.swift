import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

struct SimilarityStore: Sendable {
    let database: Database

    /// Contents whose newest text has no fingerprint, or one of another method.
    ///
    /// - Parameter last: only those that are older.
    func withoutFingerprint(before last: UUID?, limit: Int, of tenantId: UUID) async throws -> [ComparedText] {
        try await database.query(
            """
            SELECT c.id, c.version, v.title, v.body
            FROM contents c
            JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            LEFT JOIN content_fingerprints f ON f.tenant_id = c.tenant_id AND f.content_id = c.id
            WHERE c.tenant_id = \(tenantId) AND c.deleted_at IS NULL AND (\(last)::uuid IS NULL OR c.id < \(last))
                AND (f.marked_version IS DISTINCT FROM c.version OR f.method <> \(TextFingerprint.method)::smallint)
            ORDER BY c.id DESC LIMIT \(limit)
            """, tenant: tenantId
        ).map(Self.text)
    }

    /// All together; everybody takes them in the same order, so nobody waits for each other in a circle.
    func keep(_ fingerprints: [(text: ComparedText, bands: [Int64])], of tenantId: UUID) async throws {
        try await database.transaction(tenant: tenantId) { transaction in
            for (text, bands) in fingerprints {
                // The lock, which whoever changes nothing has as well, keeps two who do the same apart.
                try transaction.enqueue(
                    """
                    INSERT INTO content_fingerprints AS f (tenant_id, content_id, version, marked_version, method)
                    VALUES (\(tenantId), \(text.id), \(text.version), \(text.version), \(TextFingerprint.method)::smallint)
                    ON CONFLICT (tenant_id, content_id) DO UPDATE
                        SET version = EXCLUDED.version, marked_version = EXCLUDED.marked_version, method = EXCLUDED.method
                        WHERE f.marked_version IS DISTINCT FROM EXCLUDED.marked_version OR f.method <> EXCLUDED.method
                    """)
                try transaction.enqueue(
                    "DELETE FROM content_fingerprint_bands WHERE tenant_id = \(tenantId) AND content_id = \(text.id)")
                try transaction.enqueue(
                    """
                    INSERT INTO content_fingerprint_bands (tenant_id, content_id, band)
                    SELECT DISTINCT \(tenantId), \(text.id), band FROM unnest(\(bands)) AS band
                    """)
            }
        }
    }

    /// Those that share the most bands first.
    func candidates(sharing bands: [Int64], besides id: UUID, limit: Int, of tenantId: UUID) async throws -> [ComparedText] {
        try await database.query(
            """
            WITH found AS (
                SELECT content_id, count(*) AS shared FROM content_fingerprint_bands
                WHERE tenant_id = \(tenantId) AND band = ANY(\(bands)) AND content_id <> \(id)
                GROUP BY content_id
            )
            SELECT c.id, c.version, v.title, v.body
            FROM found
            JOIN contents c ON c.tenant_id = \(tenantId) AND c.id = found.content_id AND c.deleted_at IS NULL
            JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            ORDER BY found.shared DESC, c.id DESC LIMIT \(limit)
            """, tenant: tenantId
        ).map(Self.text)
    }

    private static func text(_ row: Row) throws -> ComparedText {
        ComparedText(
            id: try row.decode("id"), version: try row.decode("version"), title: try row.decode("title"),
            body: try JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes))
    }
}
