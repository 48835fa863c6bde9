import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `/v1/contents`. Lengths are in grapheme clusters (and 8 times as many code points, design §9).
enum ContentsInput {
    static let stepLength = 1...64
    static let titleLength = 1...500
    static let nameLength = 1...200
    static let pageSize = 1...100
    static let defaultPageSize = 20

    static let contentsCursor = PageCursor.Kind("contents", of: UUID.self)
    static let versionsCursor = PageCursor.Kind("content_versions", of: Int.self)

    // MARK: Writing

    static func newContent(_ json: JSONValue) throws -> NewContent {
        var fields = FieldReader(json)
        let step = step(in: &fields)
        let kind = fields.choice("kind", of: ContentKind.self)
        let title = fields.text("title", length: titleLength)
        let body = body(of: kind, in: &fields)
        let source = fields.object("source", source).flatMap { $0 }
        let groupId = fields.optionalUUID("groupId")
        ContentBodyInput.checkTotal(of: json, &fields)
        try fields.finish()
        // Each is missing only where an issue was recorded.
        guard let body, let source else { throw InternalFailure() }
        return NewContent(step: step, title: title, body: body, source: source, groupId: groupId)
    }

    /// What a person writes. It has no `step` and no `source`: nobody may pass a text of their own off as a model's.
    static func newDraft(_ json: JSONValue) throws -> NewContent {
        var fields = FieldReader(json)
        let kind = fields.choice("kind", of: ContentKind.self)
        let title = fields.text("title", length: titleLength)
        let body = body(of: kind, isWritten: true, in: &fields)
        let groupId = fields.optionalUUID("groupId")
        ContentBodyInput.checkTotal(of: json, &fields)
        try fields.finish()
        guard let body else { throw InternalFailure() }
        return NewContent(
            step: ContentsStore.draftStep, title: title, body: body, source: VersionSource(kind: .human), groupId: groupId)
    }

    static func newVersion(_ json: JSONValue) throws -> NewVersion {
        var fields = FieldReader(json)
        let step = step(in: &fields)
        let kind = fields.choice("kind", of: ContentKind.self)
        let title = fields.optionalText("title", length: titleLength)
        let body = body(of: kind, in: &fields)
        let source = fields.object("source", source).flatMap { $0 }
        ContentBodyInput.checkTotal(of: json, &fields)
        try fields.finish()
        guard let body, let source else { throw InternalFailure() }
        return NewVersion(step: step, title: title, body: body, source: source)
    }

    private static func step(in fields: inout FieldReader) -> String {
        let step = fields.text("step", length: stepLength)
        if !step.utf8.allSatisfy(isStepCharacter) {
            fields.refuse("step", code: "malformed", zh: "只能用 a–z、0–9、_、.、-", en: "must consist of a–z, 0–9, _, . and -")
        }
        return step
    }

    /// Without a kind nobody can say what a body must be like.
    private static func body(of kind: ContentKind?, isWritten: Bool = false, in fields: inout FieldReader) -> ContentBody? {
        guard let kind else {
            _ = fields.value("body")
            return nil
        }
        return ContentBodyInput.body(of: kind, isWritten: isWritten, in: &fields)
    }

    private static func source(_ source: inout FieldReader) -> VersionSource? {
        let kind = source.choice("kind", of: VersionSource.Kind.self)
        let name = source.optionalText("name", length: nameLength)
        let promptVersion = source.optionalText("promptVersion", length: nameLength)
        return kind.map { VersionSource(kind: $0, name: name, promptVersion: promptVersion) }
    }

    private static func isStepCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }

    // MARK: Reading

    static func list(_ query: [(name: String, value: String)]) throws -> ContentFilter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: pageSize, default: defaultPageSize)
        let olderThan = query.cursor(contentsCursor)
        let kind = query.optionalChoice("kind", of: ContentKind.self)
        let status = query.optionalChoice("status", of: ContentStatus.self)
        let completeness = query.optionalChoice("completeness", of: ContentCompleteness.self)
        let groupId = query.optionalUUID("groupId")
        let spaceId = query.optionalUUID("spaceId")
        let topic = query.optionalText("topic", length: FilingInput.topicLength)
        let tag = query.optionalText("tag", length: FilingInput.tagLength)
        let isDeleted = query.bool("deleted", default: false)
        try query.finish()
        return ContentFilter(
            kind: kind, status: status, completeness: completeness, groupId: groupId, spaceId: spaceId, topic: topic, tag: tag,
            isDeleted: isDeleted, olderThan: olderThan, limit: limit)
    }

    static func versions(_ query: [(name: String, value: String)]) throws -> (limit: Int, before: Int?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: pageSize, default: defaultPageSize)
        let before = query.cursor(versionsCursor)
        try query.finish()
        return (limit, before)
    }

    /// Both versions of a diff are named.
    static func diff(_ query: [(name: String, value: String)]) throws -> (from: Int, to: Int) {
        var query = QueryReader(query)
        let names = ["from", "to"]
        let versions = names.map { query.integer($0, in: 1...Int(Int32.max), default: 0) }
        let missing = zip(names, versions).filter { name, version in
            version == 0 && !query.issues.contains { $0.pointer == "?\(name)" }
        }
        try query.finish()
        guard missing.isEmpty else {
            throw ValidationFailure(
                missing.map {
                    FieldIssue(pointer: "?\($0.0)", code: "required", message: LocalizedText(zh: "必填", en: "is required"))
                })
        }
        return (versions[0], versions[1])
    }

    // MARK: Conditions

    /// What `If-Match` names.
    ///
    /// - Throws: 428 without the header: an edit that names no version could overwrite one that its author has never seen. For the same
    ///   reason `*` is refused.
    static func tagsToEdit(_ headers: HTTPHeaders) throws -> [EntityTag] {
        let header = headers.values(of: "If-Match").joined(separator: ", ")
        if header.isEmpty { throw ContentsError.versionRequired }
        guard case .tags(let tags)? = EntityTag.condition(header, weakMatches: false) else {
            throw ValidationFailure(
                pointer: "If-Match", code: "malformed", zh: "应为读取时得到的 ETag，如 \"3\"",
                en: "must be an ETag as it was read, e.g. \"3\"")
        }
        return tags
    }

    /// Whether `If-None-Match` names this content as it is; a header that is no tag names none.
    static func isKnown(_ content: Content, _ headers: HTTPHeaders) -> Bool { isKnown(EntityTag(content), headers) }

    static func isKnown(_ tag: EntityTag, _ headers: HTTPHeaders) -> Bool {
        let header = headers.values(of: "If-None-Match").joined(separator: ", ")
        return switch EntityTag.condition(header, weakMatches: true) {
        case .any: true
        case .tags(let tags): tags.contains(tag)
        case nil: false
        }
    }
}
