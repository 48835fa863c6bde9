import Messaging

/// Notes tenants whose contents have changed. Noting one twice is noting it once, so it keeps no record of events.
struct SemanticChangesConsumer: Sendable {
    let tenants: SemanticTenantsStore

    /// - Parameter events: of one tenant.
    func note(_ events: [CloudEvent]) async throws {
        guard let event = events.first else { return }
        _ = try await tenants.noteChange(of: event.tenantId)
    }
}
