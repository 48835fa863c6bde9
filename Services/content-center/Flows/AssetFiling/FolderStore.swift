import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of folders.
struct FolderStore: Sendable {
    /// What lies in a folder.
    struct Remainder: Sendable {
        var folders: Int
        var assets: Int
    }

    let database: Database

    func folder(_ id: UUID, of tenantId: UUID) async throws -> AssetFolder? {
        try await database.query(
            "SELECT \(unescaped: Self.columns) FROM asset_folders f WHERE f.tenant_id = \(tenantId) AND f.id = \(id)",
            tenant: tenantId
        ).first.map(Self.folder)
    }

    func list(in parent: UUID?, after id: UUID?, limit: Int, of tenantId: UUID) async throws -> [AssetFolder] {
        var sql: SQL = "SELECT \(unescaped: Self.columns) FROM asset_folders f WHERE f.tenant_id = \(tenantId)"
        if let parent { sql.append(" AND f.parent_id = \(parent)") }
        if let id { sql.append(" AND f.id > \(id)") }
        sql.append(" ORDER BY f.id LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map(Self.folder)
    }

    /// This folder and those that it lies in, up to the top; empty where there is none.
    func path(to id: UUID, of tenantId: UUID) async throws -> [UUID] {
        try await database.query(
            """
            WITH RECURSIVE up AS (
                SELECT f.id, f.parent_id, 1 AS step FROM asset_folders f WHERE f.tenant_id = \(tenantId) AND f.id = \(id)
                UNION ALL
                SELECT f.id, f.parent_id, up.step + 1 FROM asset_folders f JOIN up ON f.id = up.parent_id
                WHERE f.tenant_id = \(tenantId) AND up.step <= \(FolderRule.maxDepth)
            )
            SELECT id FROM up ORDER BY step
            """, tenant: tenantId
        ).map { try $0.decode("id") }
    }

    /// Levels of the folder with everything below it.
    func height(of id: UUID, _ tenantId: UUID) async throws -> Int {
        try await database.query(
            """
            WITH RECURSIVE \(Self.below(id, tenantId))
            SELECT max(level)::bigint AS height FROM below
            """, tenant: tenantId
        ).only.decode("height", as: Int?.self) ?? 1
    }

    /// A named query, `below (id, level)`: the folder and all that lie in it.
    static func below(_ id: UUID, _ tenantId: UUID) -> SQL {
        """
        below AS (
            SELECT \(id) AS id, 1 AS level
            UNION ALL
            SELECT f.id, below.level + 1 FROM asset_folders f JOIN below ON f.parent_id = below.id
            WHERE f.tenant_id = \(tenantId) AND below.level <= \(FolderRule.maxDepth)
        )
        """
    }

    /// The repeat of an operation finds what it made.
    ///
    /// - Throws: ``FolderError``.
    func insert(_ folder: NewAssetFolder, by author: Author) async throws -> AssetFolder {
        // An operation's id names what it made.
        let id = author.operationId ?? UUID.version7()
        if author.operationId != nil, let made = try await self.folder(id, of: author.tenantId) { return made }
        do {
            return try Self.folder(
                await database.query(
                    """
                    INSERT INTO asset_folders AS f (tenant_id, id, parent_id, name, created_by)
                    VALUES (\(author.tenantId), \(id), \(folder.parentId), \(folder.name), \(author.subject))
                    RETURNING \(unescaped: Self.columns)
                    """, tenant: author.tenantId
                ).only)
        } catch let error as PostgresError {
            if error.isUniqueViolation, author.operationId != nil, let made = try await self.folder(id, of: author.tenantId) {
                return made
            }
            throw FolderError(error) ?? error
        }
    }

    /// - Returns: `nil` where it is gone.
    /// - Throws: ``FolderError``.
    func update(_ id: UUID, name: String?, parent: LabelField<UUID>, by author: Author) async throws -> AssetFolder? {
        var set: [SQL] = ["updated_at = app_now()"]
        if let name { set.append("name = \(name)") }
        if parent != .keep { set.append("parent_id = \(parent.applied(to: nil))") }
        do {
            return try await database.query(
                """
                UPDATE asset_folders f SET \(SQL.joined(set, separator: ", "))
                WHERE f.tenant_id = \(author.tenantId) AND f.id = \(id) RETURNING \(unescaped: Self.columns)
                """, tenant: author.tenantId
            ).first.map(Self.folder)
        } catch let error as PostgresError {
            throw FolderError(error) ?? error
        }
    }

    /// Deletes an empty folder.
    ///
    /// - Returns: what lies in it, for which it stays; `nil` where there is no such folder.
    func delete(_ id: UUID, by author: Author) async throws -> Remainder? {
        let tenantId = author.tenantId
        return try await database.transaction(tenant: tenantId) { transaction in
            // Nobody puts anything into it from here on: that takes a share of this lock.
            let known = try await transaction.query(
                "SELECT 1 FROM asset_folders WHERE tenant_id = \(tenantId) AND id = \(id) FOR UPDATE")
            guard !known.isEmpty else { return nil }
            let row = try await transaction.query(
                """
                SELECT (SELECT count(*) FROM asset_folders WHERE tenant_id = \(tenantId) AND parent_id = \(id)) AS folders,
                    (SELECT count(*) FROM content_assets WHERE tenant_id = \(tenantId) AND folder_id = \(id)) AS assets
                """
            ).only
            let left = Remainder(folders: try row.decode("folders"), assets: try row.decode("assets"))
            if left.folders + left.assets == 0 {
                try transaction.enqueue("DELETE FROM asset_folders WHERE tenant_id = \(tenantId) AND id = \(id)")
            }
            return left
        }
    }

    /// From `asset_folders f`.
    private static let columns = """
        f.id, f.parent_id, f.name, f.created_by, f.created_at, f.updated_at,
        (SELECT count(*) FROM content_assets a WHERE a.tenant_id = f.tenant_id AND a.folder_id = f.id) AS assets
        """

    private static func folder(_ row: Row) throws -> AssetFolder {
        AssetFolder(
            id: try row.decode("id"), parentId: try row.decode("parent_id"), name: try row.decode("name"),
            assets: try row.decode("assets"), createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"))
    }
}

extension FolderError {
    /// The database's word about a folder, or about an asset that shall lie in one.
    init?(_ error: PostgresError) {
        switch error.constraint {
        case "asset_folders_name": self = .nameTaken
        case "asset_folders_parent": self = .unknown(pointer: "/parentId")
        case "asset_folders_ring": self = .ring
        case "asset_folders_depth": self = .tooDeep
        case "content_assets_folder": self = .unknown(pointer: "/folderId")
        default: return nil
        }
    }
}
