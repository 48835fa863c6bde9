import FoundationEssentials
import HTTPCore
import PostgresStore

/// The SQL of picture attempts.
struct PictureAttemptsStore: PictureAttempts {
    let database: Database

    func find(_ reference: PictureReference) async throws -> PictureAttempt? {
        let rows = try await database.query(
            """
            SELECT state, ticket_id, latency_ms, is_settled, address, asset_id, picture FROM picture_attempts
            WHERE tenant_id = \(reference.tenant) AND run_id = \(reference.run) AND number = \(reference.number)
            """, tenant: reference.tenant)
        guard let row = rows.first else { return nil }
        var attempt = PictureAttempt(ticketId: try row.decode("ticket_id"))
        attempt.latencyMs = try row.decode("latency_ms")
        attempt.isSettled = try row.decode("is_settled")
        attempt.picture = try row.decode("picture", as: [UInt8]?.self).flatMap { Picture($0) }
        switch try row.decode("state", as: String.self) {
        case "calling": attempt.state = .calling
        case "unusable": attempt.state = .unusable
        case "answered": attempt.state = .answered(address: try row.decode("address"))
        case "kept": attempt.state = .kept(assetId: try row.decode("asset_id"))
        default: attempt.state = .unconfirmed
        }
        return attempt
    }

    func begin(_ attempt: PictureAttempt, as reference: PictureReference) async throws -> Bool {
        try await Database.refusingErased {
            try await database.query(
                """
                INSERT INTO picture_attempts (tenant_id, run_id, number, state, ticket_id)
                VALUES (\(reference.tenant), \(reference.run), \(reference.number), \(attempt.state.name), \(attempt.ticketId))
                ON CONFLICT DO NOTHING RETURNING number
                """, tenant: reference.tenant
            ).count == 1
        }
    }

    func save(_ attempt: PictureAttempt, as reference: PictureReference) async throws {
        var (address, assetId): (String?, UUID?)
        switch attempt.state {
        case .answered(let at): address = at
        case .kept(let id): assetId = id
        default: break
        }
        let statement: SQL = """
            INSERT INTO picture_attempts
                (tenant_id, run_id, number, state, ticket_id, latency_ms, is_settled, address, asset_id, picture)
            VALUES (\(reference.tenant), \(reference.run), \(reference.number), \(attempt.state.name), \(attempt.ticketId),
                \(attempt.latencyMs), \(attempt.isSettled), \(address), \(assetId), \(attempt.picture?.bytes))
            ON CONFLICT (tenant_id, run_id, number) DO UPDATE SET state = excluded.state, latency_ms = excluded.latency_ms,
                is_settled = excluded.is_settled, address = excluded.address, asset_id = excluded.asset_id,
                picture = excluded.picture, updated_at = app_now()
            """
        _ = try await Database.refusingErased { try await database.query(statement, tenant: reference.tenant) }
    }

    func markSettled(_ reference: PictureReference) async throws {
        _ = try await database.query(
            """
            UPDATE picture_attempts SET is_settled = true, updated_at = app_now()
            WHERE tenant_id = \(reference.tenant) AND run_id = \(reference.run) AND number = \(reference.number)
            """, tenant: reference.tenant)
    }

    func forget(_ reference: PictureReference) async throws {
        _ = try await database.query(
            """
            DELETE FROM picture_attempts
            WHERE tenant_id = \(reference.tenant) AND run_id = \(reference.run) AND number = \(reference.number)
            """, tenant: reference.tenant)
    }

    func kept(in run: UUID, of tenant: UUID) async throws -> [(number: Int, assetId: UUID)] {
        try await database.query(
            """
            SELECT number, asset_id FROM picture_attempts
            WHERE tenant_id = \(tenant) AND run_id = \(run) AND state = 'kept' ORDER BY number
            """, tenant: tenant
        ).map { (try $0.decode("number"), try $0.decode("asset_id")) }
    }
}

extension PictureAttempt.State {
    fileprivate var name: String {
        switch self {
        case .calling: "calling"
        case .unconfirmed: "unconfirmed"
        case .unusable: "unusable"
        case .answered: "answered"
        case .kept: "kept"
        }
    }
}
