import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// One action on up to 500 contents, as a job: each is done or refused by itself, by the rules of the single action.
///
/// The job's id is the operation's, so that whatever was done before a crash is found and not done again. What `approve` approves is the
/// version that stood when the job was ordered.
struct ContentBulk: Sendable {
    static let kind = "contents.bulk"

    let contents: Contents
    let review: ContentReview
    let filing: ContentFiling
    let store: BulkStore

    func order(_ request: ContentBulkRequest, by author: Author, mayApproveOwn: Bool) async throws -> ContentBulkJob {
        if let space = request.spaceId, try await filing.store.space(space, of: author.tenantId) == nil {
            throw FilingError.unknownSpace
        }
        let order = BulkOrder(
            request: request, subject: author.subject, mayApproveOwn: mayApproveOwn,
            versions: try await store.versions(of: request.ids, tenantId: author.tenantId))
        let id = try await store.add(order, by: author)
        return try await job(id, of: author.tenantId)
    }

    func job(_ id: UUID, of tenantId: UUID) async throws -> ContentBulkJob {
        guard let job = try await store.job(id, of: tenantId) else { throw NotFound() }
        return job
    }

    /// What is done stays done; the rest is left. A job that is over stays as it is.
    func cancel(_ id: UUID, of tenantId: UUID) async throws -> ContentBulkJob {
        _ = try await job(id, of: tenantId)
        try await store.cancel(id, of: tenantId)
        return try await job(id, of: tenantId)
    }

    /// Does one of them.
    ///
    /// - Throws: only what a repetition may mend.
    func perform(_ order: BulkOrder, on id: UUID, by author: Author) async throws -> ContentBulkItem {
        do {
            try await act(order, on: id, by: author)
            return ContentBulkItem(id: id, isDone: true)
        } catch let failure as any HTTPFailure where failure.problem.status.code < 500 {
            return ContentBulkItem(id: id, isDone: false, code: failure.problem.code)
        }
    }

    private func act(_ order: BulkOrder, on id: UUID, by author: Author) async throws {
        let request = order.request
        switch request.action {
        case .tag: _ = try await filing.label(id, with: LabelChange(addedTags: request.tags ?? []), by: author)
        case .untag: _ = try await filing.label(id, with: LabelChange(removedTags: request.tags ?? []), by: author)
        case .move:
            let space = request.spaceId.map(LabelField.value) ?? .clear
            _ = try await filing.label(id, with: LabelChange(spaceId: space), by: author)
        case .delete: try await filing.deleteIfThere(id, by: author)
        case .restore: _ = try await filing.restore(id, by: author)
        case .submit, .approve:
            guard let version = order.versions[id.uuidString] else { throw ContentsError.notFound }
            _ = try await review.move(
                id, by: request.action == .submit ? .submit : .approve, note: nil, ifMatch: [EntityTag(version: version)],
                by: author, mayApproveOwn: order.mayApproveOwn)
        }
    }
}

/// What the job keeps of who ordered what.
struct BulkOrder: Codable, Sendable {
    var request: ContentBulkRequest
    var subject: String
    var mayApproveOwn: Bool
    /// The newest version of each at the time of the order, by its id.
    var versions: [String: Int]
}
