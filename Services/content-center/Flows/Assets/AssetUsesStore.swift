import DTO
import FoundationEssentials
import PostgresStore

/// Where assets are used. Versions of contents stand in `asset_uses`, written by a trigger with each version; whatever else may use an asset
/// holds it by a foreign key, which a deletion meets, and stands in ``holders(of:for:)``.
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

    private static let mostHolders = 100

    /// Closing materials, also those in the bin, and accounts.
    func holders(of id: UUID, for viewer: AssetViewer) async throws -> [AssetHolder] {
        let isThere: SQL = viewer.seesEverything ? "true" : AssetsStore.isForThem(viewer)
        return try await database.query(
            """
            SELECT 'material' AS kind, m.id, m.title, m.deleted_at IS NOT NULL AS is_deleted FROM materials m
            WHERE m.tenant_id = \(viewer.tenantId) AND \(isThere) AND EXISTS (SELECT FROM material_assets h
                WHERE h.tenant_id = m.tenant_id AND h.material_id = m.id AND h.asset_id = \(id))
            UNION ALL
            SELECT 'account_profile', p.account_id, coalesce(p.nickname, ''), false FROM account_profiles p
            WHERE p.tenant_id = \(viewer.tenantId) AND p.avatar_asset_id = \(id)
            ORDER BY 1, 2 LIMIT \(Self.mostHolders)
            """, tenant: viewer.tenantId
        ).map {
            AssetHolder(
                kind: try $0.decodeCase("kind"), id: try $0.decode("id"), title: try $0.decode("title"),
                inBin: try $0.decode("is_deleted"))
        }
    }

    /// How many there are, also of those that are not there for whoever asks.
    static func holders(of id: UUID, _ tenantId: UUID, in transaction: Transaction) async throws -> AssetHolders {
        let row = try await transaction.query(
            """
            SELECT (SELECT count(DISTINCT material_id) FROM material_assets
                    WHERE tenant_id = \(tenantId) AND asset_id = \(id)) AS materials,
                (SELECT count(*) FROM account_profiles WHERE tenant_id = \(tenantId) AND avatar_asset_id = \(id)) AS accounts
            """
        ).only
        return AssetHolders(materials: try row.decode("materials"), accounts: try row.decode("accounts"))
    }
}

/// How many have an asset that are no contents.
struct AssetHolders: Sendable, Equatable {
    var materials = 0
    var accounts = 0
}
