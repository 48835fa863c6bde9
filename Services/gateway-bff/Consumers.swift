import Messaging
import ServiceDefaults

/// The gateway's queues: queue → flow.
enum GatewayConsumers {
    static let streamQueue = QueueDeclaration("gateway-bff.stream", bindings: ["#"])

    /// Everything that happens, as people see it on `GET /api/stream`.
    static func stream(_ runtime: ServiceRuntime, store: EventStreamStore, hub: EventStreamHub) -> Consumer {
        Consumer(broker: runtime.broker, queue: streamQueue, flow: "EventStream", tracer: runtime.tracer) { delivery in
            let event = delivery.event
            try await store.append(event)
            hub.wake(tenant: event.tenantId)
        }
    }
}
