import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of vectors.
struct SemanticIndexStore: Sendable {
    let database: Database

    struct Pending: Sendable {
        var id: UUID
        var version: Int
        var title: String
        var body: ContentBody
        var spoken: [String]
    }

    private static func isPending(_ model: String) -> SQL {
        """
        c.deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM search_vectors s
            WHERE s.tenant_id = c.tenant_id AND s.content_id = c.id AND s.model = \(model) AND s.version >= c.version)
        """
    }

    func pending(_ model: String, limit: Int, of tenantId: UUID) async throws -> [Pending] {
        try await database.query(
            """
            SELECT c.id, c.version, v.title, v.body, t.text AS spoken FROM contents c
            JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            LEFT JOIN search_documents d ON d.tenant_id = c.tenant_id AND d.id = c.id
            LEFT JOIN subtitle_texts t ON t.tenant_id = d.tenant_id AND t.asset_id = d.subtitles
            WHERE c.tenant_id = \(tenantId) AND \(Self.isPending(model)) ORDER BY c.id DESC LIMIT \(limit)
            """, tenant: tenantId
        ).compactMap { row in
            // What a newer version of the service wrote waits for one that can read it.
            guard let body = try? JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes) else {
                return nil
            }
            return Pending(
                id: try row.decode("id"), version: try row.decode("version"), title: try row.decode("title"), body: body,
                spoken: SubtitleTexts.passages(in: try row.decode("spoken") ?? ""))
        }
    }

    /// What has gone meanwhile is left out, and an older version's vector never replaces a newer one's.
    func keep(_ vectors: [KeptVector], model: String, of tenantId: UUID) async throws {
        try await database.query(
            """
            INSERT INTO search_vectors AS s (tenant_id, content_id, version, model, signature, vector)
            SELECT c.tenant_id, c.id, n.version, \(model)::text, n.signature::varbit, n.vector
            FROM unnest(\(vectors.map(\.contentId)), \(vectors.map(\.version)), \(vectors.map { $0.vector?.signature ?? "" }),
                        \(vectors.map { $0.vector?.bytes ?? [] })) AS n (id, version, signature, vector)
            JOIN contents c ON c.tenant_id = \(tenantId) AND c.id = n.id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET
                version = excluded.version, model = excluded.model, signature = excluded.signature, vector = excluded.vector
            WHERE s.model <> excluded.model OR s.version <= excluded.version
            """, tenant: tenantId)
    }

    func candidates(
        for wish: SemanticWish, limit: Int, of tenantId: UUID
    ) async throws -> (candidates: [(content: ContentSummary, vector: [UInt8])], pending: Int) {
        let signature = wish.vector.signature
        async let rows = database.query(
            """
            SELECT \(unescaped: ContentSummary.columns), s.vector FROM search_vectors s
            JOIN contents c ON c.tenant_id = s.tenant_id AND c.id = s.content_id
            WHERE s.tenant_id = \(tenantId) AND s.model = \(wish.model) AND length(s.signature) = \(signature.utf8.count)
              AND c.deleted_at IS NULL AND (\(wish.kind?.rawValue)::text IS NULL OR c.kind = \(wish.kind?.rawValue)::text)
              AND (\(wish.status?.rawValue)::text IS NULL OR c.status = \(wish.status?.rawValue)::text)
            ORDER BY bit_count(s.signature # \(signature)::varbit), s.content_id DESC LIMIT \(limit)
            """, tenant: tenantId)
        let pending: Int = try await database.query(
            """
            SELECT count(*) AS n FROM (
                SELECT FROM contents c WHERE c.tenant_id = \(tenantId) AND \(Self.isPending(wish.model)) LIMIT 1000) AS p
            """, tenant: tenantId
        ).only.decode("n")
        let candidates = try await rows.map { (try ContentSummary($0), try $0.decode("vector", as: [UInt8].self)) }
        return (candidates, pending)
    }
}
