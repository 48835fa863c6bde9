import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import Observability
import PostgresStore

/// The SQL of erasures.
struct ErasureStore: Sendable {
    static let batch = 500

    let database: Database
    /// Wakes the worker after a commit.
    let onOrder: @Sendable () -> Void
    /// Wakes the outbox relay after a commit.
    let onCommit: @Sendable () -> Void

    /// Closes the tenant and adds the job.
    ///
    /// - Returns: `false` where another operation did so before.
    func add(by author: Author) async throws -> Bool {
        let isNew = try await database.transaction(tenant: author.tenantId) { transaction in
            // Waits for whoever is writing; whoever comes after that sees the row.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(tenant_write_lock(\(author.tenantId)))")
            let known = try await transaction.query(
                "SELECT operation_id FROM tenant_erasures WHERE tenant_id = \(author.tenantId)")
            if let row = known.first {
                return try author.operationId != nil && row.decode("operation_id", as: UUID?.self) == author.operationId
            }
            // The job first: once the tenant is closed, none can be added.
            let id = UUID.version7()
            _ = try await JobStore.add(
                id, kind: Privacy.erasureKind, payload: JSONText("{}"), maxAttempts: 1_000, in: transaction)
            let orderedAt: Date = try await transaction.query(
                """
                INSERT INTO tenant_erasures (tenant_id, id, requested_by, operation_id)
                VALUES (\(author.tenantId), \(id), \(author.subject), \(author.operationId)) RETURNING created_at
                """
            ).only.decode("created_at")
            try await Self.tell(
                TenantErasureOrdered.type, TenantErasureOrdered(erasureId: id), version: 1, of: author.tenantId, at: orderedAt,
                in: transaction)
            return true
        }
        onOrder()
        onCommit()
        return isNew
    }

    func erasure(of tenantId: UUID) async throws -> TenantErasure? {
        let rows = try await database.query(
            """
            SELECT e.id, e.requested_by, e.created_at, e.finished_at, e.counts, j.state, j.progress
            FROM tenant_erasures e JOIN jobs j ON j.tenant_id = e.tenant_id AND j.id = e.id WHERE e.tenant_id = \(tenantId)
            """, tenant: tenantId)
        return try rows.first.map { row in
            TenantErasure(
                id: try row.decode("id"), state: TenantJobState(try row.decode("state")), progress: try row.decode("progress"),
                requestedBy: try row.decode("requested_by"), createdAt: try row.decode("created_at"),
                finishedAt: try row.decode("finished_at"),
                counts: try JSON.decode([TenantCount].self, from: row.decode("counts", as: JSONText.self).bytes))
        }
    }

    // MARK: The work

    /// How many rows there are of everything that people know of.
    func count(of tenantId: UUID, in transaction: Transaction) async throws -> [TenantCount] {
        var counts: [TenantCount] = []
        for data in TenantData.exported {
            let count: Int = try await transaction.query(
                "SELECT count(*) AS n FROM \(identifier: data.table) WHERE tenant_id = \(tenantId)"
            ).only.decode("n")
            counts.append(TenantCount(name: data.table, count: count))
        }
        try transaction.enqueue(
            "UPDATE tenant_erasures SET counts = \(try JSONText(encoding: counts))::jsonb WHERE tenant_id = \(tenantId)")
        return counts
    }

    /// - Returns: whether there may be more.
    func deleteBatch(_ data: TenantData, besides job: UUID, of tenantId: UUID, in transaction: Transaction) async throws -> Bool {
        let chosen: SQL = """
            ctid = ANY(ARRAY(SELECT ctid FROM \(identifier: data.table) WHERE tenant_id = \(tenantId) LIMIT \(Self.batch)))
            """
        switch data.erasure {
        case .rows:
            return try await transaction.execute("DELETE FROM \(identifier: data.table) WHERE \(chosen)") == Self.batch
        case .objects(let column):
            return try await transaction.execute(
                """
                WITH gone AS (DELETE FROM \(identifier: data.table) WHERE \(chosen) RETURNING \(identifier: column) AS object)
                INSERT INTO asset_garbage (tenant_id, object_id) SELECT \(tenantId), object FROM gone ON CONFLICT DO NOTHING
                """) > 0
        case .otherJobs:
            return try await transaction.execute(
                """
                DELETE FROM jobs WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM jobs WHERE tenant_id = \(tenantId) AND id <> \(job) LIMIT \(Self.batch)))
                """) == Self.batch
        case .with, .garbage, .kept: return false
        }
    }

    /// Asks all other jobs to stop.
    ///
    /// - Returns: whether somebody is still at work on one: he may keep something yet of which no row would tell.
    func stopOthers(besides job: UUID, of tenantId: UUID) async throws -> Bool {
        try await database.query(
            "UPDATE jobs SET cancel_requested_at = app_now() WHERE tenant_id = \(tenantId) AND id <> \(job) AND cancel_requested_at IS NULL",
            tenant: tenantId)
        return try await !database.query(
            """
            SELECT FROM jobs WHERE tenant_id = \(tenantId) AND id <> \(job) AND state = 'running' AND lease_until > app_now() LIMIT 1
            """, tenant: tenantId
        ).isEmpty
    }

    func garbage(of tenantId: UUID) async throws -> [UUID] {
        try await database.query(
            "SELECT object_id FROM asset_garbage WHERE tenant_id = \(tenantId) LIMIT \(Self.batch)", tenant: tenantId
        ).map { try $0.decode("object_id") }
    }

    func forgetGarbage(_ objects: [UUID], of tenantId: UUID) async throws {
        try await database.query(
            "DELETE FROM asset_garbage WHERE tenant_id = \(tenantId) AND object_id = ANY(\(objects))", tenant: tenantId)
    }

    /// Tables in which something is left, besides the job and what is kept.
    func left(of tenantId: UUID, besides job: UUID) async throws -> [String] {
        var left: [String] = []
        for data in TenantData.all {
            if case .kept = data.erasure { continue }
            var sql: SQL = "SELECT FROM \(identifier: data.table) WHERE tenant_id = \(tenantId)"
            switch data.table {
            case "jobs": sql.append(" AND id <> \(job)")
            case "job_steps", "job_due": sql.append(" AND job_id <> \(job)")
            default: break
            }
            sql.append(" LIMIT 1")
            if try await !database.query(sql, tenant: tenantId).isEmpty { left.append(data.table) }
        }
        return left
    }

    /// The end, and the event that tells of it.
    func finish(_ job: UUID, _ counts: [TenantCount], of tenantId: UUID, in transaction: Transaction) async throws {
        let finishedAt: Date = try await transaction.query(
            "UPDATE tenant_erasures SET finished_at = app_now() WHERE tenant_id = \(tenantId) RETURNING finished_at"
        ).only.decode("finished_at")
        try await Self.tell(
            TenantContentErased.type, TenantContentErased(erasureId: job, counts: counts), version: 2, of: tenantId,
            at: finishedAt,
            in: transaction)
    }

    private static func tell(
        _ type: String, _ data: some Encodable, version: Int64, of tenantId: UUID, at time: Date, in transaction: Transaction
    ) async throws {
        let event = CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: tenantId.text, time: time, tenantId: tenantId,
            version: version, data: try JSON.encode(data))
        try await Outbox.append([event], in: transaction)
    }
}

extension PostgresError {
    /// Raised where a tenant that was erased would write.
    var isOfErasedTenant: Bool { sqlState == "TE001" }
}

extension TenantJobState {
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
