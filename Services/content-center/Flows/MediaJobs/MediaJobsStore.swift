import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import PostgresStore

/// The SQL of orders and of what became of them.
struct MediaJobsStore: Sendable {
    let database: Database
    /// Wakes whoever works, after a commit.
    let onOrder: @Sendable (_ job: UUID, _ tenantId: UUID, MediaPriority) -> Void
    /// Tells a running job that it is to stop, after the commit that asks for it.
    let onCancel: @Sendable (UUID) -> Void

    /// Some three hours of a store or a recogniser that is away.
    private static let mostAttempts = 25

    /// Adds the job; the repeat of an operation finds the one it added, wherever that stands by now.
    ///
    /// - Parameter source: the asset behind the order's source.
    func add(_ order: MediaOrder, of source: UUID?, by author: Author) async throws -> MediaJobAccepted {
        let accepted = try await database.transaction(tenant: author.tenantId) { transaction in
            let id = try await Self.add(
                order, of: source, key: author.operationId?.uuidString, tenantId: author.tenantId, in: transaction)
            let state: JobState = try await transaction.query(
                "SELECT state FROM jobs WHERE tenant_id = \(author.tenantId) AND id = \(id)"
            ).only.decode("state")
            return MediaJobAccepted(jobId: id, status: MediaJobStatus(state))
        }
        if accepted.status == .queued { onOrder(accepted.jobId, author.tenantId, order.priority) }
        return accepted
    }

    /// - Parameter key: a second job with it is not added.
    static func add(
        _ order: MediaOrder, of source: UUID?, key: String?, tenantId: UUID, in transaction: Transaction
    ) async throws -> UUID {
        let id = try await JobStore.enqueue(
            kind: order.priority.jobKind, payload: JSONText(encoding: order), key: key, maxAttempts: mostAttempts, in: transaction
        )
        try transaction.enqueue(
            """
            INSERT INTO media_jobs (tenant_id, id, type, asset_id, content_id)
            VALUES (\(tenantId), \(id), \(order.type.rawValue), \(source), \(order.contentId)) ON CONFLICT DO NOTHING
            """)
        return id
    }

    func isVideo(_ content: UUID, of tenantId: UUID) async throws -> Bool {
        let kind = ContentKind.video.rawValue
        return try await !database.query(
            "SELECT FROM contents WHERE tenant_id = \(tenantId) AND id = \(content) AND kind = \(kind) AND deleted_at IS NULL",
            tenant: tenantId
        ).isEmpty
    }

    /// The asset that an object is of, or is a small picture of; of several that have the same bytes one that is there for the viewer.
    func asset(of object: UUID, for viewer: AssetViewer) async throws -> UUID? {
        try await database.query(
            """
            SELECT content_assets.id FROM content_assets JOIN (
                SELECT id FROM content_assets WHERE tenant_id = \(viewer.tenantId) AND object_id = \(object)
                UNION SELECT asset_id FROM asset_previews WHERE tenant_id = \(viewer.tenantId) AND object_id = \(object)
            ) AS kept ON kept.id = content_assets.id
            WHERE content_assets.tenant_id = \(viewer.tenantId)
            ORDER BY (\(AssetsStore.isVisible(to: viewer))) DESC, content_assets.id LIMIT 1
            """, tenant: viewer.tenantId
        ).first.map { try $0.decode("id") }
    }

    /// Asks the job to stop. One that waits is over at once, and told of.
    ///
    /// - Returns: whether there is such a job.
    func cancel(_ id: UUID, for viewer: AssetViewer) async throws -> Bool {
        let tenantId = viewer.tenantId
        let isThere = try await database.transaction(tenant: tenantId) { transaction in
            let row = try await transaction.query(
                """
                SELECT j.state FROM jobs j JOIN media_jobs m ON m.tenant_id = j.tenant_id AND m.id = j.id
                WHERE j.tenant_id = \(tenantId) AND j.id = \(id) AND \(AssetsStore.mayFollow(viewer)) FOR UPDATE OF j
                """
            ).first
            guard let row else { return false }
            try await JobStore.requestCancel(id, in: transaction)
            if try row.decode("state", as: JobState.self) == .queued {
                try MediaWorkStore.forget(id, of: tenantId, in: transaction)
                try await MediaWorkStore.tell(of: id, tenantId, as: .canceled, in: transaction)
            }
            return true
        }
        onCancel(id)
        return isThere
    }

