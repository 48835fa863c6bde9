import DTO
import FoundationEssentials
import Messaging
import PostgresStore

/// The SQL of what people say about assets.
struct AssetFilingStore: Sendable {
    let database: Database
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    /// Writes what is new about an asset. That its rights end soon is told at once, not by the next sweep.
    ///
    /// - Returns: `nil` when `before` is not how it is any more.
    /// - Throws: ``FolderError``.
    func save(_ details: AssetDetails, of before: LibraryAsset, by author: Author) async throws -> LibraryAsset? {
        let after = try await namingFolders {
            try await database.transaction(tenant: author.tenantId) { transaction -> LibraryAsset? in
                let rows = try await transaction.query(
                    "\(Self.update(details, of: before, by: author)) RETURNING \(unescaped: RightsExpiryStore.columns)")
                guard let row = rows.first else { return nil }
                return try await RightsExpiryStore.tell(row, by: author, in: transaction)
            }
        }
        if after != nil { onCommit() }
        return after
    }

    /// Changes many assets in one transaction.
    ///
    /// - Parameter change: what becomes of each, in the order of `ids`.
    /// - Returns: how many are otherwise than before.
    /// - Throws: ``AssetFilingError``, ``FolderError``.
    func change(
        _ ids: [UUID], by author: Author, change: @escaping @Sendable ([LibraryAsset]) throws -> [AssetDetails]
    ) async throws -> Int {
        try await namingFolders {
            try await database.transaction(tenant: author.tenantId) { transaction in
                // In one order, so that two such changes do not wait for each other.
                let rows = try await transaction.query(
                    """
                    SELECT \(unescaped: LibraryAsset.columns) FROM content_assets
                    WHERE \(AssetsStore.isVisible(to: author.viewer)) AND id = ANY(\(ids)) ORDER BY id FOR UPDATE
                    """)
                let known = Dictionary(try rows.map { try LibraryAsset($0) }.map { ($0.id, $0) }) { first, _ in first }
                let missing = ids.indices.filter { known[ids[$0]] == nil }
                guard missing.isEmpty else { throw AssetFilingError.unknownAssets(missing) }
                let assets = ids.compactMap { known[$0] }
                let changed = zip(assets, try change(assets)).filter { $1 != AssetDetails($0) }
                for (asset, details) in changed { try transaction.enqueue(Self.update(details, of: asset, by: author)) }
                return changed.count
            }
        }
    }

    static let renamingBatch = 200

    /// One step of a renaming, with the event that tells of it.
    ///
    /// - Returns: how many assets have the new tag now instead; 0 when none is left.
    func rename(_ renaming: TagRenaming, by author: Author) async throws -> Int {
        let count = try await database.transaction(tenant: author.tenantId) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(unescaped: LibraryAsset.columns), app_now() AS now FROM content_assets
                WHERE \(AssetsStore.isVisible(to: author.viewer)) AND id IN (
                    SELECT k.asset_id FROM asset_keys k
                    WHERE k.tenant_id = \(author.tenantId) AND k.key = ANY(\(renaming.from.map { "t\($0)" })))
                ORDER BY id LIMIT \(Self.renamingBatch) FOR UPDATE
                """)
            var changed: [UUID] = []
            for asset in try rows.map(LibraryAsset.init) {
                var details = AssetDetails(asset)
                details.tags = renaming.applied(to: details.tags)
                // Somebody else was faster.
                guard details.tags != asset.tags else { continue }
                try transaction.enqueue(Self.update(details, of: asset, by: author))
                changed.append(asset.id)
            }
            guard !changed.isEmpty, let now = try rows.first?.decode("now", as: Date.self) else { return rows.count }
            let event = AssetEvent.tagsRenamed(AssetTagsRenamed(from: renaming.from, to: renaming.to, assetIds: changed))
            try await Outbox.append([event.cloudEvent(by: author, at: now)], in: transaction)
            return changed.count
        }
        if count > 0 { onCommit() }
        return count
    }

    func tags(startingWith prefix: String, limit: Int, for viewer: AssetViewer) async throws -> [AssetTag] {
        try await database.query(
            """
            SELECT substr(k.key, 2) AS tag, count(*) AS assets
            FROM asset_keys k JOIN content_assets ON content_assets.tenant_id = k.tenant_id AND content_assets.id = k.asset_id
            -- Nothing but tags, by the index; which of them is no question for it under row-level security.
            WHERE k.tenant_id = \(viewer.tenantId) AND k.key >= 't' AND k.key < 'u' AND starts_with(k.key, \("t" + prefix))
                AND \(AssetsStore.isVisible(to: viewer))
            GROUP BY k.key ORDER BY assets DESC, k.key LIMIT \(limit)
            """, tenant: viewer.tenantId
        ).map { AssetTag(tag: try $0.decode("tag"), assets: try $0.decode("assets")) }
    }

    /// Warnings begin anew where the end is another one.
    private static func update(_ details: AssetDetails, of asset: LibraryAsset, by author: Author) -> SQL {
        let rights = details.rights
        // One that has no name of its own keeps none: what is shown of it is made up.
        let filename: SQL = details.filename == asset.filename ? "filename" : "\(details.filename)"
        return """
            UPDATE content_assets SET filename = \(filename), folder_id = \(details.folderId), tags = \(details.tags),
                rights_holder = \(rights?.holder), rights_license = \(rights?.license), rights_source = \(rights?.source),
                rights_valid_from = \(rights?.validFrom), rights_expires_at = \(rights?.expiresAt),
                rights_territories = \(rights?.territories ?? []), rights_note = \(rights?.note),
                rights_told = CASE WHEN rights_expires_at IS NOT DISTINCT FROM \(rights?.expiresAt) THEN rights_told END,
                revision = revision + 1, updated_at = app_now()
            WHERE tenant_id = \(author.tenantId) AND id = \(asset.id) AND revision = \(asset.revision)
            """
    }

    private func namingFolders<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as PostgresError { throw FolderError(error) ?? error }
    }
}
