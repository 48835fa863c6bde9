import DTO
import FoundationEssentials
import Lifecycle
import Messaging
import Observability
import PostgresStore

/// Warns of materials whose end comes near, each end once, and empties the materials' bins as ``BinSweeper`` does those of contents.
struct MaterialSweeper: Service {
    let system: Database
    let database: Database
    /// How many days before its end.
    let warningDays: Int
    let onCommit: @Sendable () -> Void
    let logger: Logger

    func run() async throws {
        async let warnings: Void = repeating(
            every: .seconds(600), logger: logger, failure: "materials near their end could not be looked for"
        ) { _ = try await warn() }
        await repeating(every: .seconds(600), logger: logger, failure: "the materials' bins could not be emptied") {
            _ = try await emptyBins()
        }
        await warnings
    }

    private var isNear: SQL {
        """
        status = 'approved' AND deleted_at IS NULL AND expires_at > app_now()
        AND expires_at <= app_now() + make_interval(days => \(warningDays)::int) AND warned_for IS DISTINCT FROM expires_at
        """
    }

    /// Finds them across tenants, then warns under each tenant; two that look at once warn once.
    ///
    /// - Returns: how many warnings went out.
    func warn() async throws -> Int {
        var total = 0
        while true {
            let due = try await system.query("SELECT tenant_id, id FROM materials WHERE \(isNear) ORDER BY expires_at LIMIT 200")
                .map { (tenantId: try $0.decode("tenant_id", as: UUID.self), id: try $0.decode("id", as: UUID.self)) }
            for material in due where try await warn(of: material.id, tenantId: material.tenantId) { total += 1 }
            if due.count < 200 { return total }
        }
    }

    private func warn(of id: UUID, tenantId: UUID) async throws -> Bool {
        let isWarned = try await database.transaction(tenant: tenantId) { transaction in
            let rows = try await transaction.query(
                """
                UPDATE materials SET warned_for = expires_at WHERE tenant_id = \(tenantId) AND id = \(id) AND \(isNear)
                RETURNING kind, CASE WHEN audience = '{}' THEN title END AS title, expires_at, version, app_now() AS now
                """)
            guard let row = rows.first else { return false }
            let warning = MaterialExpiring(
                materialId: id, kind: try row.decode("kind"), title: try row.decode("title"),
                expiresAt: try row.decode("expires_at"))
            let event = MaterialEvent.expiring(warning, version: try row.decode("version"), at: try row.decode("now"))
            let author = Author(tenantId: tenantId, subject: "service:content-center")
            try await Outbox.append([event.cloudEvent(by: author)], in: transaction)
            return true
        }
        if isWarned { onCommit() }
        return isWarned
    }

    /// - Returns: how many went.
    func emptyBins() async throws -> Int {
        var total = 0
        while true {
            let count = try await system.query(
                """
                DELETE FROM materials WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM materials WHERE deleted_at < app_now() - make_interval(days => \(BinSweeper.days)::int)
                    ORDER BY deleted_at LIMIT 500))
                """
            ).affectedRows
            total += count
            if count < 500 { return total }
        }
    }
}
