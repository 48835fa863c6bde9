import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import Observability
import PostgresStore

/// The SQL of exports.
struct ExportStore: Sendable {
    let database: Database
    /// Wakes the worker after a commit.
    let onOrder: @Sendable () -> Void
    /// Tells a running job that it is to stop.
    let onCancel: @Sendable (UUID) -> Void
    /// Wakes the outbox relay after a commit.
    let onCommit: @Sendable () -> Void

    // MARK: Orders

    /// Adds the job and its row, or finds those that the operation has added.
    ///
    /// - Returns: `nil` where another export is under way.
    func add(by author: Author) async throws -> UUID? {
        let key = author.operationId?.uuidString
        let id = try await database.transaction(tenant: author.tenantId) { transaction -> UUID? in
            // Two orders one after the other.
            _ = try await transaction.query(
                "SELECT pg_advisory_xact_lock(hashtextextended('tenant export ' || \(author.tenantId)::text, 0))")
            let jobs = try await transaction.query(
                """
                SELECT id, dedupe_key IS NOT DISTINCT FROM \(key) AND \(key)::text IS NOT NULL AS is_same FROM jobs
                WHERE tenant_id = \(author.tenantId) AND kind = \(Privacy.exportKind)
                    AND (state IN ('queued', 'running') OR dedupe_key = \(key))
                """
            ).map { (id: try $0.decode("id", as: UUID.self), isSame: try $0.decode("is_same", as: Bool.self)) }
            if let same = jobs.first(where: \.isSame) { return same.id }
            guard jobs.isEmpty else { return nil }
            let id = try await JobStore.enqueue(kind: Privacy.exportKind, payload: JSONText("{}"), key: key, in: transaction)
            try transaction.enqueue(
                """
                INSERT INTO tenant_exports (tenant_id, id, requested_by, expires_at)
                VALUES (\(author.tenantId), \(id), \(author.subject), app_now() + make_interval(days => \(Privacy.exportDays)::int))
                """)
            return id
        }
        if id != nil { onOrder() }
        return id
    }

    func cancel(_ id: UUID, of tenantId: UUID) async throws {
        _ = try await database.transaction(tenant: tenantId) { try await JobStore.requestCancel(id, in: $0) }
        onCancel(id)
    }

    /// Without the address of its archive.
    func export(_ id: UUID, of tenantId: UUID) async throws -> TenantExport? {
        try await exports("AND e.id = \(id)", of: tenantId).first
    }

    /// Newest first, without the addresses of their archives.
    func list(before id: UUID?, limit: Int, of tenantId: UUID) async throws -> [TenantExport] {
        let older: SQL = if let id { "AND e.id < \(id)" } else { "" }
        return try await exports("\(older) ORDER BY e.id DESC LIMIT \(limit)", of: tenantId)
    }

    private func exports(_ which: SQL, of tenantId: UUID) async throws -> [TenantExport] {
        try await database.query(
            """
            SELECT e.id, e.requested_by, e.created_at, e.size, e.sha256, e.counts, e.expires_at, j.state, j.progress, j.started_at,
                j.finished_at
            FROM tenant_exports e JOIN jobs j ON j.tenant_id = e.tenant_id AND j.id = e.id
            WHERE e.tenant_id = \(tenantId) AND e.expires_at > app_now() \(which)
            """, tenant: tenantId
        ).map { row in
            let size: Int? = try row.decode("size")
            return TenantExport(
                id: try row.decode("id"), state: TenantJobState(try row.decode("state")), progress: try row.decode("progress"),
                requestedBy: try row.decode("requested_by"), createdAt: try row.decode("created_at"),
                startedAt: try row.decode("started_at"), finishedAt: try row.decode("finished_at"), size: size,
                sha256: try row.decode("sha256", as: [UInt8]?.self)?.hexadecimal,
                counts: try row.decode("counts", as: JSONText?.self).map { try JSON.decode([TenantCount].self, from: $0.bytes) },
                downloadUrl: nil, expiresAt: size == nil ? nil : try row.decode("expires_at"))
        }
    }

