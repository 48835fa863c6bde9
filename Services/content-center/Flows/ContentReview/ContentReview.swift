import DTO
import FoundationEssentials

/// The review of a content before it goes out (审批): who writes submits, somebody else approves, and what is approved is one exact version.
struct ContentReview: Sendable {
    let contents: Contents
    let store: ReviewStore

    /// Moves a content where the action leads.
    ///
    /// - Parameters:
    ///   - tags: what the reviewer has read, as `If-Match` names it.
    ///   - mayApproveOwn: whether they may approve what they wrote themselves.
    func move(
        _ id: UUID, by action: ReviewAction, note: String?, ifMatch tags: [EntityTag], by reviewer: Author, mayApproveOwn: Bool
    ) async throws -> Content {
        for _ in 0..<Contents.attempts {
            let before = try await contents.content(id, of: reviewer.tenantId)
            if try await store.hasDone(action, to: id, in: reviewer) { return before }
            guard tags.contains(where: { $0.matches(before) }) else { throw ContentsError.versionConflict }
            guard let next = ReviewState(before).next(action.event) else { throw ReviewError.wrongState(before.status, action) }
            if action == .approve, before.author == reviewer.subject, !mayApproveOwn { throw ReviewError.ownText }
            let change = ReviewChange(
                revision: before.revision + 1, version: before.version, event: action.event, from: before.status, to: next.status,
                note: note)
            let after = try await store.move(before, to: next, change, by: reviewer) { [.statusChanged($0, $1)] }
            if let after { return after }
        }
        throw ContentsError.versionConflict
    }

    /// Who moved it where, newest first.
    func history(of id: UUID, before revision: Int?, limit: Int, tenantId: UUID) async throws -> [ContentReviewEntry] {
        _ = try await contents.content(id, of: tenantId)
        return try await store.history(of: id, before: revision, limit: limit, tenantId: tenantId)
    }
}

/// What a reviewer can do; each is a route.
enum ReviewAction: String, CaseIterable, Sendable {
    case submit
    case withdraw
    case approve
    case requestChanges = "request-changes"
    case hold
    case release

    var event: ReviewState.Event {
        switch self {
        case .submit: .submit
        case .withdraw: .withdraw
        case .approve: .approve
        case .requestChanges: .requestChanges
        case .hold: .hold
        case .release: .release
        }
    }

    /// Authors hand in and take back; the rest is the reviewers'.
    var isAuthors: Bool { self == .submit || self == .withdraw }
}

/// One line of the history before it is written.
struct ReviewChange: Sendable, Equatable {
    /// The content's, after the change.
    var revision: Int
    var version: Int
    var event: ReviewState.Event
    var from: ContentStatus
    var to: ContentStatus
    var note: String?
}
