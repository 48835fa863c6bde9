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

    func order(
        _ request: ContentBulkRequest, by author: Author, mayApproveOwn: Bool, in language: LocalizedText.Language
    ) async throws -> ContentBulkJob {
        if let space = request.spaceId, try await filing.store.space(space, of: author.tenantId) == nil {
            throw FilingError.unknownSpace
        }
        let order = BulkOrder(
            request: request, subject: author.subject, mayApproveOwn: mayApproveOwn,
            versions: try await store.versions(of: request.ids, tenantId: author.tenantId))
        let id = try await store.add(order, by: author)
        return try await job(id, of: author.tenantId, in: language)
    }

    func job(_ id: UUID, of tenantId: UUID, in language: LocalizedText.Language) async throws -> ContentBulkJob {
        guard let job = try await store.job(id, of: tenantId, in: language) else { throw NotFound() }
        return job
    }

    /// What is done stays done; the rest is left. A job that is over stays as it is.
    func cancel(_ id: UUID, of tenantId: UUID, in language: LocalizedText.Language) async throws -> ContentBulkJob {
        _ = try await job(id, of: tenantId, in: language)
        try await store.cancel(id, of: tenantId)
        return try await job(id, of: tenantId, in: language)
    }

    /// Does one of them.
    ///
    /// - Throws: only what a repetition may mend.
    func perform(_ order: BulkOrder, on id: UUID, by author: Author) async throws -> BulkResult {
        do {
            try await act(order, on: id, by: author)
            return BulkResult(id: id, isDone: true)
        } catch let failure as any HTTPFailure where failure.problem.status.code < 500 {
            return BulkResult(id: id, refused: failure.problem)
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

/// What became of one content, as the job keeps it: whoever reads it later may read another language.
struct BulkResult: Codable, Sendable, Equatable {
    struct Text: Codable, Sendable, Equatable {
        var zh: String
        var en: String

        init(_ text: LocalizedText) { (zh, en) = (text.zh, text.en) }

        func text(in language: LocalizedText.Language) -> String { LocalizedText(zh: zh, en: en).text(in: language) }
    }

    var id: UUID
    var isDone: Bool
    var code: String?
    var title: Text?
    var detail: Text?

    init(id: UUID, isDone: Bool) { (self.id, self.isDone) = (id, isDone) }

    init(id: UUID, refused problem: ProblemDescription) {
        self.init(id: id, isDone: false)
        code = problem.code
        title = Text(problem.title)
        // Of what was refused for a field, that field's word is the reason.
        detail = (problem.detail ?? problem.issues.first?.message).map(Text.init)
    }

    func shown(in language: LocalizedText.Language) -> ContentBulkItem {
        ContentBulkItem(
            id: id, isDone: isDone, code: code, title: title?.text(in: language), detail: detail?.text(in: language))
    }
}
