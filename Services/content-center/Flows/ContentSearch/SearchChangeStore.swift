import FoundationEssentials
import PostgresStore

/// A content or an asset that the index has yet to take in.
struct SearchChange: Sendable {
    var tenantId: UUID
    var id: UUID
    /// Grows: what was listed again meanwhile has another.
    var change: Int64
}

/// The SQL of a list of changes, which triggers keep: one row for each that waits. The system role finds what waits; the work runs as
/// `app`, for its tenant.
struct SearchChangeStore: Sendable {
    private let list: String
    private let key: String
    private let source: SQL

    static let contents = SearchChangeStore(list: "search_changes", key: "content_id", source: "contents WHERE true")
    static let assets = SearchChangeStore(
        list: "search_asset_changes", key: "asset_id", source: "content_assets WHERE state = 'ready'")

    /// The longest waiting, for 30 seconds nobody else's.
    func claim(limit: Int, system: Database) async throws -> [SearchChange] {
        try await system.query(
            """
            UPDATE \(identifier: list) s SET leased_until = app_now() + interval '30 seconds'
            -- By their places, which are looked for once: joined with it, the list would be read again for each of its rows.
            WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM \(identifier: list) WHERE leased_until IS NULL OR leased_until < app_now()
                ORDER BY change LIMIT \(limit) FOR UPDATE SKIP LOCKED))
            RETURNING s.tenant_id, s.\(identifier: key) AS id, s.change
            """
        ).map {
            SearchChange(tenantId: try $0.decode("tenant_id"), id: try $0.decode("id"), change: try $0.decode("change"))
        }
    }

    /// Takes off the list what the index has taken in as it was listed.
    func strike(_ done: [SearchChange], of tenantId: UUID) -> SQL {
        """
        DELETE FROM \(identifier: list) WHERE ctid = ANY(ARRAY(
            SELECT s.ctid FROM unnest(\(done.map(\.id)), \(done.map(\.change))) AS c (id, change)
            CROSS JOIN LATERAL (
                SELECT s.ctid FROM \(identifier: list) s
                WHERE s.tenant_id = \(tenantId) AND s.\(identifier: key) = c.id AND s.change = c.change
                -- Whoever is changing one just now lists it anew: no need to wait for them.
                FOR UPDATE SKIP LOCKED
            ) AS s))
        """
    }

    /// Lists everything, or one tenant's.
    ///
    /// - Returns: how much.
    func listAll(of tenantId: UUID?, system: Database) async throws -> Int {
        try await system.query(
            """
            INSERT INTO \(identifier: list) (tenant_id, \(identifier: key))
            SELECT tenant_id, id FROM \(source) AND (\(tenantId)::uuid IS NULL OR tenant_id = \(tenantId)) ORDER BY id
            ON CONFLICT (tenant_id, \(identifier: key)) DO UPDATE SET change = DEFAULT, leased_until = NULL
            """
        ).affectedRows
    }
}
