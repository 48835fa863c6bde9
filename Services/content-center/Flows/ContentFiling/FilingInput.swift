import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of spaces and labels.
enum FilingInput {
    static let nameLength = 1...100
    static let descriptionLength = 1...1_000
    static let topicLength = 1...100
    static let tagLength = 1...50
    static let cursor = PageCursor.Kind("content_spaces", of: UUID.self)

    static func newSpace(_ json: JSONValue) throws -> NewContentSpace {
        var fields = FieldReader(json)
        let name = fields.name("name", length: nameLength)
        let description = fields.optionalText("description", length: descriptionLength)
        try fields.finish()
        return NewContentSpace(name: name, description: description)
    }

    static func spacePatch(_ json: JSONValue) throws -> (name: String?, description: LabelField<String>) {
        var fields = FieldReader(json)
        let name = fields.optionalName("name", length: nameLength)
        let description = fields.patchField("description") { $0.optionalText($1, length: descriptionLength) }
        try fields.finish()
        return (name, LabelField(description))
    }

    static func labels(_ json: JSONValue) throws -> LabelChange {
        var fields = FieldReader(json)
        let spaceId = fields.patchField("spaceId") { $0.optionalUUID($1) }
        let topic = fields.patchField("topic") { $0.optionalName($1, length: topicLength) }
        let tags = json["tags"] == nil ? nil : tags(in: &fields)
        try fields.finish()
        return LabelChange(spaceId: LabelField(spaceId), topic: LabelField(topic), tags: tags)
    }

    /// What `If-Match` names, for those who care; `*` names whatever is there.
    ///
    /// - Returns: `nil` where any will do.
    static func tagsSeen(_ headers: HTTPHeaders) throws -> [EntityTag]? {
        let header = headers.values(of: "If-Match").joined(separator: ", ")
        if header.isEmpty || EntityTag.condition(header, weakMatches: false) == .any { return nil }
        return try ContentsInput.tagsToEdit(headers)
    }

    static func tags(in fields: inout FieldReader, minItems: Int = 0) -> [String] {
        let tags = fields.nameList("tags", minItems: minItems, maxItems: LabelChange.maxTags, length: tagLength)
        var seen: Set<String> = []
        for (index, tag) in tags.enumerated() where !seen.insert(tag).inserted {
            fields.refuse("tags", item: index, code: "repeated", zh: "与前面的标签重复", en: "repeats an earlier tag")
        }
        return tags
    }

    static func spaces(_ query: [(name: String, value: String)]) throws -> (name: String?, limit: Int, after: UUID?) {
        var query = QueryReader(query)
        let name = query.optionalText("q", length: nameLength)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let after = query.cursor(cursor)
        try query.finish()
        return (name, limit, after)
    }
}

extension LabelField {
    init(_ field: Field<Value>) {
        switch field {
        case .absent: self = .keep
        case .null: self = .clear
        case .value(let value): self = .value(value)
        }
    }
}
