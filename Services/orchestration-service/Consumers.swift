import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    static func all(_ runtime: ServiceRuntime) -> [any Service] {
        let contentActivity = ContentActivityConsumer(store: ContentActivityStore(database: runtime.database))
        let semanticChanges = SemanticChangesConsumer(
            tenants: SemanticTenantsStore(app: runtime.database, system: runtime.system))
        return [
            Consumer(broker: runtime.broker, queue: .contentActivity, flow: "ContentActivity", tracer: runtime.tracer) {
                try await contentActivity.record($0.event)
            },
            Consumer(broker: runtime.broker, queue: .semanticChanges, flow: "ContentSearch", tracer: runtime.tracer) {
                try await semanticChanges.note($0.event)
            },
        ]
    }
}
