import DTO
import FoundationEssentials
import HTTPCore

enum APIKeysInput {
    static let cursor = PageCursor.Kind("api_keys", of: UUID.self)

    /// `name` up to 100 characters; each scope one that the caller holds and that keys may carry; `expiresAt` in the future.
    static func newKey(_ json: JSONValue, by member: Member, now: Date = Date()) throws -> NewAPIKey {
        var fields = FieldReader(json)
        let name = fields.name("name", length: 1...100)
        let scopes = fields.textList("scopes", minItems: 1, maxItems: Permission.allCases.count, length: 1...64)
        let expiresAt = fields.optionalDate("expiresAt")
        for (index, scope) in scopes.enumerated() {
            guard let permission = Permission(rawValue: scope) else {
                fields.refuse(
                    "scopes", item: index, code: "unknown_scope", zh: "没有名为“\(scope)”的权限", en: "there is no scope named \(scope)")
                continue
            }
            if !permission.isGrantableToKeys || !member.permissions.contains(permission) {
                fields.refuse(
                    "scopes", item: index, code: "not_grantable", zh: "不能把权限“\(scope)”授予密钥",
                    en: "the scope \(scope) cannot be granted to a key")
            }
        }
        if let expiresAt, expiresAt <= now {
            fields.refuse("expiresAt", code: "in_the_past", zh: "应为将来的时间", en: "must be in the future")
        }
        try fields.finish()
        var seen: Set<String> = []
        return NewAPIKey(name: name, scopes: scopes.filter { seen.insert($0).inserted }, expiresAt: expiresAt)
    }

    static func page(_ query: [(name: String, value: String)]) throws -> (limit: Int, olderThan: UUID?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: 1...100, default: 20)
        let olderThan = query.cursor(cursor)
        try query.finish()
        return (limit, olderThan)
    }
}
