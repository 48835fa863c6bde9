import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// The input rules of folders and of what people say about assets.
enum AssetFilingInput {
    static let folderNameLength = 1...100
    static let holderLength = 1...200
    static let licenseLength = 1...200
    static let sourceLength = 1...500
    static let noteLength = 1...2_000
    static let mostTerritories = 250
    static let mostAssets = 200
    static let foldersCursor = PageCursor.Kind("asset_folders", of: UUID.self)

    // MARK: Folders

    static func newFolder(_ json: JSONValue) throws -> NewAssetFolder {
        var fields = FieldReader(json)
        let name = fields.name("name", length: folderNameLength)
        if fields.issues.isEmpty { checkFolderName(name, in: &fields) }
        let parentId = fields.optionalUUID("parentId")
        try fields.finish()
        return NewAssetFolder(name: name, parentId: parentId)
    }

    static func folderPatch(_ json: JSONValue) throws -> (name: String?, parent: LabelField<UUID>) {
        var fields = FieldReader(json)
        let name = fields.optionalName("name", length: folderNameLength)
        if let name { checkFolderName(name, in: &fields) }
        let parent = fields.patchField("parentId") { $0.optionalUUID($1) }
        try fields.finish()
        return (name, LabelField(parent))
    }

    /// It stands in paths, so it is a name as a file's is.
    private static func checkFolderName(_ name: String, in fields: inout FieldReader) {
        guard let issue = FileNameRule.check(name) else { return }
        if issue.code == "path" {
            return fields.refuse("name", code: issue.code, zh: "应为一个文件夹的名称，不能带路径", en: "must be one folder's name without a path")
        }
        fields.refuse("name", code: issue.code, zh: issue.message.zh, en: issue.message.en)
    }

    static func folders(_ query: [(name: String, value: String)]) throws -> (parent: UUID?, after: UUID?, limit: Int) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let after = query.cursor(foldersCursor)
        let parent = query.optionalUUID("parentId")
        try query.finish()
        return (parent, after, limit)
    }

    // MARK: Assets

    static func tags(_ query: [(name: String, value: String)]) throws -> (prefix: String, limit: Int) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let prefix = query.optionalText("prefix", length: FilingInput.tagLength)
        try query.finish()
        return (prefix ?? "", limit)
    }

    static func change(_ json: JSONValue) throws -> AssetChange {
        var fields = FieldReader(json)
        let filename = fields.optionalText("filename", length: AssetUploadInput.filenameLength)
        let folderId = fields.patchField("folderId") { $0.optionalUUID($1) }
        let tags = json["tags"] == nil ? nil : FilingInput.tags(in: &fields)
        let members = json["rights"]
        let rights = fields.patchField("rights") { $0.optionalObject($1) { rightsChange(&$0, members) } }
        try fields.finish()
        return AssetChange(filename: filename, folderId: LabelField(folderId), tags: tags, rights: LabelField(rights))
    }

    private static func rightsChange(_ rights: inout FieldReader, _ members: JSONValue?) -> RightsChange {
        RightsChange(
            holder: rights.optionalText("holder", length: holderLength),
            license: LabelField(rights.patchField("license") { $0.optionalText($1, length: licenseLength) }),
            source: LabelField(rights.patchField("source") { $0.optionalText($1, length: sourceLength) }),
            validFrom: LabelField(rights.patchField("validFrom") { $0.optionalDate($1) }),
            expiresAt: LabelField(rights.patchField("expiresAt") { $0.optionalDate($1) }),
            territories: members?["territories"] == nil ? nil : territories(in: &rights),
            note: LabelField(rights.patchField("note") { $0.optionalText($1, length: noteLength) }))
    }

    /// ISO 3166-1 alpha-2, as it is written there: two capital letters.
    private static func territories(in rights: inout FieldReader) -> [String] {
        let codes = rights.textList("territories", maxItems: mostTerritories, length: 1...2)
        var seen: Set<String> = []
        for (index, code) in codes.enumerated() {
            if !Territory.codes.contains(code) {
                rights.refuse(
                    "territories", item: index, code: "unknown_value", zh: "应为 ISO 3166-1 两位大写国家代码，如 CN",
                    en: "must be an ISO 3166-1 code of two capital letters, e.g. CN")
            } else if !seen.insert(code).inserted {
                rights.refuse("territories", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
            }
        }
        return codes
    }

    static let mostRenamed = 20

    static func renaming(_ json: JSONValue) throws -> TagRenaming {
        var fields = FieldReader(json)
        let from = fields.textList("from", minItems: 1, maxItems: mostRenamed, length: FilingInput.tagLength)
        let to = fields.name("to", length: FilingInput.tagLength)
        for (index, tag) in from.enumerated() {
            if tag == to {
                fields.refuse("from", item: index, code: "same", zh: "与 to 相同", en: "is the same as to")
            } else if from[..<index].contains(tag) {
                fields.refuse("from", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
            }
        }
        try fields.finish()
        return TagRenaming(from: from, to: to)
    }

    static func organizing(_ json: JSONValue) throws -> (ids: [UUID], folder: LabelField<UUID>, labels: LabelChange) {
        var fields = FieldReader(json)
        var ids: [UUID] = []
        for (index, text) in fields.textList("assetIds", minItems: 1, maxItems: mostAssets, length: 1...36).enumerated() {
            if let id = UUID(text: text) {
                if ids.contains(id) {
                    fields.refuse("assetIds", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
                }
                ids.append(id)
            } else {
                fields.refuse("assetIds", item: index, code: "malformed", zh: "应为 UUID", en: "must be a UUID")
            }
        }
        let folder = fields.patchField("folderId") { $0.optionalUUID($1) }
        let added = fields.nameList("addTags", maxItems: LabelChange.maxTags, length: FilingInput.tagLength)
        let removed = fields.textList("removeTags", maxItems: LabelChange.maxTags, length: FilingInput.tagLength)
        try fields.finish()
        return (ids, LabelField(folder), LabelChange(addedTags: added, removedTags: removed))
    }
}
