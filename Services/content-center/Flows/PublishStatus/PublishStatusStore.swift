import DTO
import FoundationEssentials
import Messaging
import PostgresStore
import ServiceDefaults

struct PublishStatusStore: Sendable {
    let database: Database
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    // MARK: Writing

    /// The event's id is claimed in the transaction of its effect. What is about a content that is not there any more has none.
    func apply(_ change: PublishStatusChanged, from event: CloudEvent) async throws {
        let isMoved = try await database.transaction(tenant: event.tenantId) { transaction -> Bool in
            guard try await Inbox.claim(event, consumer: QueueDeclaration.publishStatus.name, in: transaction) else {
                return false
            }
            // One after the other for one content.
            let rows = try await transaction.query(
                """
                SELECT kind, status, title, version, changes FROM contents
                WHERE tenant_id = \(event.tenantId) AND id = \(change.contentId) FOR UPDATE
                """)
            guard let content = rows.first else { return false }
            try transaction.enqueue(Self.record(change, from: event))
            guard try await transaction.execute(Self.replaceOlder(change, from: event)) == 1 else { return false }
            return try await moveContent(content, change, from: event, in: transaction)
        }
        if isMoved { onCommit() }
    }

    private static func record(_ change: PublishStatusChanged, from event: CloudEvent) -> SQL {
        """
        INSERT INTO content_publish_changes (\(unescaped: columns)) VALUES (\(values(change, event)))
        ON CONFLICT DO NOTHING
        """
    }

    /// Does nothing where a newer one stands: the three together order any two events, so the end does not depend on the order in which
    /// they came.
    private static func replaceOlder(_ change: PublishStatusChanged, from event: CloudEvent) -> SQL {
        """
        INSERT INTO content_publish_status AS present (\(unescaped: columns)) VALUES (\(values(change, event)))
        ON CONFLICT (tenant_id, content_id, account_id, platform) DO UPDATE SET
            task_id = EXCLUDED.task_id, task_version = EXCLUDED.task_version, event_id = EXCLUDED.event_id,
            content_version = EXCLUDED.content_version, status = EXCLUDED.status, item_id = EXCLUDED.item_id, url = EXCLUDED.url,
            reason = EXCLUDED.reason, changed_at = EXCLUDED.changed_at
        WHERE (present.task_id, present.task_version, present.event_id)
            < (EXCLUDED.task_id, EXCLUDED.task_version, EXCLUDED.event_id)
        """
    }

    private static let columns = """
        tenant_id, content_id, account_id, platform, task_id, task_version, event_id, content_version, status, item_id, url, reason,
        changed_at
        """

    private static func values(_ change: PublishStatusChanged, _ event: CloudEvent) -> SQL {
        """
        \(event.tenantId), \(change.contentId), \(change.accountId), \(change.platform), \(change.taskId), \(event.version),
        \(event.id), \(change.contentVersion), \(change.status.rawValue), \(change.itemId), \(change.url), \(change.reason),
        \(event.time)
        """
    }

    /// The content's own status follows its newest version.
    private func moveContent(
        _ row: Row, _ change: PublishStatusChanged, from event: CloudEvent, in transaction: Transaction
    ) async throws -> Bool {
        let (current, version, changes): (ContentStatus, Int, Int) = (
            try row.decodeCase("status"), try row.decode("version"), try row.decode("changes")
        )
        let accounts = try await Self.accounts(of: change.contentId, version: version, event.tenantId, in: transaction)
        guard let next = PublishStanding.status(current, accounts: accounts) else { return false }
        let time: Date = try await transaction.query(
            """
            UPDATE contents SET status = \(next.rawValue), changes = changes + 1, updated_at = app_now()
            WHERE tenant_id = \(event.tenantId) AND id = \(change.contentId) RETURNING updated_at
            """
        ).only.decode("updated_at")
        let moved = ContentStatusChanged(
            contentId: change.contentId, kind: try row.decode("kind"), action: "publish", from: current, status: next,
            version: version, title: try row.decode("title"), note: nil)
        let author = Author(tenantId: event.tenantId, subject: "service:content-center", operationId: event.operationId)
        try await Outbox.append(
            [ContentEvent.publishMoved(moved, revision: version + changes + 1, at: time).cloudEvent(by: author)], in: transaction)
        return true
    }

    /// Where a version stands on the accounts, each status once. Under the content's lock it stays so.
    static func accounts(
        of id: UUID, version: Int, _ tenantId: UUID, in transaction: Transaction
    ) async throws -> [ContentStatus] {
        try await transaction.query(
            """
            SELECT DISTINCT status FROM content_publish_status
            WHERE tenant_id = \(tenantId) AND content_id = \(id) AND content_version = \(version)
            """
        ).map { try $0.decodeCase("status") }
    }

    /// What is under way on some account, in whichever version.
    static func open(_ id: UUID, of tenantId: UUID, in transaction: Transaction) async throws -> ContentStatus? {
        let open = PublishStanding.order.filter(PublishStanding.open.contains).map(\.rawValue)
        return try await transaction.query(
            """
            SELECT status FROM content_publish_status
            WHERE tenant_id = \(tenantId) AND content_id = \(id) AND status = ANY(\(open))
            ORDER BY array_position(\(open)::text[], status) LIMIT 1
            """
        ).first.map { try $0.decodeCase("status") }
    }

    // MARK: Reading

    func accounts(of id: UUID, after key: PublishAccountKey?, limit: Int, tenantId: UUID) async throws -> [ContentPublishStatus] {
        var sql: SQL = """
            SELECT \(unescaped: Self.columns) FROM content_publish_status WHERE tenant_id = \(tenantId) AND content_id = \(id)
            """
        if let key { sql.append(" AND (account_id, platform) > (\(key.accountId), \(key.platform))") }
        sql.append(" ORDER BY account_id, platform LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map(Self.status)
    }

    func history(of id: UUID, before key: PublishChangeKey?, limit: Int, tenantId: UUID) async throws -> [PublishChange] {
        var sql: SQL = """
            SELECT \(unescaped: Self.columns) FROM content_publish_changes WHERE tenant_id = \(tenantId) AND content_id = \(id)
            """
        if let key {
            sql.append(" AND (task_id, task_version, event_id) < (\(key.taskId), \(key.taskVersion), \(key.eventId))")
        }
        sql.append(" ORDER BY task_id DESC, task_version DESC, event_id DESC LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map { row in
            let status = try Self.status(row)
            let key = PublishChangeKey(
                taskId: status.taskId, taskVersion: status.taskVersion, eventId: try row.decode("event_id"))
            return PublishChange(key: key, status: status)
        }
    }

    private static func status(_ row: Row) throws -> ContentPublishStatus {
        ContentPublishStatus(
            accountId: try row.decode("account_id"), platform: try row.decode("platform"), taskId: try row.decode("task_id"),
            taskVersion: try row.decode("task_version"), contentVersion: try row.decode("content_version"),
            status: try row.decodeCase("status"), itemId: try row.decode("item_id"), url: try row.decode("url"),
            reason: try row.decode("reason"), changedAt: try row.decode("changed_at"))
    }
}
