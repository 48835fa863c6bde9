import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// The SQL of contents. A state change and its events are one transaction.
struct ContentsStore: Sendable {
    let database: Database
    /// Wakes the outbox relay after a commit, so that events leave at once.
    let onCommit: @Sendable () -> Void
    let drafts: DraftsStore

    init(database: Database, onCommit: @escaping @Sendable () -> Void) {
        self.database = database
        self.onCommit = onCommit
        drafts = DraftsStore(database: database, onCommit: onCommit)
    }

    // MARK: Writing

    /// Writes a content with version 1, or answers the version that the operation's step has written before.
    func saveDraft(
        _ draft: NewContent, by author: Author, emitting events: @escaping @Sendable (Content) -> [ContentEvent]
    ) async throws -> Content {
        do {
            if let content = try await drafts.save(draft, by: author, emitting: events) { return content }
        } catch let error as PostgresError where error.isMissingAsset {
            throw AssetVanished()
        }
        // Gone again already: as good as never repeated, but nobody is to write it once more.
        guard let stored = try await version(writtenIn: author, step: draft.step) else { throw ContentsError.operationReused }
        return stored
    }

    /// Writes the version after `before`.
    ///
    /// - Returns: `nil` when `before` is not how it is any more: nothing is written then.
    func saveVersion(
        _ new: VersionToWrite, after before: Content, by author: Author,
        emitting events: @escaping @Sendable (Content) -> [ContentEvent]
    ) async throws -> Content? {
        let encoded = try JSONText(encoding: new.body)
        let step = author.operationId.map { _ in new.step }
        let update: SQL = """
            WITH changed AS (
                UPDATE contents SET version = version + 1, title = \(new.title), completeness = \(new.body.completeness.rawValue),
                    status = \(new.state.status.rawValue), held_from = \(new.state.heldFrom?.rawValue), updated_at = app_now()
                WHERE tenant_id = \(author.tenantId) AND id = \(before.id) AND version = \(before.version)
                    AND changes = \(before.changes) AND deleted_at IS NULL
                RETURNING version, changes, created_at, updated_at
            ),
            written AS (
                INSERT INTO content_versions
                    (tenant_id, content_id, version, changes_before, title, body, source_kind, source_name, prompt_version, author,
                     operation_id, step, restored_from, created_at)
                SELECT \(author.tenantId), \(before.id), version, changes, \(new.title), \(encoded)::jsonb,
                       \(new.source.kind.rawValue), \(new.source.name), \(new.source.promptVersion), \(author.subject),
                       \(author.operationId), \(step), \(new.restoredFrom)::integer, updated_at
                FROM changed
            )
            SELECT version, changes, created_at, updated_at FROM changed
            """
        do {
            let content = try await database.transaction(tenant: author.tenantId) { transaction -> Content? in
                let rows = try await transaction.query(update)
                guard let row = rows.first else { return nil }
                let version: Int = try row.decode("version")
                var content = before
                content.status = new.state.status
                content.heldFrom = new.state.heldFrom
                content.completeness = new.body.completeness
                content.version = version
                content.revision = try version + row.decode("changes", as: Int.self)
                content.title = new.title
                content.body = new.body
                content.source = new.source
                content.author = author.subject
                content.createdAt = try row.decode("created_at")
                content.updatedAt = try row.decode("updated_at")
                if new.state != ReviewState(before) {
                    let change = ReviewChange(
                        revision: content.revision, version: version, event: .edit, from: before.status, to: content.status)
                    try transaction.enqueue(ReviewStore.record(change, of: content.id, by: author))
                }
                try await append(events(content), by: author, in: transaction)
                return content
            }
            if content != nil { onCommit() }
            return content
        } catch let error as PostgresError where error.isOperationRepeat {
            // Perhaps this very operation, sent twice.
            if try await version(ofContent: before.id, writtenIn: author, step: new.step) != nil { return nil }
            throw ContentsError.operationReused
        } catch let error as PostgresError where error.isMissingAsset {
            throw AssetVanished()
        }
    }

