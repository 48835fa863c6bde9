import DTO
import FoundationEssentials
import PostgresStore

struct CommentsStore: Sendable {
    let database: Database

    /// Writes a comment, or answers the one that the operation has written before.
    func insertOnce(_ comment: NewContentComment, version: Int, of id: UUID, by author: Author) async throws -> ContentComment {
        let insert: SQL = """
            INSERT INTO content_comments (tenant_id, id, content_id, version, pointer, text, author, operation_id)
            VALUES (\(author.tenantId), \(UUID.version7()), \(id), \(version), \(comment.pointer), \(comment.text),
                    \(author.subject), \(author.operationId))
            ON CONFLICT ON CONSTRAINT content_comments_operation DO NOTHING
            RETURNING \(unescaped: Self.columns)
            """
        // A statement of its own, so that it sees what a parallel transaction has just committed.
        let find: SQL = """
            SELECT \(unescaped: Self.columns) FROM content_comments
            WHERE tenant_id = \(author.tenantId) AND operation_id = \(author.operationId) AND content_id = \(id)
            """
        return try await database.transaction(tenant: author.tenantId) { transaction in
            if let row = try await transaction.query(insert).first { return try Self.comment(row) }
            return try Self.comment(try await transaction.query(find).only)
        }
    }

    func comment(_ id: UUID, of content: UUID, tenantId: UUID) async throws -> ContentComment? {
        try await database.query(
            """
            SELECT \(unescaped: Self.columns) FROM content_comments
            WHERE tenant_id = \(tenantId) AND id = \(id) AND content_id = \(content)
            """, tenant: tenantId
        ).first.map(Self.comment)
    }

    func settle(_ id: UUID, of content: UUID, isResolved: Bool, by author: Author) async throws -> ContentComment? {
        // Who settled it first did.
        try await database.query(
            """
            UPDATE content_comments SET
                resolved_at = CASE WHEN \(isResolved) THEN coalesce(resolved_at, app_now()) END,
                resolved_by = CASE WHEN \(isResolved) THEN coalesce(resolved_by, \(author.subject)) END
            WHERE tenant_id = \(author.tenantId) AND id = \(id) AND content_id = \(content)
            RETURNING \(unescaped: Self.columns)
            """, tenant: author.tenantId
        ).first.map(Self.comment)
    }

    func delete(_ id: UUID, tenantId: UUID) async throws {
        _ = try await database.query(
            "DELETE FROM content_comments WHERE tenant_id = \(tenantId) AND id = \(id)", tenant: tenantId)
    }

    func list(_ filter: CommentFilter, of content: UUID, tenantId: UUID) async throws -> [ContentComment] {
        var sql: SQL = """
            SELECT \(unescaped: Self.columns) FROM content_comments WHERE tenant_id = \(tenantId) AND content_id = \(content)
            """
        if let isResolved = filter.isResolved {
            sql.append(isResolved ? " AND resolved_at IS NOT NULL" : " AND resolved_at IS NULL")
        }
        if let id = filter.newerThan { sql.append(" AND id > \(id)") }
        sql.append(" ORDER BY id LIMIT \(filter.limit)")
        return try await database.query(sql, tenant: tenantId).map(Self.comment)
    }

    private static let columns = "id, content_id, version, pointer, text, author, created_at, resolved_at, resolved_by"

    private static func comment(_ row: Row) throws -> ContentComment {
        ContentComment(
            id: try row.decode("id"), contentId: try row.decode("content_id"), version: try row.decode("version"),
            pointer: try row.decode("pointer"), text: try row.decode("text"), author: try row.decode("author"),
            createdAt: try row.decode("created_at"), resolvedAt: try row.decode("resolved_at"),
            resolvedBy: try row.decode("resolved_by"))
    }
}
