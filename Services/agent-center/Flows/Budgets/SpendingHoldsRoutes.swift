import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults

/// `/v1/ai/holds`: for orchestration-service alone; a tenant's request never comes here.
struct SpendingHoldsRoutes: Sendable {
    let holds: SpendingHolds

    /// `POST /v1/ai/holds`
    func hold(_ request: Request) async throws -> Response {
        let holder = try Self.holder(of: request)
        return try .json(.created, try await holds.hold(SpendingHoldsInput.hold(request.json()), for: holder))
    }

    /// `POST /v1/ai/holds/settle`
    func settle(_ request: Request) async throws -> Response {
        let holder = try Self.holder(of: request)
        let (settlement, promptHash) = try SpendingHoldsInput.settlement(request.json())
        try await holds.settle(settlement, promptHash: promptHash, for: holder)
        return .noContent
    }

    /// `POST /v1/ai/holds/release`
    func release(_ request: Request) async throws -> Response {
        let holder = try Self.holder(of: request)
        try await holds.release(SpendingHoldsInput.release(request.json()), for: holder)
        return .noContent
    }

    private static func holder(of request: Request) throws -> SpendingHolds.Holder {
        let principal = try request.principal
        guard request.callingService == .orchestrationService else { throw Forbidden(code: "auth.caller_not_allowed") }
        guard let operationId = CallContext.current?.operationId else {
            throw BadRequest(
                code: "operation.required", title: LocalizedText(zh: "缺少 X-Operation-Id", en: "X-Operation-Id is missing"))
        }
        return SpendingHolds.Holder(tenantId: principal.tenantId, subject: principal.subject, operationId: operationId)
    }
}
