import DTO
import FoundationEssentials
import PostgresStore

/// Where assets are used. Versions of contents stand in `asset_uses`, written by a trigger with each version; whatever else may use an asset
/// holds it by a foreign key, which a deletion meets, and joins ``uses(of:before:limit:tenantId:)`` as another query.
struct AssetUsesStore: Sendable {
    let database: Database

    /// A query for `n`, how many contents show it in their newest version; what lies in the bin counts, since it may come back.
    static func count(_ id: UUID, _ tenantId: UUID) -> SQL {
        """
        SELECT count(DISTINCT c.id) AS n FROM asset_uses u
        JOIN contents c ON c.tenant_id = u.tenant_id AND c.id = u.content_id AND c.version = u.version
        WHERE u.tenant_id = \(tenantId) AND u.asset_id = \(id)
        """
    }

    /// Newest content first.
    func uses(of asset: LibraryAsset, before content: UUID?, limit: Int, tenantId: UUID) async throws -> [AssetUse] {
        let isExpired = asset.rightsState == .expired
        var sql: SQL = """
            SELECT c.id, c.kind, c.title, c.status, c.version, c.deleted_at IS NOT NULL AS is_deleted,
                array_agg(DISTINCT u.version::bigint) AS versions,
                coalesce(array_agg(u.pointer ORDER BY u.pointer) FILTER (WHERE u.version = c.version), '{}') AS places
            FROM asset_uses u JOIN contents c ON c.tenant_id = u.tenant_id AND c.id = u.content_id
            WHERE u.tenant_id = \(tenantId) AND u.asset_id = \(asset.id)
            """
        if let content { sql.append(" AND c.id < \(content)") }
        sql.append(" GROUP BY c.tenant_id, c.id ORDER BY c.id DESC LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map { row in
            let places: [String] = try row.decode("places")
            return AssetUse(
                contentId: try row.decode("id"), kind: try row.decodeCase("kind"), title: try row.decode("title"),
                status: try row.decodeCase("status"), version: try row.decode("version"), current: !places.isEmpty,
                places: places,
                versions: try row.decode("versions", as: [Int].self).sorted(by: >), inBin: try row.decode("is_deleted"),
                rightsExpired: isExpired && !places.isEmpty)
        }
    }
}
