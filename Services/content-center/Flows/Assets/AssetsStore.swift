import Cryptography
import DTO
import FoundationEssentials
import PostgresStore

struct AssetsStore: Sendable {
    /// Where a picture's bytes are.
    enum Place: Sendable {
        case object(UUID)
        /// In the database, as before there was a store.
        case row([UInt8])
    }

    let database: Database
    /// As in ``AssetUsageStore``.
    var quotas = AssetQuotas()

    /// An id for bytes that are about to be kept, known to the sweeper in case that nobody comes to own them.
    func newObject(of tenantId: UUID) async throws -> UUID {
        let object = UUID.version7()
        try await database.query(ObjectGarbage.announce([object], of: tenantId), tenant: tenantId)
        return object
    }

    // MARK: Pictures of flows

    func picture(_ sha256: [UInt8], of tenantId: UUID) async throws -> Asset? {
        try await database.query(
            """
            SELECT id, sha256, media_type, size, created_at FROM content_assets
            WHERE tenant_id = \(tenantId) AND sha256 = \(sha256) AND origin = 'flow'
            """, tenant: tenantId
        ).first.map(Self.asset)
    }

    /// Writes a picture whose bytes are kept, or finds the one with the same bytes.
    ///
    /// - Returns: also the object that counts; where it is another one, `object` is garbage.
    func insertOnce(
        _ object: UUID, sha256: [UInt8], size: Int, mediaType: String, by author: Author
    ) async throws -> (owner: Asset, object: UUID?) {
        do {
            return try await insert(object, sha256: sha256, size: size, mediaType: mediaType, by: author)
        } catch let error as PostgresError where error.isOfErasedTenant {
            throw PrivacyError.erased
        }
    }

    private func insert(
        _ object: UUID, sha256: [UInt8], size: Int, mediaType: String, by author: Author
    ) async throws -> (owner: Asset, object: UUID?) {
        let tenantId = author.tenantId
        return try await database.transaction(tenant: tenantId) { transaction in
            try transaction.enqueue(Self.insertObject(object, sha256: sha256, size: size, of: tenantId))
            // Each a statement of its own, so that it sees what a parallel transaction has just committed.
            try transaction.enqueue(
                """
                INSERT INTO content_assets (tenant_id, id, sha256, media_type, size, created_by, object_id)
                SELECT \(tenantId), \(UUID.version7()), \(sha256), \(mediaType), \(size), \(author.subject), o.id
                FROM asset_objects o WHERE o.tenant_id = \(tenantId) AND o.sha256 = \(sha256)
                ON CONFLICT (tenant_id, sha256) WHERE origin = 'flow' DO NOTHING
                """)
            let row = try await transaction.query(
                """
                SELECT id, sha256, media_type, size, created_at, object_id FROM content_assets
                WHERE tenant_id = \(tenantId) AND sha256 = \(sha256) AND origin = 'flow'
                """
            ).only
            let kept: UUID? = try row.decode("object_id")
            try await Self.settle(object, kept, of: tenantId, in: transaction)
            if kept == object { try await AssetUsageStore(quotas: quotas).check(size, of: tenantId, in: transaction) }
            return (try Self.asset(row), kept)
        }
    }

    private static func insertObject(_ object: UUID, sha256: [UInt8], size: Int, of tenantId: UUID) -> SQL {
        """
        INSERT INTO asset_objects (tenant_id, id, sha256, size) VALUES (\(tenantId), \(object), \(sha256), \(size))
        ON CONFLICT ON CONSTRAINT asset_objects_hash DO NOTHING
        """
    }

    /// The bytes of an announced object have an owner from this transaction on: it, or the one with the same bytes that was there already.
    ///
    /// - Returns: the object that counts, for the owner's row; `nil` where the one with the same bytes went meanwhile.
    static func own(
        _ object: UUID, sha256: [UInt8], size: Int, of tenantId: UUID, in transaction: Transaction
    ) async throws -> UUID? {
        try transaction.enqueue(insertObject(object, sha256: sha256, size: size, of: tenantId))
        // A statement of its own, so that it sees what a parallel transaction has just committed.
        let kept = try await transaction.query(
            "SELECT id FROM asset_objects WHERE tenant_id = \(tenantId) AND sha256 = \(sha256)"
        ).first?.decode("id", as: UUID.self)
        try await settle(object, kept, of: tenantId, in: transaction)
        return kept
    }

    /// An announced object has its owner now, or is garbage, since another one counts.
    private static func settle(_ object: UUID, _ kept: UUID?, of tenantId: UUID, in transaction: Transaction) async throws {
        if kept == object {
            try await ObjectGarbage.claim([object], of: tenantId, in: transaction)
        } else {
            try transaction.enqueue(ObjectGarbage.add(object, of: tenantId))
        }
    }

