import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `GET /v1/search`.
enum ContentSearchInput {
    static let queryLength = 1...100

    private static let cursorKind = PageCursor.Kind("search", of: SearchPosition.self)

    static func cursor(_ position: SearchPosition) throws -> String { try PageCursor.encode(position, as: cursorKind) }

    static func request(_ query: [(name: String, value: String)]) throws -> SearchRequest {
        let isGiven = query.contains { $0.name == "q" }
        var query = QueryReader(query)
        let text = query.optionalText("q", length: queryLength)
        let type = query.optionalChoice("type", of: SearchHitType.self)
        let assetKind = query.optionalChoice("assetKind", of: AssetKind.self)
        let kind = query.optionalChoice("kind", of: ContentKind.self)
        let status = query.optionalChoice("status", of: ContentStatus.self)
        let completeness = query.optionalChoice("completeness", of: ContentCompleteness.self)
        let groupId = query.optionalUUID("groupId")
        let spaceId = query.optionalUUID("spaceId")
        let topic = query.optionalText("topic", length: FilingInput.topicLength)
        let tag = query.optionalText("tag", length: FilingInput.tagLength)
        let from = query.optionalDate("from")
        let to = query.optionalDate("to")
        let order = query.optionalChoice("sort", of: SearchRequest.Order.self) ?? .relevance
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let countsLabels = query.bool("labelFacets", default: false)
        let after = query.cursor(cursorKind)
        do {
            try query.finish()
        } catch let failure as ValidationFailure where !isGiven {
            throw ValidationFailure([Self.required] + failure.issues)
        }
        guard let text else { throw ValidationFailure([Self.required]) }
        if let from, let to, from >= to {
            throw ValidationFailure(pointer: "?to", code: "out_of_range", zh: "应晚于 from", en: "must be later than from")
        }
        let filters = [type?.rawValue, assetKind?.rawValue, kind?.rawValue, status?.rawValue, completeness?.rawValue]
        let places = [groupId?.uuidString, spaceId?.uuidString, topic, tag]
        let times = [from, to].map { $0.map { String($0.timeIntervalSince1970) } }
        let asked = digest([text, order.rawValue] + filters + places + times)
        // Its scores are those of what was asked then.
        if let after, after.asked != asked {
            throw ValidationFailure(
                pointer: "?cursor", code: "malformed", zh: "应为同一查询上一页返回的游标",
                en: "must be a cursor from the page before of the same query")
        }
        let request = SearchRequest(
            query: SearchQuery(text), asked: asked, type: type, assetKind: assetKind, kind: kind, status: status,
            completeness: completeness,
            groupId: groupId,
            spaceId: spaceId, topic: topic, tag: tag, from: from, to: to, order: order, limit: limit,
            countsLabels: countsLabels, after: after)
        if request.asksOnlyContents, request.asksOnlyAssets {
            throw ValidationFailure(
                pointer: assetKind == nil ? "?type" : "?assetKind", code: "contradiction", zh: "不能与只属于内容的筛选一起使用",
                en: "cannot be asked together with filters that only contents have")
        }
        return request
    }

    /// Short: it tells queries apart, and keeps nothing secret.
    private static func digest(_ asked: [String?]) -> String {
        // No text has a U+0000 or U+0001.
        Hex.encode(Array(SHA256.hash(asked.map { $0 ?? "\u{1}" }.joined(separator: "\u{0}")).prefix(8)))
    }

    private static let required = FieldIssue(
        pointer: "?q", code: "required", message: LocalizedText(zh: "必填", en: "is required"))
}
