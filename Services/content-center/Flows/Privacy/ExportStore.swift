import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Messaging
import PostgresStore

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
        let rows = try await database.query(
            """
            SELECT e.id, e.requested_by, e.created_at, e.size, e.sha256, e.counts, e.expires_at, j.state, j.progress, j.started_at,
                j.finished_at
            FROM tenant_exports e JOIN jobs j ON j.tenant_id = e.tenant_id AND j.id = e.id
            WHERE e.tenant_id = \(tenantId) AND e.id = \(id) AND e.expires_at > app_now()
            """, tenant: tenantId)
        return try rows.first.map { row in
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
        // Erased in between.
        guard let row else { return }
        let data = TenantExportCompleted(exportId: id, size: size, expiresAt: try row.decode("expires_at"))
        let event = CloudEvent(
            id: UUID.version7(), source: "content-center", type: TenantExportCompleted.type, subject: id.uuidString.lowercased(),
            time: try row.decode("now"), tenantId: tenantId, version: 1, data: try JSON.encode(data))
        try await Outbox.append([event], in: transaction)
    }

    // MARK: What is exported

    /// Every row of every table as it stood at one moment, a few at a time.
    ///
    /// - Parameter body: gets the tables one after the other, each in several calls, the last of which brings nothing.
    func rows(of tenantId: UUID, _ body: @escaping @Sendable (TenantData, [JSONText]) async throws -> Void) async throws {
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
                        try $0.decode("row", as: JSONText.self)
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

extension Privacy {
    private struct Manifest: Encodable {
        struct Table: Encodable {
            var file: ExportArchive.File
            var rows: Int
        }
        struct Assets: Encodable {
            var count: Int
            var bytes: Int
        }
        let format = "content-center export"
        let version = 1
        var tenantId: UUID
        var createdAt: Date
        var tables: [Table]
        var assets: Assets
    }

    /// What the worker runs for an export. One that is taken up again begins anew: its archive has the job's id and is there once.
    func export(_ job: JobContext) async throws -> JSONText? {
        let path = scratchPath(of: job)
        let startedAt = Date()
        let archive = try await ExportArchive(at: path, now: Int(startedAt.timeIntervalSince1970))
        var manifest = Manifest(
            tenantId: job.tenant, createdAt: startedAt, tables: try await addTables(to: archive, of: job.tenant),
            assets: Manifest.Assets(count: 0, bytes: 0))
        try await job.progress(30)
        manifest.assets = try await addAssets(to: archive, job)
        let written = try await archive.finish(manifest: JSON.encode(manifest))
        try Task.checkCancellation()
        try await assets.objects.keep(file: path, as: job.id)
        let counts =
            manifest.tables.map { TenantCount(name: String($0.file.name.dropLast(".jsonl".count)), count: $0.rows) }
            + [TenantCount(name: "asset_files", count: manifest.assets.count)]
        try await job.whileHeld { transaction in
            try await exports.keep(
                job.id, size: written.size, sha256: written.sha256, counts, of: job.tenant, in: transaction)
        }
        exports.onCommit()
        return nil
    }

    /// Of this attempt alone: one that was thought dead may still be writing to its own.
    private func scratchPath(of job: JobContext) -> String { "\(scratch)/export-\(job.id.uuidString.lowercased())-\(job.fence)" }

    /// Each table as a file of JSON lines.
    private func addTables(to archive: ExportArchive, of tenantId: UUID) async throws -> [Manifest.Table] {
        let open = Lock<(name: String, rows: Int)?>(nil)
        let tables = Lock<[Manifest.Table]>([])
        try await exports.rows(of: tenantId) { data, rows in
            let name = "\(data.table).jsonl"
            if open.withLock({ $0 == nil }) {
                try await archive.begin(name, compresses: true)
                open.withLock { $0 = (name, 0) }
            }
            if rows.isEmpty {
                let file = try await archive.end(name)
                let count = open.withLock { open -> Int in
                    defer { open = nil }
                    return open?.rows ?? 0
                }
                tables.withLock { $0.append(Manifest.Table(file: file, rows: count)) }
                return
            }
            for row in rows { try await archive.write(ExportRow.line(row)) }
            open.withLock { $0?.rows += rows.count }
        }
        return tables.withLock { $0 }
    }

    /// The bytes of every asset, as `assets/{id}/{file name}`. One that goes while this runs is left out.
    private func addAssets(to archive: ExportArchive, _ job: JobContext) async throws -> Manifest.Assets {
        let total = max(1, try await exports.assetCount(of: job.tenant))
        var (sum, last, seen) = (Manifest.Assets(count: 0, bytes: 0), UUID?.none, 0)
        while true {
            let page = try await assets.list(AssetFilter(state: .ready, olderThan: last, limit: 100), of: job.tenant)
            for asset in page {
                try Task.checkCancellation()
                let id = asset.id.uuidString.lowercased()
                let copy = scratchPath(of: job) + "-asset"
                try await archive.discard(copy)
                if try await assets.fetch(asset, to: copy, of: job.tenant) {
                    if let file = try await archive.add("assets/\(id)/\(asset.filename)", fileAt: copy) {
                        sum.count += 1
                        sum.bytes += file.size
                    }
                    try await archive.discard(copy)
                }
            }
            seen += page.count
            try await job.progress(30 + 65 * min(seen, total) / total)
            guard page.count == 100 else { return sum }
            last = page.last?.id
        }
    }
}

/// A row as people read it: members named as in the API.
enum ExportRow {
    static func line(_ row: JSONText) throws -> [UInt8] {
        guard case .object(let object) = try JSONValue(parsing: row.bytes) else { throw InternalFailure() }
        var named = JSONObject()
        for name in object.names where object[name] != .null { named[camelCase(name)] = object[name] }
        return JSONValue.object(named).encode() + [UInt8(ascii: "\n")]
    }

    /// `created_at` is `createdAt`.
    static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return String(words.first ?? "") + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
