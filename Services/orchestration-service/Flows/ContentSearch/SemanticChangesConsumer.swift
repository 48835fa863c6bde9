import Messaging

/// Notes tenants whose contents have changed. Noting one twice is noting it once, so it keeps no record of events.
struct SemanticChangesConsumer: Sendable {
    let tenants: SemanticTenantsStore

    func note(_ event: CloudEvent) async throws { _ = try await tenants.noteChange(of: event.tenantId) }
}
