import DTO
import FoundationEssentials

/// What lists and players show of an upload before anybody opens it: of a picture that picture small, of a video its best frame, and
/// that small. Ordered with the completion of each upload (``AssetFollowUps``), done when nothing else waits.
///
/// They are no assets of the tenant: they come and go with theirs, and no plan counts them.
struct AssetPreviews: Sendable {
    /// The kind of its jobs. Nobody has ordered them, so nobody is shown them.
    static let kind = "asset.preview"
    /// After that a picture is as good as one that cannot be shown.
    static let mostAttempts = 5

    let workspace: MediaWorkspace
    let sources: MediaSources
    let ffmpeg: FFmpeg
    let objects: any ObjectStore

    /// - Throws: ``MediaFailure``, or what a repetition may mend.
    func make(_ attempt: MediaAttempt) async throws {
        if try attempt.hasPreviews { return }
        let asset = try attempt.previewed()
        try await workspace.withFolder(of: attempt.id, fence: attempt.fence) { folder in
            let source = try await sources.fetch(.asset(asset), as: "source0", into: folder, of: attempt.tenantId)
            let facts = try await ffmpeg.facts(of: source.input, size: source.size, in: folder.path)
            var shown = ExaminedInput(file: source.input, facts: facts)
            var pictures: [PlannedOutput] = []
            if !facts.isPicture {
                let cover = try MediaPlan.cover(shown, MediaJobParams())
                try await run(cover, in: folder)
                pictures += cover.outputs
                shown = try cover.outputs.first?.asPicture ?? shown
            }
            let small = try MediaPlan.thumbnails(shown, MediaJobParams())
            try await run(small, in: folder)
            try await keep(pictures + small.outputs, of: asset, in: folder, attempt)
        }
    }

    private func run(_ plan: MediaPlan, in folder: MediaFolder) async throws {
        for step in plan.steps { try await ffmpeg.run(step, in: folder.path) { _ in } }
        try await plan.choose(in: folder)
    }

    /// What is kept for an asset that is gone meanwhile, or by an attempt that dies here, the sweeper finds.
    private func keep(_ pictures: [PlannedOutput], of asset: UUID, in folder: MediaFolder, _ attempt: MediaAttempt) async throws {
        let previews = try pictures.map { try StoredPreview($0, object: attempt.object(for: $0)) }
        try await attempt.announce(previews.map(\.object))
        for (picture, preview) in zip(pictures, previews) {
            try await objects.keep(file: folder.path(of: picture.file), as: preview.object)
        }
        try await attempt.keep(previews, of: asset)
    }
}

/// A preview as it is kept.
struct StoredPreview: Sendable, Equatable {
    let kind: MediaOutputKind
    let object: UUID
    let mediaType: String
    let width: Int
    let height: Int

    init(_ output: PlannedOutput, object: UUID) throws(MediaFailure) {
        guard let width = output.width, let height = output.height else { throw .noVideo }
        kind = output.kind
        self.object = object
        mediaType = output.type.rawValue
        self.width = width
        self.height = height
    }
}

extension PlannedOutput {
    /// As the source of another run.
    fileprivate var asPicture: ExaminedInput {
        get throws(MediaFailure) {
            guard let file = MediaInput(name: file, type: type), let width, let height else { throw .noVideo }
            var facts = MediaFacts(type: type.rawValue, size: 0)
            facts.video = .init(codec: "mjpeg", width: width, height: height, hasAlpha: false)
            return ExaminedInput(file: file, facts: facts)
        }
    }
}
