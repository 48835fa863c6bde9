import DTO
import FoundationEssentials

/// Every draft that a tenant makes, with all its versions (seed 000 §1 step 6, seed 001 §3.3).
///
/// A content is never overwritten: an edit makes the next version, by a person, from a version that the person has seen. Whoever edits an
/// older one is refused, so no edit is ever lost.
struct Contents: Sendable {
    let store: ContentsStore

    /// Saves version 1 as a draft and tells of it. The repeat of an operation's step answers the draft that was stored.
    func saveDraft(_ draft: NewContent, by author: Author) async throws -> Content {
        try await refuseForeignAssets(of: draft.body, besides: nil, for: author.viewer)
        try await refuseForeignScript(of: draft.body, besides: nil, tenantId: author.tenantId)
        return try await naming(draft.body, author.viewer) {
            try await store.saveDraft(draft, by: author) { [.draftCreated($0)] }
        }
    }

    func content(_ id: UUID, of tenantId: UUID) async throws -> Content {
        guard let content = try await store.content(id, of: tenantId) else { throw ContentsError.notFound }
        return content
    }

    /// The second edit (二次编辑).
    ///
    /// - Parameter tags: what the editor has seen, as `If-Match` names it.
    func edit(_ id: UUID, with patch: ContentPatch, ifMatch tags: [EntityTag], by author: Author) async throws -> Content {
        let source = VersionSource(kind: .human)
        return try await saveVersion(of: id, ifMatch: tags, source: source, step: ContentsStore.editStep, by: author) { before in
            try ContentEdit.apply(patch, to: before)
        }
    }

    /// The next version as a flow wrote it, whole.
    func write(_ version: NewVersion, of id: UUID, ifMatch tags: [EntityTag], by author: Author) async throws -> Content {
        try await saveVersion(of: id, ifMatch: tags, source: version.source, step: version.step, by: author) { before in
            guard before.kind == version.kind else { throw ContentsError.otherKind(before.kind) }
            return (version.title ?? before.title, version.body)
        }
    }

    /// The next version, which says what an older one said. That is nothing new where the newest says it already.
    func restore(_ number: Int, of id: UUID, ifMatch tags: [EntityTag], by author: Author) async throws -> Content {
        let old = try await version(number, of: id, tenantId: author.tenantId)
        return try await saveVersion(
            of: id, ifMatch: tags, source: old.source, step: ContentsStore.restoreStep, restoring: number, by: author
        ) { before in
            let isSame = old.title.isSameText(as: before.title) && old.body.isSameText(as: before.body)
            return isSame ? nil : (old.title, old.body)
        }
    }

    /// - Parameter change: what becomes of the version before; `nil` where nothing changes.
    private func saveVersion(
        of id: UUID, ifMatch tags: [EntityTag], source: VersionSource, step: String, restoring: Int? = nil, by author: Author,
        change: (Content) throws -> (title: String, body: ContentBody)?
    ) async throws -> Content {
        for _ in 0..<Self.attempts {
            if let written = try await store.version(ofContent: id, writtenIn: author, step: step) { return written }
            let before = try await content(id, of: author.tenantId)
            guard tags.contains(where: { $0.matches(before) }) else { throw ContentsError.versionConflict }
            guard let new = try change(before) else { return before }
            try await refuseForeignAssets(of: new.body, besides: before.body, for: author.viewer)
            try await refuseForeignScript(of: new.body, besides: before.body, tenantId: author.tenantId)
            let version = VersionToWrite(
                title: new.title, body: new.body, source: source, step: step, restoredFrom: restoring,
                state: ReviewState(before).next(.edit) ?? ReviewState(before))
            let after = try await naming(new.body, author.viewer) {
                try await store.saveVersion(version, after: before, by: author, emitting: { [.versionCreated($0)] })
            }
            if let after { return after }
            // Somebody was faster: with another version, with a review of this one, or this very operation, sent twice.
        }
        throw ContentsError.versionConflict
    }

    /// How often to look again where something but the text has changed in between.
    static let attempts = 5

    /// A file must be one that the author sees, and a picture, a video or subtitles as its place asks. Those that the version before shows have been looked at
    /// already.
    private func refuseForeignAssets(of body: ContentBody, besides before: ContentBody?, for viewer: AssetViewer) async throws {
        let before = before?.assetPlaces ?? []
        let new = body.assetPlaces.filter { place in !before.contains { $0.id == place.id && $0.kind == place.kind } }
        guard !new.isEmpty else { return }
        let known = try await store.knownAssets(new.map(\.id), for: viewer)
        let foreign = new.filter { known[$0.id] != $0.kind }
        if !foreign.isEmpty { throw ContentsError.unknownAssets(foreign.map(\.pointer)) }
    }

