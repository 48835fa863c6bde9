import DTO
import FoundationEssentials
import Messaging
import PostgresStore

/// The tables `stream_heads` and `stream_events`. The head row is locked while an event is added, so numbers become visible in order
/// and without a hole that a later commit would fill.
struct EventStreamStore: Sendable {
    let app: Database
    let system: Database

    /// So many events go at a time.
    private static let batch = 500

    /// Adds each event once, in this order; a repeated delivery changes nothing. Where one tells that the tenant was erased, what told of its
    /// data before goes, and is not added if it comes late.
    ///
    /// - Parameter events: of one tenant.
    func append(_ events: [CloudEvent]) async throws {
        guard let tenantId = events.first?.tenantId else { return }
        let erasure = events.first { $0.type == TenantContentErased.type }
        if let erasure { try await markErased(tenantId, at: erasure.time) }
        try await add(events, of: tenantId)
        if let erasure { while try await deleteBatch(before: erasure) {} }
    }

    /// The tenant may be marked by another replica while this waits for the head row: then the row tells.
    private func add(_ events: [CloudEvent], of tenantId: UUID) async throws {
        let data = events.map { String(decoding: $0.encoded(), as: UTF8.self) }
        _ = try await app.query(
            """
            WITH new AS (
                SELECT e.id, e.type, e.data, e.at, e.type = \(TenantContentErased.type) AS tells_erasure,
                    row_number() OVER (ORDER BY e.position) AS number
                FROM unnest(\(events.map(\.id))::uuid[], \(events.map(\.type))::text[], \(data)::text[],
                    \(events.map(\.time))::timestamptz[]) WITH ORDINALITY AS e (id, type, data, at, position)
                -- As a value and not by NOT EXISTS: that may become a join, for which all of the tenant's events are read.
                WHERE (SELECT true FROM stream_events s WHERE s.tenant_id = \(tenantId) AND s.event_id = e.id) IS NULL
                    AND (e.type = \(TenantContentErased.type)
                        OR e.at > coalesce((SELECT erased_at FROM stream_heads WHERE tenant_id = \(tenantId)), '-infinity'))
            ), head AS (
                INSERT INTO stream_heads AS h (tenant_id, last_seq)
                SELECT \(tenantId), count(*) FROM new HAVING count(*) > 0
                ON CONFLICT (tenant_id) DO UPDATE SET last_seq = h.last_seq + excluded.last_seq
                RETURNING last_seq, erased_at
            )
            INSERT INTO stream_events (tenant_id, seq, event_id, type, data)
            SELECT \(tenantId), head.last_seq - (SELECT count(*) FROM new) + new.number, new.id, new.type, new.data
            FROM new CROSS JOIN head
            WHERE head.erased_at IS NULL OR new.tells_erasure OR new.at > head.erased_at ORDER BY new.number
            ON CONFLICT (tenant_id, event_id) DO NOTHING
            """, tenant: tenantId)
    }

    private func markErased(_ tenantId: UUID, at time: Date) async throws {
        _ = try await app.query(
            """
            INSERT INTO stream_heads AS h (tenant_id, last_seq, erased_at) VALUES (\(tenantId), 0, \(time))
            ON CONFLICT (tenant_id) DO UPDATE SET erased_at = coalesce(h.erased_at, excluded.erased_at)
            """, tenant: tenantId)
    }

    /// - Returns: whether there may be more.
    private func deleteBatch(before event: CloudEvent) async throws -> Bool {
        try await app.query(
            """
            DELETE FROM stream_events WHERE tenant_id = \(event.tenantId) AND seq = ANY(ARRAY(
                SELECT seq FROM stream_events WHERE tenant_id = \(event.tenantId) AND seq < (
                    SELECT seq FROM stream_events WHERE tenant_id = \(event.tenantId) AND event_id = \(event.id))
                ORDER BY seq LIMIT \(Self.batch)))
            """, tenant: event.tenantId
        ).affectedRows == Self.batch
    }

    /// What was there before an erasure is not missed: where the oldest event is the one that tells of it, nothing is older.
    func range(tenant: UUID) async throws -> EventStream.Range {
        let rows = try await app.query(
            """
            SELECT coalesce((SELECT last_seq FROM stream_heads WHERE tenant_id = \(tenant)), 0) AS newest,
                   coalesce((
                       SELECT CASE WHEN type = \(TenantContentErased.type) THEN 1 ELSE seq END
                       FROM stream_events WHERE tenant_id = \(tenant) ORDER BY seq LIMIT 1), 0) AS oldest
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
