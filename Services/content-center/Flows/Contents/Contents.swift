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
        try await store.saveDraft(draft, by: author) { [.draftCreated($0)] }
    }

    func content(_ id: UUID, of tenantId: UUID) async throws -> Content {
        guard let content = try await store.content(id, of: tenantId) else { throw ContentsError.notFound }
        return content
    }

    /// The second edit (二次编辑).
    ///
    /// - Parameter versions: the versions that the editor has seen, as `If-Match` names them.
    func edit(_ id: UUID, with patch: ContentPatch, ifVersionIn versions: [Int], by author: Author) async throws -> Content {
        if let written = try await store.version(ofContent: id, writtenIn: author) { return written }
        let before = try await content(id, of: author.tenantId)
        guard versions.contains(before.version) else { throw ContentsError.versionConflict }
        let edit: (title: String, body: TitleSetBody)?
        do {
            edit = try TitleSetEdit.apply(patch, to: before)
        } catch {
            throw ContentsError.selectionOutOfRange(count: error.count)
        }
        guard let edit else { return before }
        let after = try await store.saveVersion(
            after: before, title: edit.title, body: edit.body, by: author, source: VersionSource(kind: .human)
        ) { [.versionCreated($0)] }
        if let after { return after }
        // Somebody was faster: perhaps this very operation, sent twice.
        if let written = try await store.version(ofContent: id, writtenIn: author) { return written }
        throw ContentsError.versionConflict
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
    /// Only contents that are older than this one.
    var olderThan: UUID?
    var limit: Int
}
