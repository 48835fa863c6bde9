import DTO
import Messaging
import ServiceDefaults

/// The gateway's queues: queue → flow.
enum GatewayConsumers {
    static let streamQueue = QueueDeclaration("gateway-bff.stream", bindings: ["#"])

    /// Everything that happens, as people see it on `GET /api/stream`.
    static func stream(_ runtime: ServiceRuntime, store: EventStreamStore, hub: EventStreamHub) -> Consumer {
        let answers = ErasedAnswers(system: runtime.system)
        return Consumer(broker: runtime.broker, queue: streamQueue, batch: 128, flow: "EventStream", tracer: runtime.tracer) {
            deliveries in
            let events = deliveries.map(\.event)
            try await store.append(events)
            for event in events where event.type == TenantContentErased.type {
                try await answers.erase(of: event.tenantId, before: event.time)
            }
            if let event = events.first { hub.wake(tenant: event.tenantId) }
        }
    }
}
