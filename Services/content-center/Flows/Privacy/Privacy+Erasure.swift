import DTO
import FoundationEssentials
import HTTPCore
import Jobs

/// How everything goes.
extension Privacy {
    /// What the worker runs for an erasure. Whatever has gone is gone: a job that is taken up again goes on with the rest.
    func erase(_ job: JobContext) async throws {
        let (tenantId, id) = (job.tenant, job.id)
        let counts = try await job.transactionalStep("count") { try await erasures.count(of: tenantId, in: $0) }
        while try await erasures.stopOthers(besides: id, of: tenantId) { try await Task.sleep(for: .milliseconds(300)) }
        for (index, data) in TenantData.all.enumerated() {
            if data.erasure == .garbage {
                try await collectGarbage(of: tenantId)
            } else {
                if data.table == "content_assets" { try await discardUploads(of: tenantId) }
                while try await job.whileHeld({
                    try await erasures.deleteBatch(data, besides: id, of: tenantId, in: $0)
                }) {
                    try Task.checkCancellation()
                }
            }
            try await job.progress((index + 1) * 95 / TenantData.all.count)
        }
        let left = try await erasures.left(of: tenantId, besides: id)
        guard left.isEmpty else { throw StillThere(tables: left) }
        try await job.transactionalStep("finish") { transaction in
            try await erasures.finish(id, counts, of: tenantId, in: transaction)
            return true
        }
        erasures.onCommit()
    }

    /// What was sent and never completed.
    private func discardUploads(of tenantId: UUID) async throws {
        var last: UUID?
        while true {
            let page = try await assets.list(AssetFilter(state: .pending, olderThan: last, limit: 100), of: tenantId)
            for asset in page {
                try await assets.objects.discard(asset.id)
                try await assets.objects.remove(asset.id)
            }
            guard page.count == 100 else { return }
            last = page.last?.id
        }
    }

    private func collectGarbage(of tenantId: UUID) async throws {
        while true {
            let objects = try await erasures.garbage(of: tenantId)
            if objects.isEmpty { return }
            for object in objects { try await assets.objects.remove(object) }
            try await erasures.forgetGarbage(objects, of: tenantId)
        }
    }
}

/// Something came in between; the job goes over it again.
private struct StillThere: Error, CustomStringConvertible {
    let tables: [String]

    var description: String { "there is still something in \(tables.joined(separator: ", "))" }
}
