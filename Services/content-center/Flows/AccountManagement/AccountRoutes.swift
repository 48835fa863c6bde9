import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import ServiceDefaults

struct AccountRoutes: Sendable {
    let accounts: AccountManagement

    /// `GET /v1/accounts/{id}/material`
    func material(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: ContentsRoutes.read)
        return try .json(.ok, await accounts.material(of: request.parameters.uuid("id"), principal.tenantId))
    }
}
