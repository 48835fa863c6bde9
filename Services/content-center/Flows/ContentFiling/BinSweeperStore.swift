import ConcurrencySupport
import Lifecycle
import Observability
import PostgresStore

/// Empties the bins once an hour: what has lain there for 30 days goes, with its versions, reviews and comments.
struct BinSweeper: Service {
    static let days = 30

    let system: Database
    let logger: Logger

    func run() async throws {
        await repeating(every: .seconds(3_600), logger: logger, failure: "the bins could not be emptied") {
            _ = try await Self.sweep(using: system)
        }
    }

    /// - Returns: how many contents went.
    static func sweep(using system: Database) async throws -> Int {
        var total = 0
        while true {
            let count = try await system.query(
                """
                DELETE FROM contents WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM contents WHERE deleted_at < app_now() - make_interval(days => \(days)::int)
                    ORDER BY deleted_at LIMIT 500))
                """
            ).affectedRows
            total += count
            if count < 500 { return total }
        }
    }
}
