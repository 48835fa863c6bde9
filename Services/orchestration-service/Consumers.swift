import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    /// As many events as are taken down together at most.
    private static let batch = 128
    /// Dashboards and the search by meaning wait for nothing so short: the more comes together, the less each costs.
    private static let pace = Duration.milliseconds(100)
    /// A tenant may have much; what is not done by then is gone on with later.
    private static let patience = Duration.seconds(300)

    static func all(_ runtime: ServiceRuntime) -> [any Service] {
        let contentActivity = ContentActivityConsumer(store: ContentActivityStore(database: runtime.database))
        let semanticChanges = SemanticChangesConsumer(
            tenants: SemanticTenantsStore(app: runtime.database, system: runtime.system))
        let tenantErasure = TenantErasureConsumer(store: TenantErasureStore(database: runtime.database))
        return [
            Consumer(
                broker: runtime.broker, queue: .contentActivity, batch: batch, pace: pace, flow: "ContentActivity",
                tracer: runtime.tracer
            ) {
                try await contentActivity.record($0.map(\.event))
            },
            Consumer(
                broker: runtime.broker, queue: .semanticChanges, batch: batch, pace: pace, flow: "ContentSearch",
                tracer: runtime.tracer
            ) {
                try await semanticChanges.note($0.map(\.event))
            },
            Consumer(
                broker: runtime.broker, queue: .tenantErasures, flow: "TenantErasure", handlerTimeout: patience,
                tracer: runtime.tracer
            ) {
                try await tenantErasure.hear($0.event)
            },
        ]
    }
}
