import DTO
import FoundationEssentials
import PostgresStore

/// Counts what a tenant keeps.
struct StorageReportStore: Sendable {
    let database: Database
    let upload: AssetUploadStore

    func storage(of tenantId: UUID) async throws -> TenantStorage {
        let results = try await database.pipeline(
            [contents(tenantId, isInBin: false), contents(tenantId, isInBin: true), assets(tenantId), sums(tenantId)],
            tenant: tenantId)
        let sums = try results[3].only
        let bin = try results[1].map { row in
            StorageSum(count: try row.decode("contents"), bytes: try row.decode("bytes"))
        }
        return TenantStorage(
            contents: try results[0].map { row in
                ContentStorage(
                    kind: try row.decodeCase("kind"), contents: try row.decode("contents"), versions: try row.decode("versions"),
                    bytes: try row.decode("bytes"))
            },
            materials: TenantCount(name: "materials", count: try sums.decode("materials")),
            assets: try results[2].map { row in
                AssetStorage(
                    mediaType: try row.decode("media_type"), origin: try row.decode("origin"), count: try row.decode("assets"),
                    bytes: try row.decode("bytes"))
            },
            pendingUploads: StorageSum(count: try sums.decode("pending"), bytes: try sums.decode("pending_bytes")),
            bin: StorageSum(count: bin.map(\.count).reduce(0, +), bytes: bin.map(\.bytes).reduce(0, +)),
            exports: StorageSum(count: try sums.decode("exports"), bytes: try sums.decode("export_bytes")),
            usage: try await upload.usage(of: tenantId))
    }

    private func contents(_ tenantId: UUID, isInBin: Bool) -> SQL {
        """
        SELECT c.kind, count(DISTINCT c.id) AS contents, count(*) AS versions, coalesce(sum(pg_column_size(v.body)), 0)::bigint AS bytes
        FROM contents c JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id
        WHERE c.tenant_id = \(tenantId) AND c.deleted_at \(unescaped: isInBin ? "IS NOT NULL" : "IS NULL")
        GROUP BY c.kind ORDER BY c.kind
        """
    }

    private func assets(_ tenantId: UUID) -> SQL {
        """
        SELECT media_type, origin, count(*) AS assets, coalesce(sum(size), 0)::bigint AS bytes FROM content_assets
        WHERE tenant_id = \(tenantId) AND state = 'ready' GROUP BY media_type, origin ORDER BY media_type, origin
        """
    }

    private func sums(_ tenantId: UUID) -> SQL {
        """
        SELECT (SELECT count(*) FROM materials WHERE tenant_id = \(tenantId) AND deleted_at IS NULL) AS materials,
            p.pending, p.pending_bytes, e.exports, e.export_bytes
        FROM (SELECT count(*) AS pending, coalesce(sum(size), 0)::bigint AS pending_bytes FROM content_assets
              WHERE tenant_id = \(tenantId) AND state = 'pending') p,
             (SELECT count(*) AS exports, coalesce(sum(size), 0)::bigint AS export_bytes FROM tenant_exports
              WHERE tenant_id = \(tenantId) AND size IS NOT NULL) e
        """
    }
}