    // MARK: Reading

    /// - Parameter withPlaylists: of HLS, which are long.
    func job(_ id: UUID, for viewer: AssetViewer, withPlaylists: Bool = false) async throws -> StoredMediaJob? {
        try await jobs("AND m.id = \(id)", for: viewer, withPlaylists: withPlaylists).first
    }

    /// The newest that were ordered for a content, newest first.
    func jobs(of content: UUID, for viewer: AssetViewer) async throws -> [StoredMediaJob] {
        try await jobs("AND m.content_id = \(content) ORDER BY m.id DESC LIMIT 20", for: viewer)
    }

    /// Newest first.
    func list(_ filter: MediaJobFilter, for viewer: AssetViewer) async throws -> [StoredMediaJob] {
        var sql: SQL = ""
        if let type = filter.type { sql.append(" AND m.type = \(type.rawValue)") }
        if let status = filter.status { sql.append(" AND j.state = \(JobState(status))") }
        if let asset = filter.assetId { sql.append(" AND m.asset_id = \(asset)") }
        if let id = filter.olderThan { sql.append(" AND m.id < \(id)") }
        sql.append(" ORDER BY m.id DESC LIMIT \(filter.limit)")
        return try await jobs(sql, for: viewer)
    }

    private func jobs(_ conditions: SQL, for viewer: AssetViewer, withPlaylists: Bool = false) async throws -> [StoredMediaJob] {
        let tenantId = viewer.tenantId
        var jobs = try await database.query(
            """
            SELECT m.id, j.payload, j.state, j.progress, j.created_at, j.started_at, j.finished_at, m.facts, m.failure
            FROM media_jobs m JOIN jobs j ON j.tenant_id = m.tenant_id AND j.id = m.id
            WHERE m.tenant_id = \(tenantId) AND \(AssetsStore.mayFollow(viewer)) \(conditions)
            """, tenant: tenantId
        ).map(Self.job)
        guard !jobs.isEmpty else { return [] }
        var outputs: [UUID: [StoredMediaOutput]] = [:]
        let rows = try await database.query(
            """
            SELECT o.job_id, o.kind, o.name, o.asset_id, o.details \(unescaped: withPlaylists ? "" : "- 'playlist'") AS details, a.object_id, a.media_type, a.size
            FROM media_outputs o JOIN content_assets a ON a.tenant_id = o.tenant_id AND a.id = o.asset_id
            WHERE o.tenant_id = \(tenantId) AND o.job_id = ANY(\(jobs.map(\.id))) ORDER BY o.job_id, o.position
            """, tenant: tenantId)
        for row in rows { outputs[try row.decode("job_id", as: UUID.self), default: []].append(try Self.output(row)) }
        for index in jobs.indices { jobs[index].outputs = outputs[jobs[index].id] ?? [] }
        return jobs
    }

    private static func job(_ row: Row) throws -> StoredMediaJob {
        let state: JobState = try row.decode("state")
        return StoredMediaJob(
            id: try row.decode("id"),
            order: try JSON.decode(MediaOrder.self, from: row.decode("payload", as: JSONText.self).bytes),
            status: MediaJobStatus(state), progress: try row.decode("progress"), createdAt: try row.decode("created_at"),
            startedAt: try row.decode("started_at"), finishedAt: try row.decode("finished_at"),
            facts: try row.decode("facts", as: JSONText?.self).map { try JSON.decode(MediaFacts.self, from: $0.bytes) },
            failure: state == .failed ? try row.decodeOptionalCase("failure") ?? .failed : nil)
    }

    private static func output(_ row: Row) throws -> StoredMediaOutput {
        StoredMediaOutput(
            kind: try row.decodeCase("kind"), name: try row.decode("name"), assetId: try row.decode("asset_id"),
            objectId: try row.decode("object_id"), mediaType: try row.decode("media_type"), size: try row.decode("size"),
            details: try JSON.decode(MediaOutputDetails.self, from: row.decode("details", as: JSONText.self).bytes))
    }
}

extension MediaJobStatus {
    init(_ state: JobState) {
        switch state {
        case .queued: self = .queued
        case .running: self = .running
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .cancelled: self = .canceled
        }
    }
}

extension JobState {
    fileprivate init(_ status: MediaJobStatus) {
        switch status {
        case .queued: self = .queued
        case .running: self = .running
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .canceled: self = .cancelled
        }
    }
}
