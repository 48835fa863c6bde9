import FoundationEssentials
import Lifecycle
import Observability
import PostgresStore

/// Removes the archives of exports whose time is over.
struct ExportSweeper: Service {
    let system: Database
    let objects: any ObjectStore
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(600), logger: logger, failure: "old exports could not be removed") {
            _ = try await sweep()
        }
    }

    /// First the archive, then the row that leads to it.
    ///
    /// One that cannot be removed just now keeps no other.
    ///
    /// - Returns: how many went.
    func sweep() async throws -> Int {
        let over = try await system.query(
            "SELECT tenant_id, id FROM tenant_exports WHERE expires_at < app_now() ORDER BY expires_at LIMIT 1000"
        ).map { (tenantId: try $0.decode("tenant_id", as: UUID.self), id: try $0.decode("id", as: UUID.self)) }
        var count = 0
        for export in over {
            do {
                try await objects.remove(export.id)
                count += try await system.query(
                    "DELETE FROM tenant_exports WHERE tenant_id = \(export.tenantId) AND id = \(export.id) AND expires_at < app_now()"
                ).affectedRows
            } catch {
                try Task.checkCancellation()
                logger.warning(
                    "Could not remove an old export", ["export": export.id.text, "reason": "\(error)"])
            }
        }
        return count
    }
}
