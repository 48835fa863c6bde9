import FoundationEssentials
import Messaging
import PostgresStore

/// The tables `stream_heads` and `stream_events`. The head row is locked while an event is added, so numbers become visible in order
/// and without a hole that a later commit would fill.
struct EventStreamStore: Sendable {
    let app: Database
    let system: Database

    /// Adds each event once, in this order; a repeated delivery changes nothing.
    ///
    /// - Parameter events: of one tenant.
    func append(_ events: [CloudEvent]) async throws {
        guard let tenantId = events.first?.tenantId else { return }
        let data = events.map { String(decoding: $0.encoded(), as: UTF8.self) }
        _ = try await app.query(
            """
            WITH new AS (
                SELECT e.id, e.type, e.data, row_number() OVER (ORDER BY e.position) AS number
                FROM unnest(\(events.map(\.id))::uuid[], \(events.map(\.type))::text[], \(data)::text[])
                    WITH ORDINALITY AS e (id, type, data, position)
                -- As a value and not by NOT EXISTS: that may become a join, for which all of the tenant's events are read.
                WHERE (SELECT true FROM stream_events s WHERE s.tenant_id = \(tenantId) AND s.event_id = e.id) IS NULL
            ), head AS (
                INSERT INTO stream_heads AS h (tenant_id, last_seq)
                SELECT \(tenantId), count(*) FROM new HAVING count(*) > 0
                ON CONFLICT (tenant_id) DO UPDATE SET last_seq = h.last_seq + excluded.last_seq
                RETURNING last_seq
            )
            INSERT INTO stream_events (tenant_id, seq, event_id, type, data)
            SELECT \(tenantId), head.last_seq - (SELECT count(*) FROM new) + new.number, new.id, new.type, new.data
            FROM new CROSS JOIN head ORDER BY new.number
            ON CONFLICT (tenant_id, event_id) DO NOTHING
            """, tenant: tenantId)
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
