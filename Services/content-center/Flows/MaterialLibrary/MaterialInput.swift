import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// The input rules of materials.
enum MaterialInput {
    static let titleLength = 1...200
    static let textLength = 1...20_000
    static let labelLength = 1...50
    static let roleLength = 1...64
    static let mostLabels = 20
    static let mostAssets = 20
    static let referenceLength = 1...200
    static let queryLength = 1...100
    static let recommended = 1...20
    static let cursor = PageCursor.Kind("materials", of: MaterialPosition.self)

    // MARK: Writing

    static func newMaterial(_ json: JSONValue, now: Date = Date()) throws -> NewMaterial {
        var fields = FieldReader(json)
        let kind = fields.choice("kind", of: MaterialKind.self)
        let title = fields.name("title", length: titleLength)
        let text = fields.optionalText("text", length: textLength)
        let lists = lists(in: &fields)
        let customerFacing = fields.bool("customerFacing", default: false)
        let expiresAt = end(&fields, "expiresAt", now)
        try fields.finish()
        guard let kind else { throw InternalFailure() }
        return NewMaterial(
            kind: kind, title: title, text: text, assetIds: lists.assetIds, stages: lists.stages, industries: lists.industries,
            products: lists.products, objections: lists.objections, audience: lists.audience, customerFacing: customerFacing,
            expiresAt: expiresAt)
    }

    static func edit(_ json: JSONValue, now: Date = Date()) throws -> MaterialEdit {
        var fields = FieldReader(json)
        var edit = lists(in: &fields)
        edit.title = fields.optionalName("title", length: titleLength)
        edit.text = LabelField(fields.patchField("text") { $0.optionalText($1, length: textLength) })
        edit.customerFacing = fields.has("customerFacing") ? fields.bool("customerFacing", default: false) : nil
        edit.expiresAt = LabelField(fields.patchField("expiresAt") { end(&$0, $1, now) })
        try fields.finish()
        return edit
    }

    /// Nobody is ever shown a material that has expired before it was there. One that is to be shown no more is rejected or deleted.
    private static func end(_ fields: inout FieldReader, _ name: String, _ now: Date) -> Date? {
        guard let end = fields.optionalDate(name) else { return nil }
        if end <= now { fields.refuse(name, code: "in_the_past", zh: "应为将来的时间", en: "must be in the future") }
        return end
    }

    /// The lists, each `nil` where it is left out.
    private static func lists(in fields: inout FieldReader) -> MaterialEdit {
        MaterialEdit(
            assetIds: assetIds(in: &fields), stages: labels("stages", in: &fields), industries: labels("industries", in: &fields),
            products: labels("products", in: &fields), objections: labels("objections", in: &fields),
            audience: labels("audience", length: roleLength, in: &fields))
    }

    private static func labels(
        _ name: String, length: ClosedRange<Int> = labelLength, in fields: inout FieldReader
    ) -> [String]? {
        guard fields.has(name) else { return nil }
        let labels = fields.nameList(name, maxItems: mostLabels, length: length)
        for (index, label) in labels.enumerated() where labels[..<index].contains(label) {
            fields.refuse(name, item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
        }
        return labels
    }

    private static func assetIds(in fields: inout FieldReader) -> [UUID]? {
        guard fields.has("assetIds") else { return nil }
        var ids: [UUID] = []
        for (index, text) in fields.textList("assetIds", maxItems: mostAssets, length: 1...36).enumerated() {
            guard let id = UUID(text: text) else {
                fields.refuse("assetIds", item: index, code: "malformed", zh: "应为 UUID", en: "must be a UUID")
                continue
            }
            if ids.contains(id) {
                fields.refuse("assetIds", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
            }
            ids.append(id)
        }
        return ids
    }

    static func outcome(_ json: JSONValue) throws -> NewMaterialOutcome {
        var fields = FieldReader(json)
        let outcome = fields.choice("outcome", of: NewMaterialOutcome.Outcome.self)
        let eventId = fields.optionalUUID("eventId")
        let customer = fields.optionalText("customerRef", length: referenceLength)
        let conversation = fields.optionalText("conversationRef", length: referenceLength)
        try fields.finish()
        guard let outcome else { throw InternalFailure() }
        return NewMaterialOutcome(outcome: outcome, eventId: eventId, customerRef: customer, conversationRef: conversation)
    }

    // MARK: Reading

    static func list(_ query: [(name: String, value: String)]) throws -> MaterialFilter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        var filter = MaterialFilter(limit: limit)
        filter.words = query.optionalText("q", length: queryLength)?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        filter.kind = query.optionalChoice("kind", of: MaterialKind.self)
        filter.status = query.optionalChoice("status", of: MaterialStatus.self)
        filter.stage = query.optionalText("stage", length: labelLength)
        filter.industry = query.optionalText("industry", length: labelLength)
        filter.product = query.optionalText("product", length: labelLength)
        filter.objection = query.optionalText("objection", length: labelLength)
        filter.customerFacing = query.optionalChoice("customerFacing", of: CommentsInput.YesOrNo.self).map { $0 == .yes }
        filter.isExpired = query.optionalChoice("expired", of: CommentsInput.YesOrNo.self).map { $0 == .yes }
        filter.isDeleted = query.bool("deleted", default: false)
        filter.order = query.optionalChoice("sort", of: MaterialFilter.Order.self) ?? .newest
        filter.after = query.cursor(cursor)
        try query.finish()
        if let after = filter.after, (after.rank != nil) != (filter.order == .ranking) {
            throw ValidationFailure(
                pointer: "?cursor", code: "other_order", zh: "游标属于另一种排序", en: "is of a list in another order")
        }
        return filter
    }

    static func wish(_ query: [(name: String, value: String)]) throws -> MaterialWish {
        var query = QueryReader(query)
        let wish = MaterialWish(
            stage: query.optionalText("stage", length: labelLength),
            industry: query.optionalText("industry", length: labelLength),
            product: query.optionalText("product", length: labelLength),
            objection: query.optionalText("objection", length: labelLength),
            kind: query.optionalChoice("kind", of: MaterialKind.self),
            conversationRef: query.optionalText("conversationRef", length: referenceLength),
            limit: query.integer("limit", in: recommended, default: 5))
        try query.finish()
        return wish
    }
}
