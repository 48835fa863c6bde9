import DTO
import FoundationEssentials
import Messaging
import PostgresStore

/// The SQL of uploads. That an asset is ready and the event that tells of it are one transaction.
struct AssetUploadStore: Sendable {
    let database: Database
    /// Bytes that a tenant may keep whose plan says nothing else.
    let quotas: AssetQuotas
    /// Wakes the outbox relay after a commit.
    let onCommit: @Sendable () -> Void

    /// Writes the asset, or finds the one that the operation has written before; either way its URL's time begins now.
    ///
    /// - Returns: also whether its bytes are still to come.
    func announce(
        _ upload: NewUpload, partSize: Int? = nil, lifetime: Int, by author: Author
    ) async throws -> (id: UUID, urlExpiresAt: Date, isPending: Bool) {
        let watermark = try upload.watermark.map { try JSONText(encoding: $0) }
        let insert: SQL = """
            INSERT INTO content_assets
                (tenant_id, id, origin, state, filename, media_type, scope, size, sha256, created_by, operation_id,
                 part_size, folder_id, tags, watermark, upload_asked_at, upload_expires_at)
            VALUES (\(author.tenantId), \(UUID.version7()), 'upload', 'pending', \(upload.filename), \(upload.type.rawValue),
                    \(upload.scope), \(upload.size), \(upload.sha256), \(author.subject), \(author.operationId),
                    \(partSize), \(upload.folderId), \(upload.tags), \(watermark), app_now(),
                    app_now() + make_interval(secs => \(lifetime)::int))
            ON CONFLICT ON CONSTRAINT content_assets_operation DO UPDATE SET upload_asked_at = EXCLUDED.upload_asked_at,
                upload_expires_at = CASE WHEN content_assets.state = 'pending' THEN EXCLUDED.upload_expires_at END
            RETURNING id, app_now() + make_interval(secs => \(lifetime)::int) AS url_expires_at, state = 'pending' AS is_pending
            """
        let row: Row
        do { row = try await database.query(insert, tenant: author.tenantId).only } catch let error as PostgresError {
            throw FolderError(error) ?? error
        }
        return (try row.decode("id"), try row.decode("url_expires_at"), try row.decode("is_pending"))
    }

    func asset(_ id: UUID, of tenantId: UUID) async throws -> LibraryAsset? {
        try await database.query(
            "SELECT \(unescaped: LibraryAsset.columns) FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id)",
            tenant: tenantId
        ).first.map(LibraryAsset.init)
    }

    func asset(_ id: UUID, for viewer: AssetViewer) async throws -> LibraryAsset? {
        try await AssetsStore(database: database).asset(id, for: viewer)
    }

    /// How a pending asset's upload is divided; `nil` where it comes in one.
    func parts(of asset: LibraryAsset, _ tenantId: UUID) async throws -> ObjectParts? {
        let row = try await database.query(
            "SELECT part_size FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(asset.id)", tenant: tenantId
        ).first
        guard let partSize = try row?.decode("part_size", as: Int?.self), let size = asset.size else { return nil }
        return ObjectParts(size: size, partSize: partSize)
    }

    /// Somebody goes on with the upload. Written once for what is asked within some minutes.
    func goOn(with id: UUID, of tenantId: UUID) async throws {
        try await database.query(
            """
            UPDATE content_assets SET upload_asked_at = app_now()
            WHERE tenant_id = \(tenantId) AND id = \(id) AND state = 'pending'
                AND (upload_asked_at > app_now() - interval '10 minutes') IS NOT TRUE
            """, tenant: tenantId)
    }

    /// What the tenant keeps, and what it may.
    func usage(of tenantId: UUID, besides operation: UUID? = nil) async throws -> AssetUsage {
        try await AssetUsageStore(quotas: quotas).usage(of: tenantId, besides: operation, using: database)
    }

    /// The same as the transaction sees it.
    func usage(of tenantId: UUID, in transaction: Transaction) async throws -> AssetUsage {
        try await AssetUsageStore(quotas: quotas).usage(of: tenantId, in: transaction)
    }

