import DTO
import FoundationEssentials
import Messaging
import PostgresStore

/// The SQL of rights that end: `system` finds them, `app` tells of each under its tenant, in one transaction with the mark that it was told.
struct RightsExpiryStore: Sendable {
    static let batch = 500

    let system: Database
    let database: Database
    let onCommit: @Sendable () -> Void

    /// Those of which something is to be told.
    func due() async throws -> [AssetSweeperStore.Item] {
        let widest = RightsRule.days.max() ?? 0
        return try await system.query(
            """
            SELECT tenant_id, id FROM content_assets
            WHERE state = 'ready' AND rights_expires_at <= app_now() + make_interval(hours => \(24 * widest)::int) AND rights_told IS DISTINCT FROM 0
                AND coalesce(rights_told > \(Self.stage), true)
            ORDER BY rights_expires_at LIMIT \(Self.batch)
            """
        ).map { AssetSweeperStore.Item(tenantId: try $0.decode("tenant_id"), id: try $0.decode("id")) }
    }

    /// ``RightsRule/stage(at:expiresAt:)`` in SQL.
    private static let stage: SQL = {
        var sql: SQL = "CASE WHEN rights_expires_at <= app_now() THEN 0"
        for days in RightsRule.days.sorted() {
            sql.append(" WHEN rights_expires_at <= app_now() + make_interval(hours => \(24 * days)::int) THEN \(days)")
        }
        return sql + " END"
    }()

    func tell(_ item: AssetSweeperStore.Item) async throws {
        let author = Author(tenantId: item.tenantId, subject: "service:content-center")
        try await database.transaction(tenant: item.tenantId) { transaction in
            // Two replicas sweep: the second waits here and finds it told.
            let row = try await transaction.query(
                """
                SELECT \(unescaped: Self.columns) FROM content_assets
                WHERE tenant_id = \(item.tenantId) AND id = \(item.id) FOR UPDATE
                """
            ).first
            if let row { _ = try await Self.tell(row, by: author, in: transaction) }
        }
        onCommit()
    }

    /// What ``tell(_:by:in:)`` reads.
    static let columns = LibraryAsset.columns + ", rights_told, notices, app_now() AS now"

    /// Tells what is due of an asset whose row this transaction has locked. That something was told is no change of the asset: whoever is
    /// editing it goes on.
    ///
    /// - Returns: the asset.
    static func tell(_ row: Row, by author: Author, in transaction: Transaction) async throws -> LibraryAsset {
        let asset = try LibraryAsset(row)
        let (now, told): (Date, Int?) = (try row.decode("now"), try row.decode("rights_told"))
        guard asset.state == .ready, let expiresAt = asset.rights?.expiresAt,
            let stage = RightsRule.due(at: now, expiresAt: expiresAt, told: told)
        else { return asset }
        try transaction.enqueue(
            """
            UPDATE content_assets SET rights_told = \(stage), notices = notices + 1
            WHERE tenant_id = \(author.tenantId) AND id = \(asset.id)
            """)
        let notices = try row.decode("notices", as: Int.self) + 1
        let contents = try await transaction.query(AssetUsesStore.count(asset.id, author.tenantId)).only.decode("n", as: Int.self)
        let everybody = AssetViewer(tenantId: author.tenantId, subject: "")
        let seen = try await transaction.query(
            "SELECT 1 FROM content_assets WHERE \(AssetsStore.isVisible(to: everybody)) AND content_assets.id = \(asset.id)")
        let event = AssetEvent.rightsEnd(
            asset, forEverybody: !seen.isEmpty, expiresAt: expiresAt, days: stage, contents: contents, notices: notices)
        try await Outbox.append([event.cloudEvent(by: author, at: now)], in: transaction)
        return asset
    }
}