    /// What a content may show: small enough to be handed out by a route.
    static let shown: SQL = """
        state = 'ready' AND media_type IN ('image/png', 'image/jpeg', 'image/webp') AND size <= 8388608
        """

    func pictureTag(_ id: UUID, of tenantId: UUID) async throws -> Asset? {
        try await database.query(
            """
            SELECT id, sha256, media_type, size, created_at FROM content_assets
            WHERE tenant_id = \(tenantId) AND id = \(id) AND \(Self.shown)
            """, tenant: tenantId
        ).first.map(Self.asset)
    }

    func picture(_ id: UUID, of tenantId: UUID) async throws -> (asset: Asset, place: Place)? {
        try await database.query(
            """
            SELECT a.id, a.sha256, a.media_type, a.size, a.created_at, a.object_id, b.bytes
            FROM content_assets a LEFT JOIN content_asset_bytes b ON b.tenant_id = a.tenant_id AND b.asset_id = a.id
            WHERE a.tenant_id = \(tenantId) AND a.id = \(id) AND \(Self.shown)
            """, tenant: tenantId
        ).first.flatMap { row in
            if let object = try row.decode("object_id", as: UUID?.self) { return (try Self.asset(row), .object(object)) }
            return try row.decode("bytes", as: [UInt8]?.self).map { (try Self.asset(row), .row($0)) }
        }
    }

    private static func asset(_ row: Row) throws -> Asset {
        Asset(
            id: try row.decode("id"), mediaType: try row.decode("media_type"), size: try row.decode("size"),
            sha256: Hex.encode(try row.decode("sha256", as: [UInt8].self)), createdAt: try row.decode("created_at"))
    }

    // MARK: The library

    func asset(_ id: UUID, of tenantId: UUID) async throws -> LibraryAsset? {
        try await database.query(
            "SELECT \(unescaped: LibraryAsset.columns) FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id)",
            tenant: tenantId
        ).first.map(LibraryAsset.init)
    }

    /// Newest first by id, as contents are listed.
    func list(_ filter: AssetFilter, for viewer: AssetViewer) async throws -> [LibraryAsset] {
        try await database.query(Self.list(filter, for: viewer), tenant: viewer.tenantId).map { try LibraryAsset($0) }
    }

    static func list(_ filter: AssetFilter, for viewer: AssetViewer) -> SQL {
        var sql: SQL = """
            SELECT \(unescaped: LibraryAsset.columns) FROM content_assets WHERE \(isVisible(to: viewer))
            """
        if let kind = filter.kind {
            let types = FileType.allCases.filter { $0.kind == kind }.map(\.rawValue)
            sql.append(" AND media_type = ANY(\(types))")
        }
        if let state = filter.state { sql.append(" AND state = \(state.rawValue)") }
        if let scope = filter.scope { sql.append(" AND scope = \(scope)") }
        if let tag = filter.tag { sql.append(Self.has(key: "'t' || \(tag)::text")) }
        if let rights = filter.rights { sql.append(" AND \(unescaped: LibraryAsset.condition(for: rights))") }
        if let name = filter.name {
            for key in Self.nameKeys(name) { sql.append(Self.has(key: key)) }
            sql.append(" AND position(lower(\(name)) IN lower(filename)) > 0")
        }
        switch filter.place {
        case .anywhere: break
        case .top: sql.append(" AND folder_id IS NULL")
        case .folder(let folder, withSubfolders: false): sql.append(" AND folder_id = \(folder)")
        case .folder(let folder, withSubfolders: true):
            sql.append(
                " AND folder_id IN (WITH RECURSIVE \(FolderStore.below(folder, viewer.tenantId)) SELECT below.id FROM below)")
        }
        if let id = filter.olderThan { sql.append(" AND id < \(id)") }
        return sql + " ORDER BY id DESC LIMIT \(filter.limit)"
    }

    /// What `asset_keys` must have of an asset.
    private static func has(key: SQL) -> SQL {
        """
         AND EXISTS (SELECT FROM asset_keys k
            WHERE k.tenant_id = content_assets.tenant_id AND k.asset_id = content_assets.id AND k.key = \(key))
        """
    }

    /// The keys that every asset has in whose name this stands: its neighbours, without overlap, or the one character that it is. More than
    /// these few find hardly less.
    private static func nameKeys(_ part: String) -> [SQL] {
        let length = part.unicodeScalars.count
        guard length > 1 else { return ["'n' || lower(\(part)::text)"] }
        return stride(from: 1, to: length, by: 2).prefix(4).map { "'n' || substr(lower(\(part)::text), \($0)::integer, 2)" }
    }

    func object(of id: UUID, _ tenantId: UUID) async throws -> UUID? {
        try await database.query(
            "SELECT object_id FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id)", tenant: tenantId
        ).first.flatMap { try $0.decode("object_id", as: UUID?.self) }
    }

