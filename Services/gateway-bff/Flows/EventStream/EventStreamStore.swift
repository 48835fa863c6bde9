import FoundationEssentials
import Messaging
import PostgresStore

/// The tables `stream_heads` and `stream_events`. The head row is locked while an event is added, so numbers become visible in order
/// and without a hole that a later commit would fill.
struct EventStreamStore: Sendable {
    let app: Database
    let system: Database

    /// Adds the event once; a repeated delivery changes nothing.
    func append(_ event: CloudEvent) async throws {
        let data = String(decoding: event.encoded(), as: UTF8.self)
        _ = try await app.query(
            """
            WITH head AS (
                INSERT INTO stream_heads AS h (tenant_id, last_seq) VALUES (\(event.tenantId), 1)
                ON CONFLICT (tenant_id) DO UPDATE SET last_seq = h.last_seq + 1
                    WHERE NOT EXISTS (SELECT 1 FROM stream_events e WHERE e.tenant_id = h.tenant_id AND e.event_id = \(event.id))
                RETURNING last_seq
            )
            INSERT INTO stream_events (tenant_id, seq, event_id, type, data)
            SELECT \(event.tenantId), last_seq, \(event.id), \(event.type), \(data) FROM head
            ON CONFLICT (tenant_id, event_id) DO NOTHING
            """, tenant: event.tenantId)
    }

    func range(tenant: UUID) async throws -> EventStream.Range {
        let rows = try await app.query(
            """
            SELECT coalesce((SELECT last_seq FROM stream_heads WHERE tenant_id = \(tenant)), 0) AS newest,
                   coalesce((SELECT min(seq) FROM stream_events WHERE tenant_id = \(tenant)), 0) AS oldest
            """, tenant: tenant)
        guard let row = rows.first else { return .init(oldest: 0, newest: 0) }
        return .init(oldest: try row.decode("oldest", as: Int64.self), newest: try row.decode("newest", as: Int64.self))
    }

    func events(tenant: UUID, after seq: Int64, limit: Int) async throws -> [EventStream.StoredEvent] {
        try await app.query(
            """
            SELECT seq, type, data FROM stream_events
            WHERE tenant_id = \(tenant) AND seq > \(seq) ORDER BY seq LIMIT \(limit)
            """, tenant: tenant
        ).map {
            EventStream.StoredEvent(
                seq: try $0.decode("seq", as: Int64.self), type: try $0.decode("type", as: String.self),
                data: try $0.decode("data", as: String.self))
        }
    }

    /// The newest number of each of these tenants.
    func heads(tenants: [UUID]) async throws -> [UUID: Int64] {
        let rows = try await system.query("SELECT tenant_id, last_seq FROM stream_heads WHERE tenant_id = ANY(\(tenants))")
        var heads: [UUID: Int64] = [:]
        for row in rows { heads[try row.decode("tenant_id", as: UUID.self)] = try row.decode("last_seq", as: Int64.self) }
        return heads
    }
}
