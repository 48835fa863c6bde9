import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

/// `/v1/ai/budgets`
struct BudgetRoutes: Sendable {
    static let read = "ai:usage"
    static let write = "ai:admin"

    let budgets: BudgetStore
    /// Of a tenant's ledger.
    let currency: @Sendable (UUID) -> String

    /// `POST /v1/ai/budgets`
    func create(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let currency = currency(principal.tenantId)
        let new = try BudgetInput.newBudget(request.json(), currency: currency)
        guard try await budgets.knows(zone: new.zone) else {
            throw ValidationFailure(
                pointer: "/zone", code: "unknown_zone", zh: "不是 IANA 时区名", en: "is not the name of an IANA time zone")
        }
        guard let budget = try await budgets.add(new, currency: currency, tenantId: principal.tenantId) else {
            throw BudgetExists()
        }
        return try Self.answer(budget, .created)
    }

    /// `GET /v1/ai/budgets`
    func list(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        let (limit, before) = try BudgetInput.list(request.query)
        let rows = try await budgets.budgets(of: principal.tenantId, before: before, limit: limit + 1)
        let items = Array(rows.prefix(limit))
        let next = rows.count > limit ? try items.last.map { try PageCursor.encode($0.id, as: BudgetInput.cursor) } : nil
        return try .json(.ok, Page(items: items, nextCursor: next))
    }

    /// `GET /v1/ai/budgets/{id}`
    func show(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.read)
        return try Self.answer(try await budget(of: request, principal), .ok)
    }

    /// `PUT /v1/ai/budgets/{id}`
    func change(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let id = try request.parameters.uuid("id")
        let setting = try BudgetInput.setting(request.json())
        let version = try BudgetInput.version(toChange: request.headers)
        guard try await budgets.change(id, to: setting, ifVersion: version, tenantId: principal.tenantId) else {
            _ = try await budget(of: request, principal)
            throw PreconditionFailed(code: "budget.version_conflict")
        }
        return try Self.answer(try await budget(of: request, principal), .ok)
    }

    /// `DELETE /v1/ai/budgets/{id}`
    func remove(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.write)
        let id = try request.parameters.uuid("id")
        let version = try BudgetInput.version(toChange: request.headers)
        guard try await budgets.remove(id, ifVersion: version, tenantId: principal.tenantId) else {
            _ = try await budget(of: request, principal)
            throw PreconditionFailed(code: "budget.version_conflict")
        }
        return .noContent
    }

    private func budget(of request: Request, _ principal: Principal) async throws -> Budget {
        guard let budget = try await budgets.budget(request.parameters.uuid("id"), of: principal.tenantId) else {
            throw NotFound()
        }
        return budget
    }

    private static func answer(_ budget: Budget, _ status: HTTPStatus) throws -> Response {
        try .json(status, budget, headers: ["ETag": BudgetInput.tag(budget.version)])
    }
}

/// 409: two budgets that count the same would be one with the lower limits.
struct BudgetExists: HTTPFailure {
    var problem: ProblemDescription {
        Conflict(
            code: "budget.already_there",
            title: LocalizedText(
                zh: "该范围、对象与周期已有预算", en: "There is a budget of this scope, subject and period already")
        ).problem
    }
}
