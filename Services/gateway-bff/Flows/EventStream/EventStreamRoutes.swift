import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import HTTPServing

/// `GET /api/stream`: server-sent events. `id` is the tenant's sequence number, `event` the CloudEvents type, `data` the event.
struct EventStreamRoutes: Sendable {
    let store: EventStreamStore
    let hub: EventStreamHub
    /// A comment is sent this often, so that proxies and clients know that the line is alive.
    var heartbeat: Duration = .seconds(15)

    /// - Parameter isStillGood: asked before anything is shown: a key that was revoked sees nothing more.
    func stream(
        _ request: Request, member: Member, isStillGood: @escaping @Sendable () async -> Bool
    ) async throws -> Response {
        let lastEventId = try request.headers["Last-Event-ID"].map(Self.parse)
        let (tenant, subject) = (member.tenantId, member.subject)
        try hub.admit(tenant: tenant, subject: subject)
        let start = EventStream.start(lastEventId: lastEventId, range: try await store.range(tenant: tenant))
        return Response.eventStream(heartbeat: heartbeat) { writer in
            // Only here, where it surely ends: this never runs for HEAD, nor for a client that left before. What happened since `start`
            // was read is read first.
            try await hub.listening(tenant: tenant, subject: subject) { listener in
                var position: Int64
                switch start {
                case .after(let seq): position = seq
                case .resetThenAfter(let seq):
                    position = seq
                    try await writer.send(
                        ServerSentEvent(id: String(seq), event: "reset", data: #"{"reason":"events_expired"}"#))
                }
                // The stream ends with the token that opened it; the client comes back with a fresh one and its last id.
                while !member.isExpired {
                    let events = try await hub.events(tenant: tenant, after: position)
                    // After the reading: whoever was shut out while it went on sees nothing of it either.
                    guard await isStillGood() else { return }
                    for event in events {
                        try await writer.send(ServerSentEvent(id: String(event.seq), event: event.type, data: event.data))
                        position = event.seq
                    }
                    if events.isEmpty { try await hub.wait(listener, timeout: heartbeat) }
                }
            }
        }
    }

    /// Browsers send back what they were given, so what is no number comes from a program, which is told. A number beyond all that we give
    /// out is treated as one that we never gave: with a `reset`.
    private static func parse(_ text: String) throws -> Int64 {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw ValidationFailure(
                pointer: "Last-Event-ID", code: "malformed", zh: "应为本服务给出的事件编号",
                en: "must be an event number given by this service")
        }
        return Int64(text) ?? .max
    }
}
