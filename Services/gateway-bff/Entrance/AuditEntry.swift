import FoundationEssentials

/// Who did what, from where (seed 001 §8: 谁在何时发布了什么). Written before the call, completed with its status after it.
struct AuditEntry: Sendable {
    let id: UUID
    let tenantId: UUID
    /// The user's id.
    let actor: String
    /// Method and route template, e.g. `POST /api/titles`.
    let action: String
    let flow: String
    let requestId: String
    let operationId: UUID
    let clientAddress: String
}
