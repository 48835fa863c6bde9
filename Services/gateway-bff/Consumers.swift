import Messaging
import ServiceDefaults

/// The gateway's queues: queue → flow.
enum GatewayConsumers {
    static let streamQueue = QueueDeclaration("gateway-bff.stream", bindings: ["#"])

    /// Everything that happens, as people see it on `GET /api/stream`.
    static func stream(_ runtime: ServiceRuntime, store: EventStreamStore, hub: EventStreamHub) -> Consumer {
        Consumer(broker: runtime.broker, queue: streamQueue, batch: 128, flow: "EventStream", tracer: runtime.tracer) {
            deliveries in
            let events = deliveries.map(\.event)
            try await store.append(events)
            if let event = events.first { hub.wake(tenant: event.tenantId) }
        }
    }
}
