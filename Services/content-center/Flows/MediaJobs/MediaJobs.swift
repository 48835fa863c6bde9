import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// Work on videos, pictures and sound (seed 001 §6, §10.3), as jobs: ordered here, done by whoever has a place free, their results assets
/// of the tenant.
struct MediaJobs: Sendable {
    /// How long the addresses in an answer hold.
    static let urlLifetime = 12 * 3_600

    let store: MediaJobsStore
    let assets: Assets
    let objects: any ObjectStore
    let passes: PlaylistPasses
    let origins: MediaOrigins
    /// Whether a speech recogniser is set.
    let canHear: Bool

    /// Takes an order. The repeat of an operation answers the job that it has ordered.
    func order(_ request: MediaJobRequest, by author: Author) async throws -> MediaJobAccepted {
        if request.type == .subtitle, !canHear { throw MediaJobRefusal.cannotHear }
        var source: MediaSource?
        if let id = request.assetId {
            try await check(id, at: "/assetId", for: author, request.type)
            source = .asset(id)
        } else if let address = request.sourceUrl {
            source = try await self.source(at: address, for: request.type, by: author)
        }
        var total = 0
        for (index, id) in (request.params?.assetIds ?? []).enumerated() {
            total += try await check(id, at: "/params/assetIds/\(index)", for: author, request.type).size ?? 0
        }
        if total > MediaSources.largest { throw MediaJobRefusal.tooLargeTogether(total) }
        if let id = request.params?.overlayAssetId {
            try await check(id, at: "/params/overlayAssetId", for: author, .imageVariants)
        }
        if let id = request.params?.subtitleAssetId {
            try await check(id, at: "/params/subtitleAssetId", for: author) { [.subRip, .webVTT].contains($0) }
        }
        let order = MediaOrder(
            type: request.type, priority: request.priority ?? .normal, source: source, profiles: request.profiles,
            params: request.params, subject: author.subject, contentId: request.contentId)
        if let content = request.contentId, try await !store.isVideo(content, of: author.tenantId) {
            throw MediaJobRefusal.unknownVideo
        }
        var asset = source?.assetId
        if case .object(let object, _) = source { asset = try await store.asset(of: object, for: author.viewer) }
        return try await store.add(order, of: asset, by: author)
    }

    @discardableResult
    private func check(
        _ id: UUID, at pointer: String, for author: Author, _ type: MediaJobType
    ) async throws -> LibraryAsset {
        try await check(id, at: pointer, for: author, takes: type.takes)
    }

    @discardableResult
    private func check(
        _ id: UUID, at pointer: String, for author: Author, takes: (FileType) -> Bool
    ) async throws -> LibraryAsset {
        guard let asset = try await assets.store.asset(id, for: author.viewer) else {
            throw MediaJobRefusal.unknownAsset(pointer)
        }
        guard asset.state == .ready else { throw MediaJobRefusal.assetNotReady(pointer) }
        guard let found = FileType(rawValue: asset.mediaType), takes(found) else {
            throw MediaJobRefusal.wrongMediaType(pointer, found: asset.mediaType)
        }
        return asset
    }

    /// A URL of ours is read now: it may have ended when the job's turn comes.
    private func source(at address: String, for type: MediaJobType, by author: Author) async throws -> MediaSource {
        switch objects.object(shownBy: address) {
        case .object(let id, let mediaType):
            guard let found = FileType(rawValue: mediaType), type.takes(found) else {
                throw MediaJobRefusal.wrongMediaType("/sourceUrl", found: mediaType)
            }
            return .object(id, mediaType: mediaType)
        case .named(let object):
            guard let asset = try await store.asset(of: object, for: author.viewer) else {
                throw MediaJobRefusal.unknownAsset("/sourceUrl")
            }
            try await check(asset, at: "/sourceUrl", for: author, type)
            return .asset(asset)
        case .refused: throw MediaJobRefusal.addressNotValid
        case .elsewhere:
            guard origins.allow(address), S3Name(address).map({ objects.address(of: $0, seconds: 1) != nil }) ?? true else {
                throw MediaJobRefusal.addressNotAllowed
            }
            // It stands in the job's row for as long as that does.
            guard !MediaOrigins.carriesSecret(address) else { throw MediaJobRefusal.addressCarriesSecret }
            return .address(address)
        }
    }

    func job(_ id: UUID, for viewer: AssetViewer, in language: LocalizedText.Language) async throws -> MediaJob {
        guard let job = try await store.job(id, for: viewer) else { throw MediaJobRefusal.notFound }
        return show(job, of: viewer.tenantId, in: language)
    }

    /// Newest first.
    func list(_ filter: MediaJobFilter, for viewer: AssetViewer, in language: LocalizedText.Language) async throws -> [MediaJob] {
        try await store.list(filter, for: viewer).map { show($0, of: viewer.tenantId, in: language) }
    }

    /// What is done stays; a job that is over stays as it is. A running one ends as canceled a moment later.
    func cancel(_ id: UUID, for viewer: AssetViewer, in language: LocalizedText.Language) async throws -> MediaJob {
        guard try await store.cancel(id, for: viewer) else { throw MediaJobRefusal.notFound }
        return try await job(id, for: viewer, in: language)
    }

