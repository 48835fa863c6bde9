import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    static func all(_ runtime: ServiceRuntime) -> [any Service] {
        let contentActivity = ContentActivityConsumer(store: ContentActivityStore(database: runtime.database))
        return [
            Consumer(broker: runtime.broker, queue: .contentActivity, flow: "ContentActivity", tracer: runtime.tracer) {
                try await contentActivity.record($0.event)
            }
        ]
    }
}
