import DTO
import FoundationEssentials
import HTTPCore
import Jobs
import PostgresStore

/// What an upload brings about once it is complete, ordered in the transaction that completes it: so it is ordered once, and never lost.
/// Nobody waits for it; where no worker runs it waits for one.
enum AssetFollowUps {
    /// - Returns: the job that puts the mark on a copy.
    static func order(for asset: LibraryAsset, by author: Author, in transaction: Transaction) async throws -> UUID? {
        guard let type = FileType(rawValue: asset.mediaType), type.isShown else { return nil }
        let order = AssetPreviewOrder(assetId: asset.id)
        try await JobStore.enqueue(
            kind: AssetPreviews.kind, payload: JSONText(encoding: order), key: asset.id.uuidString,
            maxAttempts: AssetPreviews.mostAttempts, in: transaction)
        let wish = try await transaction.query(
            "SELECT watermark FROM content_assets WHERE tenant_id = \(author.tenantId) AND id = \(asset.id)"
        ).only.decode("watermark", as: JSONText?.self)
        guard let wish else { return nil }
        let mark = try JSON.decode(AssetWatermark.self, from: wish.bytes)
        let job = try await MediaJobsStore.add(
            MediaOrder(marking: asset, with: mark, by: author), of: asset.id, key: "watermark \(asset.id)",
            tenantId: author.tenantId,
            in: transaction)
        try transaction.enqueue(
            "UPDATE content_assets SET watermark_job_id = \(job) WHERE tenant_id = \(author.tenantId) AND id = \(asset.id)")
        return job
    }
}

extension FileType {
    /// A picture or a video that can be made small, and marked.
    var isShown: Bool { demuxer != nil && [.image, .video].contains(kind) }
}
