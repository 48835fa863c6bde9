import FoundationEssentials
import PostgresStore

/// The SQL of the embedding cache.
struct EmbeddingsStore: EmbeddingCache {
    let app: Database
    /// Removes what nobody has asked for lately, of all tenants.
    let system: Database

    /// When a vector was last used is written down once an hour, so that reading it hardly ever writes.
    func vectors(of hashes: [[UInt8]], in space: EmbeddingSpace, tenantId: UUID) async throws -> [[UInt8]: Vector] {
        let found = try await app.pipeline(
            [
                """
                SELECT e.content_sha256, e.vector FROM unnest(\(hashes)) AS h(hash)
                JOIN ai_embeddings e ON e.tenant_id = \(tenantId) AND e.provider = \(space.provider) AND e.model = \(space.model)
                    AND e.dimensions = \(space.dimensions)::int AND e.content_sha256 = h.hash
                """,
                """
                UPDATE ai_embeddings e SET last_used_at = app_now()
                FROM (
                    SELECT content_sha256 FROM ai_embeddings
                    WHERE tenant_id = \(tenantId) AND provider = \(space.provider) AND model = \(space.model)
                        AND dimensions = \(space.dimensions)::int AND content_sha256 = ANY (\(hashes))
                        AND last_used_at < app_now() - interval '1 hour'
                    FOR UPDATE SKIP LOCKED
                ) old
                WHERE e.tenant_id = \(tenantId) AND e.provider = \(space.provider) AND e.model = \(space.model)
                    AND e.dimensions = \(space.dimensions)::int AND e.content_sha256 = old.content_sha256
                """,
            ], tenant: tenantId)
        var vectors: [[UInt8]: Vector] = [:]
        for row in found[0] { vectors[try row.decode("content_sha256")] = Vector(bytes: try row.decode("vector")) }
        return vectors
    }

    /// A tenant that wants no texts kept wants no vectors of them kept either. In the order of their keys, so that two who keep the same do
    /// not wait for each other in a circle.
    func keep(_ vectors: [(hash: [UInt8], vector: Vector)], in space: EmbeddingSpace, tenantId: UUID) async throws {
        try await app.query(
            """
            INSERT INTO ai_embeddings (tenant_id, provider, model, dimensions, content_sha256, vector)
            SELECT \(tenantId), \(space.provider)::text, \(space.model)::text, \(space.dimensions)::int, v.hash, v.vector
            FROM unnest(\(vectors.map(\.hash)), \(vectors.map(\.vector.bytes))) AS v(hash, vector)
            WHERE coalesce((SELECT s.retention_days FROM ai_tenant_settings s WHERE s.tenant_id = \(tenantId)), 1) > 0
                AND NOT EXISTS (SELECT FROM erased_tenants WHERE tenant_id = \(tenantId))
            ORDER BY v.hash
            ON CONFLICT DO NOTHING
            """, tenant: tenantId)
    }

    /// Removes what was not used for `days`, or for as long as the tenant keeps texts, and of each tenant all but the `most` used last.
    func sweep(days: Int, most: Int) async throws {
        try await system.query(
            """
            DELETE FROM ai_embeddings e
            WHERE e.last_used_at < app_now() - make_interval(days => least(\(days)::int, (
                SELECT s.retention_days FROM ai_tenant_settings s WHERE s.tenant_id = e.tenant_id)))
            """)
        try await system.query(
            """
            DELETE FROM ai_embeddings e
            USING (
                SELECT tenant_id, provider, model, dimensions, content_sha256,
                       row_number() OVER (PARTITION BY tenant_id ORDER BY last_used_at DESC, content_sha256) AS place
                FROM ai_embeddings
            ) ranked
            WHERE ranked.place > \(most) AND e.tenant_id = ranked.tenant_id AND e.provider = ranked.provider
                AND e.model = ranked.model AND e.dimensions = ranked.dimensions AND e.content_sha256 = ranked.content_sha256
            """)
    }
}
