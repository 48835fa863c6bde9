import Lifecycle
import Observability
import PostgresStore

/// Removes runs that ended long ago, with their steps and what is known of their pictures. The contents that they made stay.
struct RunSweeper: Service {
    private static let batch = 1_000

    let system: Database
    /// How long a run is shown after its end.
    let days: Int
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                do { _ = try await sweep() } catch {
                    try Task.checkCancellation()
                    logger.warning("Could not remove old runs", ["reason": "\(error)"])
                }
                try await Task.sleep(for: .seconds(3_600))
            }
        }
    }

    /// - Returns: how many runs went.
    func sweep() async throws -> Int {
        // A run's repeat must not find its pictures' attempts gone and pay again: they go after it.
        let runs = try await deleteAll(
            """
            DELETE FROM jobs WHERE (tenant_id, id) IN (
                SELECT tenant_id, id FROM jobs WHERE finished_at < app_now() - make_interval(days => \(days)::integer)
                ORDER BY finished_at LIMIT \(Self.batch))
            """)
        _ = try await deleteAll(
            """
            DELETE FROM picture_attempts WHERE (tenant_id, run_id, number) IN (
                SELECT tenant_id, run_id, number FROM picture_attempts WHERE updated_at < app_now() - make_interval(days => \(days)::integer)
                ORDER BY updated_at LIMIT \(Self.batch))
            """)
        return runs
    }

    private func deleteAll(_ statement: SQL) async throws -> Int {
        var count = 0
        while true {
            let gone = try await system.query(statement).affectedRows
            count += gone
            if gone < Self.batch { return count }
        }
    }
}