    /// A playlist of a transcoded video: the master, or that of one rate, with addresses that hold for a while.
    ///
    /// - Parameter query: with which a player asks for the others, where it needs more than their names.
    func playlist(_ name: String, of id: UUID, for viewer: AssetViewer, query: String? = nil) async throws -> String {
        guard let job = try await store.job(id, for: viewer, withPlaylists: true) else { throw MediaJobRefusal.notFound }
        let renditions = job.outputs.filter { $0.kind == .hlsRendition }
        if name == HLSPlaylists.master, !renditions.isEmpty {
            return HLSPlaylists.master(renditions.compactMap(\.rendition), query: query)
        }
        guard let one = renditions.first(where: { "\($0.name).m3u8" == name }), let playlist = one.details.playlist else {
            throw MediaJobRefusal.notFound
        }
        return HLSPlaylists.media(playlist, url: url(of: one, ending: FileType(rawValue: one.mediaType)?.extensions.first))
    }

    /// The playlists for whoever holds an address of ``MediaOutput``'s kind `hls`.
    func openPlaylist(_ name: String, pass sealed: String, now: Int) async throws -> String {
        let pass = try passes.open(sealed, now: now)
        // It was given to somebody for whom the job was there.
        let holder = AssetViewer(tenantId: pass.tenantId, subject: "", seesAllAudiences: true)
        return try await playlist(name, of: pass.job, for: holder, query: PlaylistPasses.query(sealed))
    }

    // MARK: As clients see it

    func show(_ job: StoredMediaJob, of tenantId: UUID, in language: LocalizedText.Language) -> MediaJob {
        MediaJob(
            jobId: job.id, type: job.order.type, priority: job.order.priority, status: job.status, progress: job.progress,
            assetId: job.order.source?.assetId, contentId: job.order.contentId, outputs: outputs(of: job, tenantId),
            probe: job.facts.map { show($0, in: language) },
            error: job.failure.map { MediaJobError(code: $0.rawValue, message: $0.message.text(in: language)) },
            createdBy: job.order.subject, createdAt: job.createdAt, startedAt: job.startedAt, finishedAt: job.finishedAt)
    }

    /// The master playlist stands before its rates.
    private func outputs(of job: StoredMediaJob, _ tenantId: UUID) -> [MediaOutput] {
        var outputs = job.outputs.map { output in
            MediaOutput(
                kind: output.kind, name: output.name, assetId: output.assetId, url: url(of: output), mediaType: output.mediaType,
                size: output.size, width: output.details.width, height: output.details.height,
                durationMs: output.details.durationMs, bitrate: output.details.bitrate)
        }
        if let first = outputs.firstIndex(where: { $0.kind == .hlsRendition }) {
            outputs.insert(
                MediaOutput(
                    kind: .hls, name: "master", assetId: nil,
                    url: passes.url(
                        HLSPlaylists.master, PlaylistPass(tenantId: tenantId, job: job.id, expiresAt: Self.expiry())),
                    mediaType: HLSPlaylists.mediaType, size: nil, width: nil, height: nil,
                    durationMs: outputs[first].durationMs, bitrate: nil), at: first)
        }
        return outputs
    }

    private func url(of output: StoredMediaOutput, ending: String? = nil) -> String {
        objects.downloadURL(
            ObjectGrant(
                method: .get, object: output.objectId, contentType: output.mediaType, expiresAt: Self.expiry(), ending: ending))
    }

    private static func expiry() -> Int { Int(Date().timeIntervalSince1970) + urlLifetime }

    private func show(_ facts: MediaFacts, in language: LocalizedText.Language) -> MediaProbe {
        MediaProbe(
            mediaType: facts.type, size: facts.size, durationMs: facts.durationMs, width: facts.video?.width,
            height: facts.video?.height, videoCodec: facts.video?.codec, frameRate: facts.video?.frameRate,
            audioCodec: facts.audio?.codec, audioChannels: facts.audio?.channels, sampleRate: facts.audio?.sampleRate,
            bitrate: facts.bitrate,
            douyin: DouyinPictureRule.report(facts, in: language) ?? DouyinVideoRule.report(facts, in: language))
    }
}

/// A job as it is kept.
struct StoredMediaJob: Sendable, Equatable {
    let id: UUID
    let order: MediaOrder
    let status: MediaJobStatus
    let progress: Int
    let createdAt: Date
    let startedAt: Date?
    let finishedAt: Date?
    /// Of the source.
    let facts: MediaFacts?
    let failure: MediaFailure?
    var outputs: [StoredMediaOutput] = []
}

struct StoredMediaOutput: Sendable, Equatable {
    let kind: MediaOutputKind
    let name: String
    let assetId: UUID
    let objectId: UUID
    let mediaType: String
    let size: Int
    let details: MediaOutputDetails

    fileprivate var rendition: HLSPlaylists.Rendition? {
        guard let width = details.width, let height = details.height, let playlist = details.playlist else { return nil }
        return HLSPlaylists.Rendition(
            name: name, width: width, height: height, codecs: details.codecs, frameRate: details.frameRate, playlist: playlist)
    }
}

/// What is known of an output beside its bytes.
struct MediaOutputDetails: Codable, Sendable, Equatable {
    var width: Int?
    var height: Int?
    var durationMs: Int?
    var bitrate: Int?
    /// Of a rate of HLS.
    var codecs: String?
    var frameRate: Double?
    var playlist: String?
}
