import DTO
import FoundationEssentials
import HTTPCore
import Observability

/// The input rules of `/v1/ai/budgets`.
enum BudgetInput {
    static let pageSize = 1...100
    static let defaultPageSize = 20
    static let cursor = PageCursor.Kind("budgets", of: UUID.self)
    /// A billion calls in a period are more than anybody makes.
    private static let calls = 0...1_000_000_000

    /// - Parameter currency: of the tenant's ledger.
    static func newBudget(_ json: JSONValue, currency: String) throws -> NewBudget {
        var fields = FieldReader(json)
        let setting = setting(&fields)
        let scope = fields.choice("scope", of: BudgetScope.self)
        let subject = fields.optionalText("subject", length: 1...100)
        let period = fields.choice("period", of: BudgetPeriod.self)
        let zone = fields.text("zone", length: 1...64)
        let named = fields.optionalText("currency", length: 1...3)
        if scope == .tenant, subject != nil {
            fields.refuse("subject", code: "not_applicable", zh: "租户预算没有对象", en: "a tenant's budget has no subject")
        }
        if scope == .user, let subject, UUID(text: subject) == nil {
            fields.refuse("subject", code: "malformed", zh: "应为用户的 UUID", en: "must be the UUID of a user")
        }
        if scope == .apiKey, let subject, UUID(text: subject) == nil {
            fields.refuse("subject", code: "malformed", zh: "应为 API 密钥的 UUID", en: "must be the UUID of an API key")
        }
        if let named, named != currency {
            fields.refuse("currency", code: "other_currency", zh: "账本的币种是 \(currency)", en: "the ledger is kept in \(currency)")
        }
        try fields.finish()
        guard let scope, let period else { throw InternalFailure() }
        return NewBudget(
            name: setting.name, scope: scope, subject: scope == .scene ? subject : subject?.lowercased(), period: period,
            zone: zone, limitNano: setting.limitNano, limitCalls: setting.limitCalls, currency: currency, hard: setting.hard)
    }

    static func setting(_ json: JSONValue) throws -> BudgetSetting {
        var fields = FieldReader(json)
        let setting = setting(&fields)
        try fields.finish()
        return setting
    }

    private static func setting(_ fields: inout FieldReader) -> BudgetSetting {
        let name = fields.name("name", length: 1...100)
        let nano = fields.optionalText("limitNano", length: 1...19)
        let limitCalls = fields.optionalInteger("limitCalls", in: calls)
        let isHard = fields.bool("hard", default: true)
        if let nano, !isAmount(nano) {
            fields.refuse(
                "limitNano", code: "not_an_amount", zh: "应为不大于 1000000000000000000 的十进制整数字符串",
                en: "must be a decimal integer of at most 1000000000000000000 as a string")
        }
        let isRefused = fields.issues.contains { ["/limitNano", "/limitCalls", ""].contains($0.pointer) }
        if nano == nil, limitCalls == nil, !isRefused {
            fields.refuse(
                "limitNano", code: "required", zh: "limitNano 与 limitCalls 至少一个",
                en: "one of limitNano and limitCalls is required")
        }
        return BudgetSetting(name: name, limitNano: nano, limitCalls: limitCalls, hard: isHard)
    }

    /// Up to a billion of the currency's units: sums of limits and costs stay far from 64 bits.
    private static func isAmount(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text) else { return false }
        return value <= 1_000_000_000_000_000_000
    }

    static func list(_ query: [(name: String, value: String)]) throws -> (limit: Int, before: UUID?) {
        var query = QueryReader(query)
        let limit = query.integer("limit", in: pageSize, default: defaultPageSize)
        let before = query.cursor(cursor)
        try query.finish()
        return (limit, before)
    }

    // MARK: Conditions

    static func tag(_ version: Int) -> String { "\"\(version)\"" }

    /// The version that `If-Match` names; a tag that is not ours matches nothing.
    ///
    /// - Throws: 428 without the header: a change that names no version could overwrite one that its author has never seen.
    static func version(toChange headers: HTTPHeaders) throws -> Int {
        let values = headers.values(of: "If-Match")
        guard let header = values.first else { throw PreconditionRequired() }
        guard values.count == 1, header.hasPrefix("\""), header.hasSuffix("\""), header.utf8.count > 2 else {
            throw ValidationFailure(
                pointer: "If-Match", code: "malformed", zh: "应为读取时得到的 ETag，如 \"3\"",
                en: "must be an ETag as it was read, e.g. \"3\"")
        }
        return Int(header.dropFirst().dropLast()) ?? -1
    }
}
