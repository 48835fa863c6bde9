import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of what a tenant keeps and may keep.
struct AssetUsageStore: Sendable {
    let quotas: AssetQuotas
    /// After this an upload that nobody goes on with takes nobody's room, although it may be gone on with for longer.
    static let patience = Duration.seconds(24 * 3_600)

    /// - Parameter operation: whose upload does not count: it is being announced once more.
    func usage(of tenantId: UUID, besides operation: UUID? = nil, using database: Database) async throws -> AssetUsage {
        try usage(try await database.query(query(tenantId, besides: operation), tenant: tenantId).only)
    }

    /// As the transaction sees it, whose own objects a trigger has counted by now; whoever else adds waits for its commit.
    func usage(of tenantId: UUID, in transaction: Transaction) async throws -> AssetUsage {
        try usage(try await transaction.query(query(tenantId, besides: nil)).only)
    }

    /// The transaction has added bytes.
    ///
    /// - Throws: ``AssetError/beyondQuota(used:limit:)`` where they are more than the tenant may keep.
    func check(_ added: Int, of tenantId: UUID, in transaction: Transaction) async throws {
        let usage = try await usage(of: tenantId, in: transaction)
        if usage.bytes > usage.limitBytes { throw AssetError.beyondQuota(used: usage.bytes - added, limit: usage.limitBytes) }
    }

    private func query(_ tenantId: UUID, besides operation: UUID?) -> SQL {
        """
        SELECT coalesce(u.bytes, 0) AS bytes, coalesce(u.objects, 0) AS objects, q.bytes AS own_bytes, q.plan,
            (SELECT coalesce(sum(size), 0)::bigint FROM content_assets
             WHERE tenant_id = \(tenantId) AND state = 'pending' AND upload_expires_at > app_now()
                AND coalesce(upload_asked_at, created_at)
                    > app_now() - make_interval(secs => \(Int(Self.patience.components.seconds))::int)
                AND (operation_id = \(operation)::uuid) IS NOT TRUE) AS pending_bytes
        FROM (SELECT 1) one
        LEFT JOIN asset_usage u ON u.tenant_id = \(tenantId) LEFT JOIN asset_quotas q ON q.tenant_id = \(tenantId)
        """
    }

    private func usage(_ row: Row) throws -> AssetUsage {
        AssetUsage(
            bytes: try row.decode("bytes"), objects: try row.decode("objects"), pendingBytes: try row.decode("pending_bytes"),
            limitBytes: try quotas.bytes(own: row.decode("own_bytes"), plan: row.decode("plan")))
    }
}
