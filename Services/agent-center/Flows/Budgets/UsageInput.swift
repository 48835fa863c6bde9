import DTO
import FoundationEssentials
import HTTPCore

/// What a report is asked for.
struct UsageQuery: Sendable {
    enum Group: String, Sendable, CaseIterable {
        case day
        case scene
        case model
        case user
        case flow
    }

    var from: Date
    /// Exclusive.
    var to: Date
    var zone: String
    var groups: [Group]
    var limit: Int
    /// The group that the page before ended with: day, scene, model, user, flow; empty where the report does not group by it.
    var after: [String]?
}

/// Which records are wanted; newest first.
struct UsageRecordQuery: Sendable {
    struct Position: Codable, Sendable {
        /// Microseconds since 1970: what the ledger keeps, and more than RFC 3339 with milliseconds holds.
        let at: Int64
        let operation: UUID
        let step: String
    }

    var from: Date?
    var to: Date?
    var flow: String?
    var scene: String?
    var provider: String?
    var model: String?
    var user: String?
    var limit: Int
    var before: Position?
}

/// The input rules of `/v1/ai/usage` and `/v1/ai/settings`.
enum UsageInput {
    static let pageSize = 1...200
    static let defaultPageSize = 50
    static let defaultZone = "Asia/Shanghai"
    /// A year of days and a bit: a report reads all that lies between.
    static let longestReport = 400.0 * 86_400

    static let groupsCursor = PageCursor.Kind("usage", of: [String].self)
    static let recordsCursor = PageCursor.Kind("usage_records", of: UsageRecordQuery.Position.self)

    static func report(_ query: [(name: String, value: String)], now: Date) throws -> UsageQuery {
        var reader = QueryReader(query)
        let to = reader.optionalDate("to") ?? now
        let from = reader.optionalDate("from") ?? to.addingTimeInterval(-30 * 86_400)
        let zone = reader.optionalText("zone", length: 1...64) ?? defaultZone
        let words = reader.optionalText("groupBy", length: 1...60)?.split(separator: ",").map(String.init) ?? ["day"]
        let limit = reader.integer("limit", in: 1...1_000, default: 200)
        let after = reader.cursor(groupsCursor)
        try reader.finish()
        let groups = words.compactMap(UsageQuery.Group.init)
        guard groups.count == words.count, Set(groups).count == groups.count, !groups.isEmpty else {
            let known = UsageQuery.Group.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationFailure(
                pointer: "?groupBy", code: "unknown_value", zh: "应为以下若干项，各一次，以逗号分隔：\(known)",
                en: "must be some of \(known), each once, separated by commas")
        }
        guard from < to, to.timeIntervalSince(from) <= longestReport else {
            throw ValidationFailure(
                pointer: "?from", code: "out_of_range", zh: "应早于 to，且不超过 400 天", en: "must be before to, by 400 days at most")
        }
        guard after.map({ $0.count == UsageQuery.Group.allCases.count }) ?? true else {
            throw ValidationFailure(
                pointer: "?cursor", code: "malformed", zh: "应为上一页返回的游标", en: "must be a cursor from the page before")
        }
        return UsageQuery(from: from, to: to, zone: zone, groups: groups, limit: limit, after: after)
    }

    static func records(_ query: [(name: String, value: String)]) throws -> UsageRecordQuery {
        var reader = QueryReader(query)
        let result = UsageRecordQuery(
            from: reader.optionalDate("from"), to: reader.optionalDate("to"), flow: reader.optionalText("flow", length: 1...64),
            scene: reader.optionalText("scene", length: 1...64), provider: reader.optionalText("provider", length: 1...64),
            model: reader.optionalText("model", length: ModelNames.length), user: reader.optionalText("user", length: 1...100),
            limit: reader.integer("limit", in: pageSize, default: defaultPageSize), before: reader.cursor(recordsCursor))
        try reader.finish()
        return result
    }

    /// Whose texts are to be erased.
    static func user(_ query: [(name: String, value: String)]) throws -> String {
        var reader = QueryReader(query)
        let user = reader.optionalText("user", length: 1...100)
        try reader.finish()
        guard let user else {
            throw ValidationFailure(pointer: "?user", code: "required", zh: "必填", en: "is required")
        }
        return user
    }

    static func settings(_ json: JSONValue) throws -> AISettings {
        var fields = FieldReader(json)
        let settings = AISettings(retentionDays: fields.integer("retentionDays", in: 0...3_650))
        try fields.finish()
        return settings
    }
}
