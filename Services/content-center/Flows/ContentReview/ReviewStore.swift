import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import PostgresStore

/// The SQL of reviews. A move, its line in the history and its event are one transaction.
struct ReviewStore: Sendable {
    let database: Database
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    /// Where the move leads out of a review or a hold, the content stands where its accounts say: what they told in the meantime was
    /// written down and showed nowhere.
    ///
    /// - Returns: `nil` when `before` is not how it is any more: nothing is written then.
    func move(
        _ before: Content, to wanted: ReviewState, _ change: ReviewChange, by reviewer: Author,
        emitting events: @escaping @Sendable (Content, ReviewChange) -> [ContentEvent]
    ) async throws -> Content? {
        let lock: SQL = """
            SELECT 1 FROM contents
            WHERE tenant_id = \(reviewer.tenantId) AND id = \(before.id) AND version = \(before.version)
                AND changes = \(before.changes) AND status = \(before.status.rawValue) AND deleted_at IS NULL
            FOR UPDATE
            """
        let after = try await database.transaction(tenant: reviewer.tenantId) { transaction -> Content? in
            guard try await !transaction.query(lock).isEmpty else { return nil }
            let accounts = try await PublishStatusStore.accounts(
                of: before.id, version: before.version, reviewer.tenantId, in: transaction)
            let state = PublishStanding.status(wanted.status, accounts: accounts).map { ReviewState(status: $0) } ?? wanted
            var change = change
            change.to = state.status
            let update: SQL = """
                UPDATE contents SET status = \(state.status.rawValue), held_from = \(state.heldFrom?.rawValue),
                    changes = changes + 1, updated_at = app_now()
                WHERE tenant_id = \(reviewer.tenantId) AND id = \(before.id)
                RETURNING updated_at
                """
            let row = try await transaction.query(update).only
            var content = before
            content.status = state.status
            content.heldFrom = state.heldFrom
            content.revision = change.revision
            content.updatedAt = try row.decode("updated_at")
            try transaction.enqueue(Self.record(change, of: before.id, by: reviewer))
            try await Outbox.append(try events(content, change).map { try $0.cloudEvent(by: reviewer) }, in: transaction)
            return content
        }
        if after != nil { onCommit() }
        return after
    }

    static func record(_ change: ReviewChange, of id: UUID, by actor: Author) -> SQL {
        """
        INSERT INTO content_reviews
            (tenant_id, content_id, revision, version, action, from_status, to_status, note, actor, operation_id)
        VALUES
            (\(actor.tenantId), \(id), \(change.revision), \(change.version), \(change.event.rawValue), \(change.from.rawValue),
             \(change.to.rawValue), \(change.note), \(actor.subject), \(actor.operationId))
        """
    }

    /// Whether the operation has done this already: it came twice.
    func hasDone(_ action: ReviewAction, to id: UUID, in reviewer: Author) async throws -> Bool {
        guard reviewer.operationId != nil else { return false }
        return try await !database.query(
            """
            SELECT 1 FROM content_reviews WHERE tenant_id = \(reviewer.tenantId) AND operation_id = \(reviewer.operationId)
                AND content_id = \(id) AND action = \(action.event.rawValue)
            """, tenant: reviewer.tenantId
        ).isEmpty
    }

    func history(of id: UUID, before revision: Int?, limit: Int, tenantId: UUID) async throws -> [ContentReviewEntry] {
        var sql: SQL = """
            SELECT revision, version, action, from_status, to_status, note, actor, created_at FROM content_reviews
            WHERE tenant_id = \(tenantId) AND content_id = \(id)
            """
        if let revision { sql.append(" AND revision < \(revision)") }
        sql.append(" ORDER BY revision DESC LIMIT \(limit)")
        return try await database.query(sql, tenant: tenantId).map { row in
            ContentReviewEntry(
                revision: try row.decode("revision"), version: try row.decode("version"), action: try row.decode("action"),
                from: try row.decodeCase("from_status"), to: try row.decodeCase("to_status"), note: try row.decode("note"),
                actor: try row.decode("actor"), createdAt: try row.decode("created_at"))
        }
    }
}

extension Content {
    /// Changes besides those of the text.
    var changes: Int { revision - version }
}
