import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    static func all(_ runtime: ServiceRuntime, accounts: AccountManagement) -> [any Service] {
        let store = PublishStatusStore(database: runtime.database) { runtime.outbox.wake() }
        let publishStatus = PublishStatusConsumer(store: store)
        let accounts = AccountConsumer(accounts: accounts)
        let performance = ContentPerformanceConsumer(store: ContentPerformanceStore(database: runtime.database))
        return [
            Consumer(broker: runtime.broker, queue: .publishStatus, flow: "PublishStatus", tracer: runtime.tracer) {
                try await publishStatus.record($0.event)
            },
            Consumer(broker: runtime.broker, queue: .accountMaterial, flow: "AccountManagement", tracer: runtime.tracer) {
                try await accounts.hear($0.event)
            },
            Consumer(broker: runtime.broker, queue: .contentPerformance, flow: "ContentPerformance", tracer: runtime.tracer) {
                try await performance.record($0.event)
            },
        ]
    }
}