    /// What a person's new content is called among the steps of its operation.
    static let draftStep = "draft"
    /// What a person's edit is called among the steps of its operation.
    static let editStep = "edit"
    /// What a person's return to an older version is called.
    static let restoreStep = "restore"

    private func append(_ events: [ContentEvent], by author: Author, in transaction: Transaction) async throws {
        try await Outbox.append(try events.map { try $0.cloudEvent(by: author) }, in: transaction)
    }

    // MARK: Reading one

    /// The newest version.
    func content(_ id: UUID, of tenantId: UUID) async throws -> Content? {
        try await database.query(
            """
            SELECT \(unescaped: Self.columns), c.held_from, c.changes, c.updated_at
            FROM contents c JOIN content_versions v ON v.tenant_id = c.tenant_id AND v.content_id = c.id AND v.version = c.version
            WHERE c.tenant_id = \(tenantId) AND c.id = \(id) AND c.deleted_at IS NULL
            """, tenant: tenantId
        ).first.map(Self.content)
    }

    /// The version that this step has already written to this content, if it is a repeat.
    func version(ofContent id: UUID, writtenIn author: Author, step: String) async throws -> Content? {
        guard author.operationId != nil else { return nil }
        let version = try await version(writtenIn: author, step: step)
        return version?.id == id ? version : nil
    }

    private func version(writtenIn author: Author, step: String) async throws -> Content? {
        try await database.query(
            """
            SELECT \(unescaped: Self.columns), c.held_from, v.changes_before AS changes, v.created_at AS updated_at
            FROM content_versions v JOIN contents c ON c.tenant_id = v.tenant_id AND c.id = v.content_id
            WHERE v.tenant_id = \(author.tenantId) AND v.operation_id = \(author.operationId) AND v.step = \(step)
            """, tenant: author.tenantId
        ).first.map(Self.content)
    }

    /// `nil` where the tenant has no such content, or has it in the bin.
    func kind(of id: UUID, tenantId: UUID) async throws -> ContentKind? {
        try await database.query(
            "SELECT kind FROM contents WHERE tenant_id = \(tenantId) AND id = \(id) AND deleted_at IS NULL", tenant: tenantId
        ).first.map { try $0.decodeCase("kind") }
    }

    /// Which of these the tenant has that a content may show: pictures, videos and subtitles.
    func knownAssets(_ ids: [UUID], for viewer: AssetViewer) async throws -> [UUID: AssetPlace.Kind] {
        let rows = try await database.query(
            """
            SELECT id, media_type LIKE 'video/%' AS is_video, media_type = ANY(\(SubtitleForm.mediaTypes)) AS is_subtitles
            FROM content_assets
            WHERE \(AssetsStore.isVisible(to: viewer)) AND id = ANY(\(ids)) AND (\(AssetsStore.shown) OR
                (state = 'ready' AND (media_type LIKE 'video/%' OR media_type = ANY(\(SubtitleForm.mediaTypes)))))
            """, tenant: viewer.tenantId)
        return try rows.reduce(into: [:]) { known, row in
            known[try row.decode("id")] =
                if try row.decode("is_subtitles") { .subtitles } else { try row.decode("is_video") ? .video : .image }
        }
    }

    private static let columns = """
        c.id, c.status, c.group_id, c.space_id, c.topic, c.tags, c.created_at, v.version, v.title, v.body, v.source_kind, v.source_name, v.prompt_version, v.author
        """

    private static func content(_ row: Row) throws -> Content {
        let version: Int = try row.decode("version")
        return Content(
            id: try row.decode("id"), status: try row.decodeCase("status"), heldFrom: try row.decodeOptionalCase("held_from"),
            groupId: try row.decode("group_id"), version: version, revision: try version + row.decode("changes"),
            title: try row.decode("title"), body: try body(row), source: try source(row),
            author: try row.decode("author"), createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at"),
            spaceId: try row.decode("space_id"), topic: try row.decode("topic"), tags: try row.decode("tags"))
    }

