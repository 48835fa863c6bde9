import FoundationEssentials
import ServiceDefaults

/// Who acts in a tenant: a signed-in person as the verified token says it, or a program as its API key says it.
struct Member: Sendable, Equatable {
    let tenantId: UUID
    /// A user's id, or `client:<id>` of an API key.
    let subject: String
    /// Empty for API keys, which have scopes only.
    let roles: [String]
    let permissions: Set<Permission>
    let expiresAt: Date
    /// What the services are told: permissions travel as scopes.
    let principal: Principal

    init(tenantId: UUID, subject: String, roles: [String], permissions: Set<Permission>, expiresAt: Date) {
        self.tenantId = tenantId
        self.subject = subject
        self.roles = roles
        self.permissions = permissions
        self.expiresAt = expiresAt
        principal = Principal(
            tenantId: tenantId, subject: subject, roles: roles, scopes: permissions.map(\.rawValue).sorted())
    }

    var isExpired: Bool { expiresAt <= Date() }
}
