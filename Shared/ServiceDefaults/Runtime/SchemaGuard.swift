import ConcurrencySupport
import Lifecycle
import Observability
import PostgresStore

import struct Synchronization.Atomic

/// Checks once that the database has the schema this executable was built for: a server never migrates, it only looks.
///
/// While the database cannot be reached it waits, and the service is not ready. Another schema ends the process with an error.
final class SchemaGuard: Service {
    struct NotChecked: Error {}

    private let migrator: Migrator
    private let database: Database
    private let logger: Logger
    private let isVerified = Atomic(false)

    init(migrator: Migrator, database: Database, logger: Logger) {
        self.migrator = migrator
        self.database = database
        self.logger = logger
    }

    /// For `/readyz`.
    func check() throws {
        guard isVerified.load(ordering: .acquiring) else { throw NotChecked() }
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.verify() }
        try await gracefulShutdown()
    }

    private func verify() async throws {
        var delay = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                try await migrator.check(using: database)
                isVerified.store(true, ordering: .releasing)
                return
            } catch let error where DependencyFailure.failure(for: error) != nil {
                logger.warning("the database cannot be reached yet", ["error": "\(error)"])
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(1))
            }
        }
    }
}
