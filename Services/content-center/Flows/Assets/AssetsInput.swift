import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of reading assets.
enum AssetsInput {
    static let cursor = PageCursor.Kind("assets", of: UUID.self)
    static let usesCursor = PageCursor.Kind("asset_uses", of: UUID.self)
    /// Seconds: a minute to a week, which is as long as S3 signs.
    static let urlLifetime = 60...604_800
    static let defaultURLLifetime = 3_600

    static func list(_ query: [(name: String, value: String)]) throws -> AssetFilter {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let olderThan = query.cursor(cursor)
        let kind = query.optionalChoice("kind", of: AssetKind.self)
        let state = query.optionalChoice("state", of: AssetState.self)
        let scope = query.optionalText("scope", length: AssetUploadInput.scopeLength)
        let tag = query.optionalText("tag", length: FilingInput.tagLength)
        let rights = query.optionalChoice("rights", of: AssetRightsState.self)
        let name = query.optionalText("name", length: AssetUploadInput.filenameLength)
        let folder = query.optionalUUID("folderId")
        let recursive = query.bool("recursive", default: false)
        let unfiled = query.bool("unfiled", default: false)
        try query.finish()
        if folder != nil, unfiled {
            throw ValidationFailure(
                pointer: "?unfiled", code: "contradiction", zh: "不能与 folderId 一起使用", en: "cannot be asked together with folderId")
        }
        return AssetFilter(
            kind: kind, state: state, scope: scope, tag: tag, rights: rights, name: name,
            place: folder.map { .folder($0, withSubfolders: recursive) } ?? (unfiled ? .top : .anywhere), olderThan: olderThan,
            limit: limit)
    }

    static func uses(_ query: [(name: String, value: String)]) throws -> (before: UUID?, limit: Int) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: ContentsInput.pageSize, default: ContentsInput.defaultPageSize)
        let before = query.cursor(usesCursor)
        try query.finish()
        return (before, limit)
    }

    static func download(_ query: [(name: String, value: String)]) throws -> (seconds: Int, saves: Bool) {
        var query = QueryReader(query)
        let seconds = query.integer("expiresIn", in: urlLifetime, default: defaultURLLifetime)
        let saves = query.bool("attachment", default: false)
        try query.finish()
        return (seconds, saves)
    }
}
