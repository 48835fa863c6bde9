import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import Observability
import PostgresStore

struct BulkStore: Sendable {
    let database: Database
    /// Wakes the worker after a commit.
    let onOrder: @Sendable () -> Void
    /// Tells a running job that it is to stop.
    let onCancel: @Sendable (UUID) -> Void
    /// As in ``ContentsStore``.
    let onCommit: @Sendable () -> Void

    func versions(of ids: [UUID], tenantId: UUID) async throws -> [String: Int] {
        let rows = try await database.query(
            "SELECT id, version FROM contents WHERE tenant_id = \(tenantId) AND id = ANY(\(ids)) AND deleted_at IS NULL",
            tenant: tenantId)
        return try rows.reduce(into: [:]) { versions, row in
            versions[try row.decode("id", as: UUID.self).uuidString] = try row.decode("version", as: Int.self)
        }
    }

    /// Adds the job; the repeat of an operation finds the one it added.
    func add(_ order: BulkOrder, by author: Author) async throws -> UUID {
        let payload = try JSONText(encoding: order)
        let id = try await database.transaction(tenant: author.tenantId) { transaction in
            try await JobStore.enqueue(
                kind: ContentBulk.kind, payload: payload, key: author.operationId?.uuidString, in: transaction)
        }
        onOrder()
        return id
    }

    func cancel(_ id: UUID, of tenantId: UUID) async throws {
        try await database.transaction(tenant: tenantId) { transaction in
            let row = try await transaction.query(
                "SELECT state FROM jobs WHERE tenant_id = \(tenantId) AND id = \(id) FOR UPDATE"
            ).first
            try await JobStore.requestCancel(id, in: transaction)
            // One that waits is over at once, and no worker tells of it.
            if try row?.decode("state", as: JobState.self) == .queued {
                try await Self.tell(of: id, tenantId, as: .canceled, in: transaction)
            }
        }
        onCancel(id)
        onCommit()
    }

    // MARK: Events

    /// Writes what a job's end means for others, in the transaction that ends it.
    static func tell(of end: JobEnd, in transaction: Transaction) async throws {
        guard end.kind == ContentBulk.kind else { return }
        try await tell(of: end.id, end.tenant, as: state(end.state), in: transaction)
    }

    /// - Parameter progress: of a running job; of one that has ended what it has come to.
    static func tell(
        of id: UUID, _ tenantId: UUID, as state: ContentBulkJob.State, progress: Int? = nil, in transaction: Transaction
    ) async throws {
        let row = try await transaction.query(
            """
            SELECT j.payload #>> '{request,action}' AS action, jsonb_array_length(j.payload #> '{request,ids}') AS total, j.progress,
                j.fence, app_now() AS at, count(s.name) FILTER (WHERE (s.result #>> '{0,isDone}')::boolean) AS done,
                count(s.name) AS tried
            FROM jobs j LEFT JOIN job_steps s ON s.tenant_id = j.tenant_id AND s.job_id = j.id
            WHERE j.tenant_id = \(tenantId) AND j.id = \(id) GROUP BY j.tenant_id, j.id
            """
        ).only
        let percent = try progress ?? row.decode("progress", as: Int.self)
        let done: Int = try row.decode("done")
        let moved = ContentJobMoved(
            jobId: id, action: try row.decodeCase("action"), state: state, progress: percent, total: try row.decode("total"),
            done: done, refused: try row.decode("tried", as: Int.self) - done)
        let type =
            switch state {
            case .queued, .running: ContentJobMoved.progressedType
            case .succeeded: ContentJobMoved.succeededType
            case .failed: ContentJobMoved.failedType
            case .canceled: ContentJobMoved.canceledType
            }
        // As of media jobs.
        let isOver = state != .queued && state != .running
        let version = try row.decode("fence", as: Int64.self) * 1_000 + (isOver ? 999 : Int64(percent))
        let event = CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: id.text, time: try row.decode("at"),
            tenantId: tenantId, version: version, data: try JSON.encode(moved))
        try await Outbox.append([event], in: transaction)
    }

    func job(_ id: UUID, of tenantId: UUID, in language: LocalizedText.Language) async throws -> ContentBulkJob? {
        guard let status = try await JobStore.status(of: id, in: database, tenant: tenantId), status.kind == ContentBulk.kind
        else {
            return nil
        }
        let rows = try await database.query(
            """
            SELECT payload, (SELECT coalesce(jsonb_agg(s.result -> 0 ORDER BY s.name), '[]'::jsonb) FROM job_steps s
                WHERE s.tenant_id = j.tenant_id AND s.job_id = j.id) AS items
            FROM jobs j WHERE j.tenant_id = \(tenantId) AND j.id = \(id)
            """, tenant: tenantId)
        guard let row = rows.first else { return nil }
        let order = try JSON.decode(BulkOrder.self, from: row.decode("payload", as: JSONText.self).bytes)
        let items = try JSON.decode([BulkResult].self, from: row.decode("items", as: JSONText.self).bytes)
        return ContentBulkJob(
            id: id, action: order.request.action, state: Self.state(status.state), progress: status.progress,
            total: order.request.ids.count,
            items: items.map { $0.shown(in: language) },
            createdAt: status.createdAt, startedAt: status.startedAt, finishedAt: status.finishedAt)
    }

    private static func state(_ state: JobState) -> ContentBulkJob.State {
        switch state {
        case .queued: .queued
        case .running: .running
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .canceled
        }
    }
}

extension ContentBulk {
    /// What the worker runs. Each item is a step of its own: a job that is taken up again goes on behind the last one. Each tenth is told of,
    /// and the end in the transaction that ends it.
    func work(on job: JobContext) async throws -> JSONText? {
        let order = try JSON.decode(BulkOrder.self, from: job.payload.bytes)
        let author = Author(tenantId: job.tenant, subject: order.subject, operationId: job.id)
        let ids = order.request.ids
        var told = -1
        for (index, id) in ids.enumerated() {
            try await job.step(Self.stepName(index)) { try await perform(order, on: id, by: author) }
            let percent = (index + 1) * 100 / ids.count
            try await job.progress(percent)
            guard percent / 10 > told, index + 1 < ids.count else { continue }
            told = percent / 10
            try await job.whileHeld {
                try await BulkStore.tell(of: job.id, job.tenant, as: .running, progress: percent, in: $0)
            }
            store.onCommit()
        }
        return nil
    }

    /// Sorts as the items do.
    private static func stepName(_ index: Int) -> String { "item \(String(index + 10_000).dropFirst())" }
}

/// The worker, for those that it is made of.
final class WorkerBox: Sendable {
    private let worker = Lock<JobWorker?>(nil)

    var value: JobWorker? {
        get { worker.withLock { $0 } }
        set { worker.withLock { $0 = newValue } }
    }
}
