import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of edited subtitles. The asset, what it was made from and that its bytes have an owner are one transaction.
struct SubtitleEditingStore: Sendable {
    let database: Database
    let quotas: AssetQuotas

    /// Something else was faster: the same operation, or the deletion of what is edited.
    private struct Outrun: Error {}

    /// What the operation has made before.
    func made(from source: UUID, by author: Author) async throws -> LibraryAsset? {
        guard let operation = author.operationId else { return nil }
        return try await database.query(
            """
            SELECT \(unescaped: LibraryAsset.columns) FROM content_assets
            JOIN asset_edits e ON e.tenant_id = content_assets.tenant_id AND e.asset_id = content_assets.id AND e.source_id = \(source)
            WHERE content_assets.tenant_id = \(author.tenantId) AND content_assets.operation_id = \(operation)
            """, tenant: author.tenantId
        ).first.map(LibraryAsset.init)
    }

    /// Writes the asset whose bytes are kept as `object`, or finds the one that the same operation has written.
    ///
    /// - Returns: also the object that counts; where it is another one, `object` is garbage.
    func keep(
        _ edited: EditedSubtitles, _ object: UUID, by author: Author
    ) async throws -> (owner: LibraryAsset, object: UUID?) {
        do {
            do { return try await insert(edited, object, by: author) } catch  where Self.isGone(error) {
                // The object with the same bytes was there a moment ago.
                return try await insert(edited, object, by: author)
            }
        } catch is Outrun {
            guard let made = try await made(from: edited.source, by: author) else { throw AssetError.notFound }
            return (made, nil)
        } catch let error as PostgresError where error.isOfErasedTenant {
            throw PrivacyError.erased
        }
    }

    private static func isGone(_ error: any Error) -> Bool {
        error is ObjectGone || (error as? PostgresError)?.isForeignKeyViolation == true
    }

    private func insert(
        _ edited: EditedSubtitles, _ object: UUID, by author: Author
    ) async throws -> (owner: LibraryAsset, object: UUID?) {
        let tenantId = author.tenantId
        return try await database.transaction(tenant: tenantId) { transaction in
            // Before anything that a deletion takes later. Whoever deletes it waits, and notes what the edit was made from.
            let source = try await transaction.query(
                "SELECT 1 FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(edited.source) FOR KEY SHARE")
            guard !source.isEmpty else { throw Outrun() }
            guard
                let kept = try await AssetsStore.own(
                    object, sha256: edited.sha256, size: edited.size, of: tenantId, in: transaction)
            else { throw ObjectGone() }
            let row = try await transaction.query(
                """
                INSERT INTO content_assets
                    (tenant_id, id, origin, state, filename, media_type, scope, size, sha256, created_by, operation_id, folder_id, tags,
                     rights_holder, rights_license, rights_source, rights_valid_from, rights_expires_at, rights_territories, rights_note,
                     object_id)
                SELECT s.tenant_id, \(UUID.version7()), 'media', 'ready', \(edited.filename), \(edited.form.mediaType), s.scope,
                    \(edited.size), \(edited.sha256), \(author.subject), \(author.operationId), s.folder_id, s.tags,
                    s.rights_holder, s.rights_license, s.rights_source, s.rights_valid_from, s.rights_expires_at, s.rights_territories,
                    s.rights_note, \(kept)
                FROM content_assets s WHERE s.tenant_id = \(tenantId) AND s.id = \(edited.source)
                ON CONFLICT ON CONSTRAINT content_assets_operation DO NOTHING
                RETURNING \(unescaped: LibraryAsset.columns)
                """
            ).first
            guard let row else { throw Outrun() }
            let asset = try LibraryAsset(row)
            try transaction.enqueue(
                """
                INSERT INTO asset_edits (tenant_id, asset_id, source_id, job_id)
                SELECT \(tenantId), \(asset.id), \(edited.source), coalesce(
                    (SELECT e.job_id FROM asset_edits e WHERE e.tenant_id = \(tenantId) AND e.asset_id = \(edited.source)),
                    (SELECT o.job_id FROM media_outputs o
                        JOIN media_jobs m ON m.tenant_id = o.tenant_id AND m.id = o.job_id AND m.type = 'subtitle'
                        WHERE o.tenant_id = \(tenantId) AND o.asset_id = \(edited.source) AND o.kind IN ('srt', 'vtt')
                        ORDER BY o.job_id DESC LIMIT 1))
                """)
            if kept == object {
                try await AssetUsageStore(quotas: quotas).check(edited.size, of: tenantId, in: transaction)
            }
            return (asset, kept)
        }
    }
}