    /// What a video was made by is a script of the tenant. It may go into the bin afterwards.
    private func refuseForeignScript(of body: ContentBody, besides before: ContentBody?, tenantId: UUID) async throws {
        guard let script = body.scriptId, script != before?.scriptId else { return }
        guard try await store.kind(of: script, tenantId: tenantId) == .videoScript else {
            throw ContentsError.unknownScript("/body/video/scriptId")
        }
    }

    /// Says which asset it is that somebody deleted just now.
    private func naming<Saved>(
        _ body: ContentBody, _ viewer: AssetViewer, _ save: () async throws -> Saved
    ) async throws -> Saved {
        do { return try await save() } catch let vanished as AssetVanished {
            try await refuseForeignAssets(of: body, besides: nil, for: viewer)
            throw vanished
        }
    }

    /// Newest first.
    func list(_ filter: ContentFilter, of tenantId: UUID) async throws -> [ContentSummary] {
        try await store.list(filter, of: tenantId)
    }

    /// What changed from one version to another.
    func diff(of id: UUID, from: Int, to: Int, tenantId: UUID) async throws -> ContentDiff {
        _ = try await content(id, of: tenantId)
        let before = try await store.versions(of: id, before: from + 1, limit: 1, tenantId: tenantId).first
        let after = try await store.versions(of: id, before: to + 1, limit: 1, tenantId: tenantId).first
        guard let before, before.version == from else { throw ContentsError.noSuchVersion(from) }
        guard let after, after.version == to else { throw ContentsError.noSuchVersion(to) }
        return ContentDiff(contentId: id, from: from, to: to, fields: try ContentDiffing.fields(from: before, to: after))
    }

    func version(_ number: Int, of id: UUID, tenantId: UUID) async throws -> ContentVersion {
        let found = try await versions(of: id, before: number + 1, limit: 1, tenantId: tenantId).first
        guard let found, found.version == number else { throw ContentsError.noSuchVersion(number) }
        return found
    }

    /// Newest first.
    func versions(of id: UUID, before version: Int?, limit: Int, tenantId: UUID) async throws -> [ContentVersion] {
        // What lies in the bin shows nothing.
        _ = try await content(id, of: tenantId)
        return try await store.versions(of: id, before: version, limit: limit, tenantId: tenantId)
    }
}

/// An asset that a version shows was deleted before the version was there.
struct AssetVanished: Error {}

/// Who writes, in which tenant, and for which operation.
struct Author: Sendable, Equatable {
    var tenantId: UUID
    /// The principal, as versions show it.
    var subject: String
    var operationId: UUID?
    var roles: [String] = []
    /// As ``AssetViewer``.
    var seesAllAudiences = false
}

/// The next version of a content, and where its review stands then.
struct VersionToWrite: Sendable {
    var title: String
    var body: ContentBody
    var source: VersionSource
    var step: String
    /// The number of the version that this one is again.
    var restoredFrom: Int?
    var state: ReviewState
}

/// What a list shows.
struct ContentFilter: Sendable, Equatable {
    var kind: ContentKind?
    var status: ContentStatus?
    var completeness: ContentCompleteness?
    var groupId: UUID?
    var spaceId: UUID?
    var topic: String?
    var tag: String?
    /// What lies in the bin, instead of what does not.
    var isDeleted = false
    /// Only contents that are older than this one.
    var olderThan: UUID?
    var limit: Int
}

extension ContentBody {
    /// The script that a video was made by.
    fileprivate var scriptId: UUID? { if case .video(let body) = self { body.video.scriptId } else { nil } }

    /// The files that it shows, where, and of which kind they must be.
    var assetPlaces: [AssetPlace] {
        switch self {
        case .imageText(let body):
            body.slots.enumerated().compactMap { AssetPlace("/body/slots/\($0)/assetId", $1.assetId, .image) }
        case .video(let body):
            [
                AssetPlace("/body/video/assetId", body.video.assetId, .video),
                AssetPlace("/body/video/coverAssetId", body.video.coverAssetId, .image),
                AssetPlace("/body/video/subtitleAssetId", body.video.subtitleAssetId, .subtitles),
            ].compactMap(\.self)
        case .titleSet, .copy, .videoScript, .replyTemplate: []
        }
    }
}

/// Where a content shows a file.
struct AssetPlace: Sendable, Equatable {
    enum Kind: Sendable { case image, video, subtitles }

    let pointer: String
    let id: UUID
    let kind: Kind

    init?(_ pointer: String, _ id: UUID?, _ kind: Kind) {
        guard let id else { return nil }
        (self.pointer, self.id, self.kind) = (pointer, id, kind)
    }
}