    /// The archive is there, and whoever waits for it is told.
    ///
    /// - Throws: ``ExportGone`` where the tenant was erased in between.
    func keep(
        _ id: UUID, size: Int, sha256: [UInt8], _ counts: [TenantCount], of tenantId: UUID, in transaction: Transaction
    ) async throws {
        let row = try await transaction.query(
            """
            UPDATE tenant_exports SET size = \(size), sha256 = \(sha256), counts = \(try JSONText(encoding: counts))::jsonb,
                expires_at = app_now() + make_interval(days => \(Privacy.exportDays)::int)
            WHERE tenant_id = \(tenantId) AND id = \(id) RETURNING expires_at, app_now() AS now
            """
        ).first
        guard let row else { throw ExportGone() }
        let data = TenantExportCompleted(exportId: id, size: size, expiresAt: try row.decode("expires_at"))
        try await Self.tell(data, TenantExportCompleted.type, of: id, tenantId, at: row.decode("now"), in: transaction)
    }

    func isKept(_ id: UUID, of tenantId: UUID) async throws -> Bool {
        try await database.transaction(tenant: tenantId) { try await isKept(id, of: tenantId, in: $0) }
    }

    func isKept(_ id: UUID, of tenantId: UUID, in transaction: Transaction) async throws -> Bool {
        try await !transaction.query(
            "SELECT FROM tenant_exports WHERE tenant_id = \(tenantId) AND id = \(id) AND size IS NOT NULL"
        ).isEmpty
    }

    /// Writes what the end of an export means for others, in the transaction that ends it: whoever waits for it learns that it will not come.
    static func tell(of end: JobEnd, in transaction: Transaction) async throws {
        guard end.kind == Privacy.exportKind, end.state == .failed else { return }
        let now: Date = try await transaction.query("SELECT app_now() AS now").only.decode("now")
        try await tell(
            TenantExportFailed(exportId: end.id), TenantExportFailed.type, of: end.id, end.tenant, at: now, in: transaction)
    }

    private static func tell(
        _ data: some Encodable, _ type: String, of id: UUID, _ tenantId: UUID, at time: Date, in transaction: Transaction
    ) async throws {
        let event = CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, subject: id.text, time: time,
            tenantId: tenantId, version: 1, data: try JSON.encode(data))
        try await Outbox.append([event], in: transaction)
    }

    // MARK: What is exported

    /// Every row of every table as it stood at one moment, a few at a time.
    ///
    /// - Parameter body: gets the tables one after the other, each in several calls, the last of which brings nothing.
    func rows(of tenantId: UUID, _ body: @escaping @Sendable (TenantData, [[UInt8]]) async throws -> Void) async throws {
        try await database.transaction(tenant: tenantId, isolation: .repeatableRead) { transaction in
            for data in TenantData.exported {
                _ = try await transaction.execute(
                    """
                    DECLARE export NO SCROLL CURSOR FOR
                    SELECT (\(unescaped: data.json))::text AS row FROM \(identifier: data.table) t
                    WHERE t.tenant_id = \(tenantId)
                    """)
                while true {
                    let rows = try await transaction.query("FETCH 100 FROM export").map {
                        try $0.decode("row", as: JSONText.self).bytes
                    }
                    try await body(data, rows)
                    if rows.isEmpty { break }
                }
                _ = try await transaction.execute("CLOSE export")
            }
        }
    }

    func assetCount(of tenantId: UUID) async throws -> Int {
        try await database.query(
            "SELECT count(*) AS n FROM content_assets WHERE tenant_id = \(tenantId) AND state = 'ready'", tenant: tenantId
        ).only.decode("n")
    }
}

/// No row waits for the archive any more.
struct ExportGone: Error {}
