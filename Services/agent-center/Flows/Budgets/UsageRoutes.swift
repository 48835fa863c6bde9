import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

/// `/v1/ai/usage` and `/v1/ai/settings`
struct UsageRoutes: Sendable {
    static let read = "ai:usage"
    static let write = "ai:admin"

    let store: UsageReportStore
    let budgets: BudgetStore
    /// Of a tenant's ledger.
    let currency: @Sendable (UUID) -> String

    /// `GET /v1/ai/usage`
    func report(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let query = try UsageInput.report(request.query, now: Date())
        guard try await budgets.knows(zone: query.zone) else {
            throw ValidationFailure(
                pointer: "?zone", code: "unknown_zone", zh: "不是 IANA 时区名", en: "is not the name of an IANA time zone")
        }
        let (total, groups) = try await store.report(query, of: principal.tenantId)
        let items = Array(groups.prefix(query.limit))
        let next = groups.count > query.limit ? try items.last.map(Self.cursor) : nil
        return try .json(
            .ok,
            UsageReport(
                from: query.from, to: query.to, zone: query.zone, currency: currency(principal.tenantId), total: total,
                items: items, nextCursor: next))
    }

    private static func cursor(_ group: UsageGroup) throws -> String {
        try PageCursor.encode(
            [group.day, group.scene, group.model, group.user, group.flow].map { $0 ?? "" }, as: UsageInput.groupsCursor)
    }

    /// `GET /v1/ai/usage/records`
    func records(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        var query = try UsageInput.records(request.query)
        let limit = query.limit
        query.limit += 1
        let rows = try await store.records(query, of: principal.tenantId)
        let page = rows.prefix(limit)
        let next =
            rows.count > limit ? try page.last.map { try PageCursor.encode($0.position, as: UsageInput.recordsCursor) } : nil
        return try .json(.ok, Page(items: page.map(\.record), nextCursor: next))
    }

    /// `GET /v1/ai/usage/records/{operationId}`
    func operation(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let id = try request.parameters.uuid("operationId")
        let records = try await store.operation(id, of: principal.tenantId)
        guard !records.isEmpty else { throw NotFound() }
        return try .json(.ok, UsageOperation(operationId: id, records: records))
    }

    /// `DELETE /v1/ai/usage/records/{operationId}/texts`
    func eraseOperation(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let id = try request.parameters.uuid("operationId")
        guard let erased = try await store.eraseTexts(ofOperation: id, tenantId: principal.tenantId) else { throw NotFound() }
        return try .json(.ok, ErasedTexts(erased: erased))
    }

    /// `DELETE /v1/ai/usage/texts?user=`
    func eraseUser(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let user = try UsageInput.user(request.query)
        return try .json(.ok, ErasedTexts(erased: try await store.eraseTexts(ofUser: user, tenantId: principal.tenantId)))
    }

    /// `GET /v1/ai/settings`
    func settings(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try .json(.ok, try await store.settings(of: principal.tenantId))
    }

    /// `PUT /v1/ai/settings`
    func putSettings(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let settings = try UsageInput.settings(request.json())
        try await store.put(settings, tenantId: principal.tenantId)
        return try .json(.ok, settings)
    }
}
