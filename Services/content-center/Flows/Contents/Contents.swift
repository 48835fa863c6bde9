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
        try await refuseForeignAssets(of: draft.body, besides: nil, tenantId: author.tenantId)
        return try await store.saveDraft(draft, by: author) { [.draftCreated($0)] }
    }

    func content(_ id: UUID, of tenantId: UUID) async throws -> Content {
        guard let content = try await store.content(id, of: tenantId) else { throw ContentsError.notFound }
        return content
    }

    /// The second edit (二次编辑).
    ///
    /// - Parameter versions: the versions that the editor has seen, as `If-Match` names them.
    func edit(_ id: UUID, with patch: ContentPatch, ifVersionIn versions: [Int], by author: Author) async throws -> Content {
        if let written = try await store.version(ofContent: id, writtenIn: author, step: ContentsStore.editStep) {
            return written
        }
        let before = try await content(id, of: author.tenantId)
        guard versions.contains(before.version) else { throw ContentsError.versionConflict }
        guard let edit = try ContentEdit.apply(patch, to: before) else { return before }
        return try await saveVersion(
            after: before, title: edit.title, body: edit.body, source: VersionSource(kind: .human), step: ContentsStore.editStep,
            by: author)
    }

    /// The next version as a flow wrote it, whole.
    func write(_ version: NewVersion, of id: UUID, ifVersionIn versions: [Int], by author: Author) async throws -> Content {
        if let written = try await store.version(ofContent: id, writtenIn: author, step: version.step) { return written }
        let before = try await content(id, of: author.tenantId)
        guard before.kind == version.kind else { throw ContentsError.otherKind(before.kind) }
        guard versions.contains(before.version) else { throw ContentsError.versionConflict }
        return try await saveVersion(
            after: before, title: version.title ?? before.title, body: version.body, source: version.source, step: version.step,
            by: author)
    }

    private func saveVersion(
        after before: Content, title: String, body: ContentBody, source: VersionSource, step: String, by author: Author
    ) async throws -> Content {
        try await refuseForeignAssets(of: body, besides: before.body, tenantId: author.tenantId)
        let after = try await store.saveVersion(
            after: before, title: title, body: body, by: author, source: source, step: step
        ) { [.versionCreated($0)] }
        if let after { return after }
        // Somebody was faster: perhaps this very operation, sent twice.
        if let written = try await store.version(ofContent: before.id, writtenIn: author, step: step) { return written }
        throw ContentsError.versionConflict
    }

    /// A picture must be the tenant's own. Those that the version before shows have been looked at already.
    private func refuseForeignAssets(of body: ContentBody, besides before: ContentBody?, tenantId: UUID) async throws {
        let named = body.assetIds
        let new = Set(named.compactMap(\.self)).subtracting((before?.assetIds ?? []).compactMap(\.self))
        guard !new.isEmpty else { return }
        let known = try await store.knownAssets(Array(new), of: tenantId)
        let foreign = named.enumerated().filter { $0.element.map { new.contains($0) && !known.contains($0) } ?? false }
        if !foreign.isEmpty { throw ContentsError.unknownAssets(slots: foreign.map(\.offset)) }
    }

    /// Newest first.
    func list(_ filter: ContentFilter, of tenantId: UUID) async throws -> [ContentSummary] {
        try await store.list(filter, of: tenantId)
    }

    /// Newest first.
    func versions(of id: UUID, before version: Int?, limit: Int, tenantId: UUID) async throws -> [ContentVersion] {
        let versions = try await store.versions(of: id, before: version, limit: limit, tenantId: tenantId)
        if versions.isEmpty { _ = try await content(id, of: tenantId) }
        return versions
    }
}

/// Who writes, in which tenant, and for which operation.
struct Author: Sendable, Equatable {
    var tenantId: UUID
    /// The principal, as versions show it.
    var subject: String
    var operationId: UUID?
}

/// What a list shows.
struct ContentFilter: Sendable, Equatable {
    var kind: ContentKind?
    var status: ContentStatus?
    var completeness: ContentCompleteness?
    var groupId: UUID?
    /// Only contents that are older than this one.
    var olderThan: UUID?
    var limit: Int
}

extension ContentBody {
    /// One per picture, in their order; `nil` where there is none yet.
    var assetIds: [UUID?] {
        if case .imageText(let body) = self { body.slots.map(\.assetId) } else { [] }
    }
}
