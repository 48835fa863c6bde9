import DTO
import FoundationEssentials
import Messaging
import PostgresStore

struct FilingStore: Sendable {
    let database: Database
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    // MARK: Labels and the bin

    /// - Returns: `nil` when `before` is not how it is any more, or the space has just gone.
    func label(_ before: Content, _ labels: Labels, by author: Author) async throws -> Content? {
        let rows: RowSet
        do {
            rows = try await database.query(
                """
                UPDATE contents SET space_id = \(labels.spaceId), topic = \(labels.topic), tags = \(labels.tags),
                    changes = changes + 1, updated_at = app_now()
                WHERE \(Self.isAs(before, author)) RETURNING updated_at
                """, tenant: author.tenantId)
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw FilingError.unknownSpace
        }
        guard let row = rows.first else { return nil }
        var after = before
        after.spaceId = labels.spaceId
        after.topic = labels.topic
        after.tags = labels.tags
        after.revision += 1
        after.updatedAt = try row.decode("updated_at")
        return after
    }

    /// - Returns: whether it went: not when `before` is not how it is any more.
    func moveToBin(_ before: Content, by author: Author) async throws -> Bool {
        let isDone = try await database.transaction(tenant: author.tenantId) { transaction in
            let rows = try await transaction.query(
                """
                UPDATE contents SET deleted_at = app_now(), changes = changes + 1
                WHERE \(Self.isAs(before, author)) RETURNING deleted_at
                """)
            guard let row = rows.first else { return false }
            // Whoever tells of a publication takes the content's lock first, so what is read here is all there is.
            if let open = try await PublishStatusStore.open(before.id, of: author.tenantId, in: transaction) {
                throw FilingError.beingPublished(open)
            }
            var after = before
            after.revision += 1
            after.updatedAt = try row.decode("deleted_at")
            try await Outbox.append([ContentEvent.deleted(after).cloudEvent(by: author)], in: transaction)
            return true
        }
        if isDone { onCommit() }
        return isDone
    }

    func isInBin(_ id: UUID, of tenantId: UUID) async throws -> Bool {
        try await !database.query(
            "SELECT 1 FROM contents WHERE tenant_id = \(tenantId) AND id = \(id) AND deleted_at IS NOT NULL", tenant: tenantId
        ).isEmpty
    }

    func restore(_ id: UUID, by author: Author) async throws {
        let isDone = try await database.transaction(tenant: author.tenantId) { transaction in
            let rows = try await transaction.query(
                """
                UPDATE contents SET deleted_at = NULL, changes = changes + 1, updated_at = app_now()
                WHERE tenant_id = \(author.tenantId) AND id = \(id) AND deleted_at IS NOT NULL
                RETURNING kind, title, version + changes AS revision, updated_at
                """)
            guard let row = rows.first else { return false }
            let event = try ContentEvent.restored(
                id, kind: row.decode("kind"), title: row.decode("title"), revision: row.decode("revision"),
                at: row.decode("updated_at"))
            try await Outbox.append([event.cloudEvent(by: author)], in: transaction)
            return true
        }
        if isDone { onCommit() }
    }

    private static func isAs(_ content: Content, _ author: Author) -> SQL {
        """
        tenant_id = \(author.tenantId) AND id = \(content.id) AND version = \(content.version) AND changes = \(content.changes)
        AND deleted_at IS NULL
        """
    }

    // MARK: Spaces

    enum SpaceOutcome: Sendable {
        case done(ContentSpace)
        case missing
        case nameTaken
    }

    enum SpaceDeletion: Sendable {
        case done
        case missing
        case inUse(Int)
    }

    /// - Returns: `nil` when the name is taken; the repeat of an operation finds what it made.
    func insert(_ space: NewContentSpace, by author: Author) async throws -> ContentSpace? {
        // An operation's id names what it made.
        let id = author.operationId ?? UUID.version7()
        if author.operationId != nil, let made = try await self.space(id, of: author.tenantId) { return made }
        do {
            return try await database.query(
                """
                INSERT INTO content_spaces (tenant_id, id, name, description, created_by)
                VALUES (\(author.tenantId), \(id), \(space.name), \(space.description), \(author.subject))
                RETURNING \(unescaped: Self.columns)
                """, tenant: author.tenantId
            ).first.map(Self.space)
        } catch let error as PostgresError where error.isUniqueViolation {
            return author.operationId == nil ? nil : try await self.space(id, of: author.tenantId)
        }
    }

    func space(_ id: UUID, of tenantId: UUID) async throws -> ContentSpace? {
        try await database.query(
            "SELECT \(unescaped: Self.columns) FROM content_spaces WHERE tenant_id = \(tenantId) AND id = \(id)", tenant: tenantId
        ).first.map(Self.space)
    }

    func spaces(named name: String?, after id: UUID?, limit: Int, of tenantId: UUID) async throws -> [ContentSpace] {
        var sql: SQL = "SELECT \(unescaped: Self.columns) FROM content_spaces WHERE tenant_id = \(tenantId)"
        // A tenant has hundreds of them at most.
        if let name { sql.append(" AND position(lower(\(name)) IN lower(name)) > 0") }
        if let id { sql.append(" AND id > \(id)") }
        sql.append(" ORDER BY id LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map(Self.space)
    }

    func update(_ id: UUID, name: String?, description: LabelField<String>, by author: Author) async throws -> SpaceOutcome {
        let (keeps, text) = (description == .keep, description.applied(to: nil))
        do {
            let rows = try await database.query(
                """
                UPDATE content_spaces SET name = coalesce(\(name), name),
                    description = CASE WHEN \(keeps) THEN description ELSE \(text) END, updated_at = app_now()
                WHERE tenant_id = \(author.tenantId) AND id = \(id) RETURNING \(unescaped: Self.columns)
                """, tenant: author.tenantId)
            return try rows.first.map { .done(try Self.space($0)) } ?? .missing
        } catch let error as PostgresError where error.isUniqueViolation {
            return .nameTaken
        }
    }

    func deleteSpace(_ id: UUID, by author: Author) async throws -> SpaceDeletion {
        try await database.transaction(tenant: author.tenantId) { transaction in
            // Nobody puts anything into it from here on: that takes a share of this lock.
            let known = try await transaction.query(
                "SELECT 1 FROM content_spaces WHERE tenant_id = \(author.tenantId) AND id = \(id) FOR UPDATE")
            guard !known.isEmpty else { return .missing }
            let count: Int = try await transaction.query(
                """
                SELECT count(*) AS n FROM contents
                WHERE tenant_id = \(author.tenantId) AND space_id = \(id) AND deleted_at IS NULL
                """
            ).only.decode("n")
            guard count == 0 else { return .inUse(count) }
            try transaction.enqueue("DELETE FROM content_spaces WHERE tenant_id = \(author.tenantId) AND id = \(id)")
            return .done
        }
    }

    private static let columns = "id, name, description, created_by, created_at, updated_at"

    private static func space(_ row: Row) throws -> ContentSpace {
        ContentSpace(
            id: try row.decode("id"), name: try row.decode("name"), description: try row.decode("description"),
            createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"))
    }
}
