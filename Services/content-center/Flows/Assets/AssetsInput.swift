import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of reading assets.
enum AssetsInput {
    static let cursor = PageCursor.Kind("assets", of: UUID.self)
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
        try query.finish()
        return AssetFilter(kind: kind, state: state, scope: scope, olderThan: olderThan, limit: limit)
    }

    static func download(_ query: [(name: String, value: String)]) throws -> (seconds: Int, saves: Bool) {
        var query = QueryReader(query)
        let seconds = query.integer("expiresIn", in: urlLifetime, default: defaultURLLifetime)
        let saves = query.bool("attachment", default: false)
        try query.finish()
        return (seconds, saves)
    }
}
