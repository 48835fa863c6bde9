import FoundationEssentials
import PostgresStore

/// The SQL of the sweeper: as `system`, since it works for no tenant.
struct AssetSweeperStore: Sendable {
    struct Item: Sendable, Equatable {
        let tenantId: UUID
        let id: UUID
    }

    let system: Database

    func abandoned(after patience: Duration) async throws -> [Item] {
        try await system.query(
            """
            SELECT tenant_id, id FROM content_assets
            WHERE state = 'pending' AND upload_expires_at < app_now() - make_interval(secs => \(Int(patience.components.seconds))::int)
            ORDER BY upload_expires_at LIMIT 1000
            """
        ).map { Item(tenantId: try $0.decode("tenant_id"), id: try $0.decode("id")) }
    }

    /// Its object is listed for a while, as where its owner deletes it: whoever dies before its bytes are removed leaves a row by which they
    /// are found, and so does a completion that moves them over only then.
    ///
    /// - Returns: whether it was pending still.
    func forget(_ upload: Item) async throws -> Bool {
        try await system.transaction { transaction in
            let isGone = try await !transaction.query(
                """
                DELETE FROM content_assets WHERE tenant_id = \(upload.tenantId) AND id = \(upload.id) AND state = 'pending'
                RETURNING id
                """
            ).isEmpty
            if isGone { try transaction.enqueue(ObjectGarbage.announce([upload.id], of: upload.tenantId)) }
            return isGone
        }
    }

    /// What nobody owns or will own. A row that somebody is taking off the list is passed over.
    func garbage() async throws -> [Item] {
        try await system.query(
            """
            SELECT tenant_id, object_id AS id FROM asset_garbage WHERE due_at <= app_now()
            ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED
            """
        ).map { Item(tenantId: try $0.decode("tenant_id"), id: try $0.decode("id")) }
    }

    func forgetGarbage(_ object: Item) async throws {
        try await system.query(
            """
            DELETE FROM asset_garbage
            WHERE tenant_id = \(object.tenantId) AND object_id = \(object.id) AND due_at <= app_now()
            """)
    }
}
