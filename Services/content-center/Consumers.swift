import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    static func all(_ runtime: ServiceRuntime) -> [any Service] {
        let store = PublishStatusStore(database: runtime.database) { runtime.outbox.wake() }
        let publishStatus = PublishStatusConsumer(store: store)
        return [
            Consumer(broker: runtime.broker, queue: .publishStatus, flow: "PublishStatus", tracer: runtime.tracer) {
                try await publishStatus.record($0.event)
            }
        ]
    }
}
