import Cryptography
import DTO
import FoundationEssentials
import PostgresStore

struct AssetsStore: Sendable {
    let database: Database

    /// Writes a picture, or finds the one with the same bytes.
    func insertOnce(_ bytes: [UInt8], sha256: [UInt8], mediaType: String, by author: Author) async throws -> Asset {
        let insert: SQL = """
            WITH asset AS (
                INSERT INTO content_assets (tenant_id, id, sha256, media_type, size, created_by)
                VALUES (\(author.tenantId), \(UUID.version7()), \(sha256), \(mediaType), \(bytes.count), \(author.subject))
                ON CONFLICT ON CONSTRAINT content_assets_hash DO NOTHING RETURNING tenant_id, id
            )
            INSERT INTO content_asset_bytes (tenant_id, asset_id, bytes) SELECT tenant_id, id, \(bytes) FROM asset
            """
        // A second statement, so that it sees what a parallel transaction has just committed.
        let find: SQL = """
            SELECT id, sha256, media_type, size, created_at FROM content_assets
            WHERE tenant_id = \(author.tenantId) AND sha256 = \(sha256)
            """
        return try await database.transaction(tenant: author.tenantId) { transaction in
            try transaction.enqueue(insert)
            return try Self.asset(try await transaction.query(find).only)
        }
    }

    func asset(_ id: UUID, of tenantId: UUID) async throws -> Asset? {
        try await database.query(
            """
            SELECT id, sha256, media_type, size, created_at FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id)
            """, tenant: tenantId
        ).first.map(Self.asset)
    }

    func picture(_ id: UUID, of tenantId: UUID) async throws -> (asset: Asset, bytes: [UInt8])? {
        try await database.query(
            """
            SELECT a.id, a.sha256, a.media_type, a.size, a.created_at, b.bytes
            FROM content_assets a JOIN content_asset_bytes b ON b.tenant_id = a.tenant_id AND b.asset_id = a.id
            WHERE a.tenant_id = \(tenantId) AND a.id = \(id)
            """, tenant: tenantId
        ).first.map { (try Self.asset($0), try $0.decode("bytes", as: [UInt8].self)) }
    }

    private static func asset(_ row: Row) throws -> Asset {
        Asset(
            id: try row.decode("id"), mediaType: try row.decode("media_type"), size: try row.decode("size"),
            sha256: Hex.encode(try row.decode("sha256", as: [UInt8].self)), createdAt: try row.decode("created_at"))
    }
}
