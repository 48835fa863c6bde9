import FoundationEssentials

/// A signed-in person acting in one tenant, as the verified token says.
struct Member: Sendable, Equatable {
    let userId: UUID
    let tenantId: UUID
    let roles: [String]
    let expiresAt: Date

    var permissions: Set<Permission> { GatewayBFF.permissions(ofRoles: roles) }
    var isExpired: Bool { expiresAt <= Date() }
}