    /// The asset is ready, with the object that holds its bytes: the arrived one, or the one that was there already, in which case the
    /// arrived one is garbage.
    ///
    /// - Throws: ``ObjectGone`` where it is pending no more: completed by somebody else, or deleted.
    func keep(
        _ asset: LibraryAsset, _ arrived: ArrivedObject, by author: Author,
        emitting events: @escaping @Sendable (LibraryAsset) -> [AssetEvent]
    ) async throws -> (asset: LibraryAsset, object: UUID) {
        do {
            return try await keepOnce(asset, arrived, by: author, emitting: events)
        } catch let error as PostgresError where error.isForeignKeyViolation {
            // The object with the same bytes was there a moment ago.
            return try await keepOnce(asset, arrived, by: author, emitting: events)
        }
    }

    private func keepOnce(
        _ asset: LibraryAsset, _ arrived: ArrivedObject, by author: Author,
        emitting events: @escaping @Sendable (LibraryAsset) -> [AssetEvent]
    ) async throws -> (asset: LibraryAsset, object: UUID) {
        let tenantId = author.tenantId
        let insert: SQL = """
            INSERT INTO asset_objects (tenant_id, id, sha256, size)
            VALUES (\(tenantId), \(arrived.object), \(arrived.sha256), \(arrived.size))
            -- Whichever constraint: two that complete the same upload meet on the id before they meet on the hash.
            ON CONFLICT DO NOTHING
            """
        // A second statement, so that it sees what a parallel transaction has just committed.
        let update: SQL = """
            UPDATE content_assets SET state = 'ready', size = \(arrived.size), sha256 = \(arrived.sha256),
                upload_expires_at = NULL, object_id = o.id, revision = revision + 1, updated_at = app_now()
            FROM asset_objects o
            WHERE o.tenant_id = \(tenantId) AND o.sha256 = \(arrived.sha256)
                AND content_assets.tenant_id = \(tenantId) AND content_assets.id = \(asset.id) AND state = 'pending'
            RETURNING object_id, \(unescaped: LibraryAsset.columns), app_now() AS at
            """
        let kept = try await database.transaction(tenant: tenantId) { transaction -> (LibraryAsset, UUID) in
            try transaction.enqueue(insert)
            guard let row = try await transaction.query(update).first else { throw ObjectGone() }
            let object: UUID = try row.decode("object_id")
            if object != arrived.object {
                try transaction.enqueue(ObjectGarbage.add(arrived.object, of: tenantId))
            }
            if object == arrived.object {
                try await AssetUsageStore(quotas: quotas).check(arrived.size, of: tenantId, in: transaction)
            }
            var ready = try LibraryAsset(row)
            ready.watermarkJobId = try await AssetFollowUps.order(for: ready, by: author, in: transaction)
            let at: Date = try row.decode("at")
            try await Outbox.append(try events(ready).map { try $0.cloudEvent(by: author, at: at) }, in: transaction)
            return (ready, object)
        }
        onCommit()
        return kept
    }

    /// Removes an asset that is pending.
    ///
    /// - Returns: whether it was.
    func forget(_ id: UUID, of tenantId: UUID) async throws -> Bool {
        try await database.transaction(tenant: tenantId) { try await Self.forget(id, of: tenantId, in: $0) }
    }

    /// Its object stays listed for a while although its bytes are removed right after the commit: a completion that is under way may move
    /// them over only then, and finds no row to give them to.
    static func forget(_ id: UUID, of tenantId: UUID, in transaction: Transaction) async throws -> Bool {
        let isGone = try await !transaction.query(
            "DELETE FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id) AND state = 'pending' RETURNING id"
        ).isEmpty
        if isGone { try transaction.enqueue(ObjectGarbage.announce([id], of: tenantId)) }
        return isGone
    }

    /// It has been removed from the store.
    func forgetGarbage(_ object: UUID, of tenantId: UUID) async throws {
        try await database.query(
            "DELETE FROM asset_garbage WHERE tenant_id = \(tenantId) AND object_id = \(object)", tenant: tenantId)
    }
}
