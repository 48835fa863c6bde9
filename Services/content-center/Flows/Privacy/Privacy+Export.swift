import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import Observability

/// How an archive is made.
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
    func export(_ job: JobContext) async throws {
        // Whoever had it may have ended between the archive and the job's end: it is there, and everybody was told.
        guard try await !exports.isKept(job.id, of: job.tenant) else { return }
        let path = scratchPath(of: job)
        let startedAt = Date()
        // Whoever was killed has left theirs.
        try await ExportArchive.remove((max(1, job.fence - 8)..<max(1, job.fence)).map { scratchPath(of: job, fence: $0) })
        let (written, manifest) = try await ExportArchive.writing(to: path, now: Int(startedAt.timeIntervalSince1970)) {
            archive in
            try await write(to: archive, startedAt: startedAt, job)
        }
        do {
            try Task.checkCancellation()
            try await assets.objects.keep(file: path, as: job.id)
            let counts =
                manifest.tables.map { TenantCount(name: String($0.file.name.dropLast(".jsonl".count)), count: $0.rows) }
                + [TenantCount(name: "asset_files", count: manifest.assets.count)]
            try await job.whileHeld { transaction in
                try await exports.keep(
                    job.id, size: written.size, sha256: written.sha256, counts, of: job.tenant, in: transaction)
            }
        } catch {
            await discard(path, job)
            throw error
        }
        exports.onCommit()
    }

    /// Nothing is left of an archive that no row tells of. In a task of its own, since the job's may have been cancelled; and only while the job
    /// is ours: whoever has taken it up has the same object.
    private func discard(_ path: String, _ job: JobContext) async {
        await Task {
            try? await ExportArchive.remove([path])
            try? await job.whileHeld { transaction in
                guard try await !exports.isKept(job.id, of: job.tenant, in: transaction) else { return }
                try await assets.objects.remove(job.id)
            }
        }.value
    }

    private func write(
        to archive: ExportArchive, startedAt: Date, _ job: JobContext
    ) async throws -> (ExportArchive.Written, Manifest) {
        var manifest = Manifest(
            tenantId: job.tenant, createdAt: startedAt, tables: try await addTables(to: archive, of: job.tenant),
            assets: Manifest.Assets(count: 0, bytes: 0))
        try await job.progress(30)
        manifest.assets = try await addAssets(to: archive, job)
        let written = try await archive.finish(manifest: JSON.encode(manifest))
        return (written, manifest)
    }

    /// Of this attempt alone: one that was thought dead may still be writing to its own.
    private func scratchPath(of job: JobContext) -> String { scratchPath(of: job, fence: job.fence) }

    private func scratchPath(of job: JobContext, fence: Int64) -> String {
        "\(scratch)/export-\(job.id.text)-\(fence)"
    }

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
                let id = asset.id.text
                let copy = archive.copies
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
    static func line(_ row: [UInt8]) throws -> [UInt8] {
        guard case .object(let object) = try JSONValue(parsing: row) else { throw InternalFailure() }
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
