import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

struct BulkRoutes: Sendable {
    let bulk: ContentBulk

    /// `POST /v1/contents/bulk`
    func order(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        let order = try BulkInput.request(request.json())
        if order.action == .approve { _ = try request.principal(with: ReviewRoutes.approve) }
        let job = try await bulk.order(
            order, by: Author(principal), mayApproveOwn: principal.scopes.contains(ReviewRoutes.approveOwn),
            in: request.language)
        return try .json(.accepted, job, headers: ["Location": "/v1/content-jobs/\(job.id.text)"])
    }

    /// `GET /v1/content-jobs/{id}`
    func job(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(.ok, await bulk.job(request.parameters.uuid("id"), of: principal.tenantId, in: request.language))
    }

    /// `POST /v1/content-jobs/{id}/cancel`
    func cancel(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.write)
        let id = try request.parameters.uuid("id")
        return try .json(.ok, await bulk.cancel(id, of: principal.tenantId, in: request.language))
    }
}

/// The input rules of work on many contents.
enum BulkInput {
    static let count = 1...500

    static func request(_ json: JSONValue) throws -> ContentBulkRequest {
        var fields = FieldReader(json)
        let action = fields.choice("action", of: ContentBulkRequest.Action.self)
        let texts = fields.textList("ids", minItems: count.lowerBound, maxItems: count.upperBound, length: 1...36)
        var ids: [UUID] = []
        for (index, text) in texts.enumerated() {
            guard let id = UUID(text: text) else {
                fields.refuse("ids", item: index, code: "malformed", zh: "应为 UUID", en: "must be a UUID")
                continue
            }
            ids.append(id)
        }
        for (index, id) in ids.enumerated() where ids[..<index].contains(id) {
            fields.refuse("ids", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
        }
        let takesTags = action == .tag || action == .untag
        let tags = takesTags ? FilingInput.tags(in: &fields, minItems: 1) : nil
        let spaceId = action == .move ? fields.optionalUUID("spaceId") : nil
        try fields.finish()
        guard let action else { throw InternalFailure() }
        return ContentBulkRequest(action: action, ids: ids, tags: tags, spaceId: spaceId)
    }
}
