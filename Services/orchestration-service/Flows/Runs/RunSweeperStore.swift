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
        await repeating(every: .seconds(3_600), logger: logger, failure: "old runs could not be removed") {
            _ = try await sweep()
        }
    }

    /// - Returns: how many runs went.
    func sweep() async throws -> Int {
        var count = 0
        while true {
            // What is known of a picture goes with its run and not before: a run that is taken up again must not pay for it anew.
            let gone: Int = try await system.query(
                """
                WITH gone AS (
                    DELETE FROM jobs WHERE (tenant_id, id) IN (
                        SELECT tenant_id, id FROM jobs WHERE finished_at < app_now() - make_interval(days => \(days)::integer)
                        ORDER BY finished_at LIMIT \(Self.batch))
                    RETURNING tenant_id, id
                ), attempts AS (
                    DELETE FROM picture_attempts p USING gone g WHERE p.tenant_id = g.tenant_id AND p.run_id = g.id
                )
                SELECT count(*) AS n FROM gone
                """
            ).only.decode("n")
            count += gone
            if gone < Self.batch { return count }
        }
    }
}