    private static func body(_ row: Row) throws -> ContentBody {
        try JSON.decode(ContentBody.self, from: row.decode("body", as: JSONText.self).bytes)
    }

    private static func source(_ row: Row) throws -> VersionSource {
        VersionSource(
            kind: try row.decodeCase("source_kind"), name: try row.decode("source_name"),
            promptVersion: try row.decode("prompt_version"))
    }

    // MARK: Reading lists

    /// Newest first by id: UUIDv7 sorts by the time of its making, and ids never change, so no page skips or repeats a row.
    func list(_ filter: ContentFilter, of tenantId: UUID) async throws -> [ContentSummary] {
        var sql: SQL = """
            SELECT \(unescaped: ContentSummary.columns) FROM contents c WHERE tenant_id = \(tenantId)
            """
        sql.append(filter.isDeleted ? " AND deleted_at IS NOT NULL" : " AND deleted_at IS NULL")
        if let kind = filter.kind { sql.append(" AND kind = \(kind.rawValue)") }
        if let status = filter.status { sql.append(" AND status = \(status.rawValue)") }
        if let completeness = filter.completeness { sql.append(" AND completeness = \(completeness.rawValue)") }
        if let group = filter.groupId { sql.append(" AND group_id = \(group)") }
        if let space = filter.spaceId { sql.append(" AND space_id = \(space)") }
        if let topic = filter.topic { sql.append(" AND topic = \(topic)") }
        if let tag = filter.tag { sql.append(" AND \(tag) = ANY(tags)") }
        if let id = filter.olderThan { sql.append(" AND id < \(id)") }
        sql.append(" ORDER BY id DESC LIMIT \(filter.limit)")
        return try await database.query(sql, tenant: tenantId).map(ContentSummary.init)
    }

    func versions(of id: UUID, before version: Int?, limit: Int, tenantId: UUID) async throws -> [ContentVersion] {
        var sql: SQL = """
            SELECT version, title, body, source_kind, source_name, prompt_version, author, restored_from, created_at
            FROM content_versions WHERE tenant_id = \(tenantId) AND content_id = \(id)
            """
        if let version { sql.append(" AND version < \(version)") }
        sql.append(" ORDER BY version DESC LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map { row in
            ContentVersion(
                version: try row.decode("version"), title: try row.decode("title"), body: try Self.body(row),
                source: try Self.source(row), author: try row.decode("author"), createdAt: try row.decode("created_at"),
                restoredFrom: try row.decode("restored_from"))
        }
    }
}

extension PostgresError {
    /// Another version has the operation's step already.
    fileprivate var isOperationRepeat: Bool { isUniqueViolation && constraint == "content_versions_operation" }

    /// A version shows an asset that is not there.
    fileprivate var isMissingAsset: Bool { isForeignKeyViolation && constraint == "asset_uses_asset" }
}

extension JSONText {
    init(encoding value: some Encodable) throws { self.init(bytes: try JSON.encode(value)) }
}

/// A line of a list, from `contents c`.
extension ContentSummary {
    static let columns = """
        c.id, c.kind, c.status, c.completeness, c.group_id, c.space_id, c.topic, c.tags, c.version, c.title, c.created_at, c.updated_at,
        c.deleted_at
        """

    init(_ row: Row) throws {
        self.init(
            id: try row.decode("id"), kind: try row.decodeCase("kind"), status: try row.decodeCase("status"),
            completeness: try row.decodeCase("completeness"), groupId: try row.decode("group_id"),
            version: try row.decode("version"), title: try row.decode("title"), createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"), spaceId: try row.decode("space_id"), topic: try row.decode("topic"),
            tags: try row.decode("tags"), deletedAt: try row.decode("deleted_at"))
    }
}
