import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import PostgresStore

struct BulkStore: Sendable {
    let database: Database
    /// Wakes the worker after a commit.
    let onOrder: @Sendable () -> Void
    /// Tells a running job that it is to stop.
    let onCancel: @Sendable (UUID) -> Void

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
        _ = try await database.transaction(tenant: tenantId) { try await JobStore.requestCancel(id, in: $0) }
        onCancel(id)
    }

    func job(_ id: UUID, of tenantId: UUID) async throws -> ContentBulkJob? {
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
        return ContentBulkJob(
            id: id, action: order.request.action, state: Self.state(status.state), progress: status.progress,
            total: order.request.ids.count,
            items: try JSON.decode([ContentBulkItem].self, from: row.decode("items", as: JSONText.self).bytes),
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
    /// What the worker runs. Each item is a step of its own: a job that is taken up again goes on behind the last one.
    func work(on job: JobContext) async throws -> JSONText? {
        let order = try JSON.decode(BulkOrder.self, from: job.payload.bytes)
        let author = Author(tenantId: job.tenant, subject: order.subject, operationId: job.id)
        for (index, id) in order.request.ids.enumerated() {
            try await job.step(Self.stepName(index)) { try await perform(order, on: id, by: author) }
            try await job.progress((index + 1) * 100 / order.request.ids.count)
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
