import DTO
import FoundationEssentials
import HTTPCore

/// What media jobs have made for contents of kind `video` (seed 001 §6 step 4): read from the jobs themselves, so that a job's end makes no
/// version and no edit gets lost over it.
extension MediaJobs {
    /// - Returns: `nil` where no job was ordered for it that is there for the viewer.
    func media(of contentId: UUID, for viewer: AssetViewer, in language: LocalizedText.Language) async throws -> ContentMedia? {
        let jobs = try await store.jobs(of: contentId, for: viewer).map { show($0, of: viewer.tenantId, in: language) }
        return ContentMedia(jobs)
    }
}

extension MediaJobType {
    /// Its output is a video.
    var makesVideo: Bool {
        switch self {
        case .transcode, .concat, .burnSubtitle, .watermark: true
        case .cover, .thumbnail, .audio, .subtitle, .probe, .imageVariants: false
        }
    }
}

extension ContentMedia {
    /// How a content's video stands: as the newest job that makes one, or where there is none as the newest of all. What was made before is
    /// shown until there is something newer.
    ///
    /// - Parameter jobs: of the content, newest first.
    init?(_ jobs: [MediaJob]) {
        let jobs = jobs.filter { $0.status != .canceled }
        guard let newest = jobs.first(where: { $0.type.makesVideo }) ?? jobs.first else { return nil }
        let done = jobs.filter { $0.status == .succeeded }
        let video = done.first { $0.type.makesVideo }
        let status: Status =
            switch newest.status {
            case .queued, .running: .processing
            case .succeeded: .ready
            case .failed, .canceled: .failed
            }
        let renditions = video?.outputs.filter { $0.kind == .mp4 || $0.kind == .hlsRendition } ?? []
        self.init(
            status: status, jobId: newest.jobId, progress: newest.progress,
            hlsUrl: video?.outputs.first { $0.kind == .hls }?.url, renditions: renditions,
            durationMs: renditions.compactMap(\.durationMs).first ?? video?.probe?.durationMs,
            coverUrl: done.lazy.compactMap { job in job.outputs.first { $0.kind == .cover }?.url }.first, error: newest.error)
    }
}