    /// A picture's bytes are in the store from now on.
    ///
    /// - Returns: the object that counts; where it is another one, `object` is garbage.
    func moveOver(_ id: UUID, to object: UUID, sha256: [UInt8], size: Int, of tenantId: UUID) async throws -> UUID? {
        try await database.transaction(tenant: tenantId) { transaction in
            try transaction.enqueue(Self.insertObject(object, sha256: sha256, size: size, of: tenantId))
            let row = try await transaction.query(
                """
                UPDATE content_assets a SET object_id = coalesce(a.object_id, o.id) FROM asset_objects o
                WHERE o.tenant_id = \(tenantId) AND o.sha256 = \(sha256) AND a.tenant_id = \(tenantId) AND a.id = \(id)
                RETURNING a.object_id
                """
            ).first
            let kept = try row?.decode("object_id", as: UUID?.self) ?? nil
            try transaction.enqueue("DELETE FROM content_asset_bytes WHERE tenant_id = \(tenantId) AND asset_id = \(id)")
            try await Self.settle(object, kept, of: tenantId, in: transaction)
            return kept
        }
    }

    enum Deletion: Sendable {
        /// With the objects that only this asset had.
        case done(garbage: [UUID])
        /// An upload that nobody had completed: a completion that was refused, or died, may have moved its bytes over.
        case donePending
        case missing
        /// So many contents show it.
        case inUse(contents: Int)
        /// Something else has it; none are counted where that came at this moment.
        case held(AssetHolders)
    }

    /// Deletes what nothing uses. The row's lock comes first: whoever is about to use it waits, and finds it gone.
    func delete(_ id: UUID, of tenantId: UUID) async throws -> Deletion {
        do {
            return try await database.transaction(tenant: tenantId) { transaction in
                let known = try await transaction.query(
                    "SELECT 1 FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id) FOR UPDATE")
                guard !known.isEmpty else { return .missing }
                let contents = try await transaction.query(AssetUsesStore.count(id, tenantId)).only.decode("n", as: Int.self)
                guard contents == 0 else { return .inUse(contents: contents) }
                let holders = try await AssetUsesStore.holders(of: id, tenantId, in: transaction)
                guard holders == AssetHolders() else { return .held(holders) }
                if try await AssetUploadStore.forget(id, of: tenantId, in: transaction) { return .donePending }
                return .done(garbage: try await Self.deleteUnused(id, of: tenantId, in: transaction))
            }
        } catch let error as PostgresError where error.isForeignKeyViolation {
            return .held(AssetHolders())
        }
    }

    /// - Returns: the objects that only this asset had.
    private static func deleteUnused(_ id: UUID, of tenantId: UUID, in transaction: Transaction) async throws -> [UUID] {
        var garbage: [UUID] = try await transaction.query(
            "DELETE FROM asset_previews WHERE tenant_id = \(tenantId) AND asset_id = \(id) RETURNING object_id"
        ).map { try $0.decode("object_id") }
        try transaction.enqueue("DELETE FROM content_asset_bytes WHERE tenant_id = \(tenantId) AND asset_id = \(id)")
        try transaction.enqueue(
            """
            INSERT INTO asset_ancestors (tenant_id, asset_id, source_id)
            SELECT \(tenantId), \(id), source.id FROM asset_sources(\(tenantId), \(id)) AS source (id)
            """)
        let row = try await transaction.query(
            "DELETE FROM content_assets WHERE tenant_id = \(tenantId) AND id = \(id) RETURNING object_id"
        ).only
        guard let object = try row.decode("object_id", as: UUID?.self) else { return garbage }
        let freed = try await transaction.query(
            """
            DELETE FROM asset_objects WHERE tenant_id = \(tenantId) AND id = \(object)
                AND NOT EXISTS (SELECT FROM content_assets WHERE tenant_id = \(tenantId) AND object_id = \(object))
            RETURNING id
            """)
        guard !freed.isEmpty else { return garbage }
        try transaction.enqueue(ObjectGarbage.add(object, of: tenantId))
        garbage.append(object)
        return garbage
    }

    /// It has been removed from the store.
    func forgetGarbage(_ object: UUID, of tenantId: UUID) async throws {
        try await database.query(
            "DELETE FROM asset_garbage WHERE tenant_id = \(tenantId) AND object_id = \(object)", tenant: tenantId)
    }
}

extension FileType {
    /// As lists tell them apart.
    var kind: AssetKind {
        switch self {
        case .png, .jpeg, .webp, .gif, .svg: .image
        case .mp4, .quickTime, .webm: .video
        case .mp3, .m4a, .wav, .ogg: .audio
        case .pdf, .word, .excel, .powerPoint, .zip, .text, .csv, .subRip, .webVTT: .document
        }
    }
}
