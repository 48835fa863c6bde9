public import Observability

/// One step in the history of a database. Never edited once it has landed: the next change is the next number.
public struct Migration: Sendable, Hashable {
    /// 1, 2, 3, … without gaps.
    public let number: Int
    public let name: String
    /// Any number of statements; they run in one transaction.
    public let sql: String

    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

/// What is wrong between the program's migrations and the database's.
public enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The program's numbers are not 1, 2, 3, …: this one stands where the next was expected.
    case outOfOrder(number: Int, expected: Int)
    /// The database ran another text, or another name, under this number.
    case edited(number: Int, name: String)
    /// The database lacks this number but has later ones.
    case gap(number: Int)
    /// The database has a number that the program does not know.
    case unknown(number: Int, name: String)
    /// The database is behind: `migrate` has to run first.
    case missing(number: Int, name: String)

    public var description: String {
        switch self {
        case .outOfOrder(let number, let expected): "migration \(number) stands where \(expected) was expected"
        case .edited(let number, let name): "migration \(number) (\(name)) was edited after it had been applied"
        case .gap(let number): "migration \(number) was never applied, but later ones were"
        case .unknown(let number, let name): "the database has a migration \(number) (\(name)) that this program does not know"
        case .missing(let number, let name): "migration \(number) (\(name)) is not applied: run `migrate`"
        }
    }
}

/// Brings a database to the program's version, as its owner; servers only check.
public struct Migrator: Sendable {
    public let migrations: [Migration]
    private let owner: Database.Configuration
    private let logger: Logger

    /// - Parameter owner: the connection of the owner role, used by ``apply()`` only.
    public init(migrations: [Migration], owner: Database.Configuration, logger: Logger = .silent) {
        self.migrations = migrations
        self.owner = owner
        self.logger = logger
    }

    /// Applies what is missing, each migration in a transaction of its own. Of several that run at a time one works and the others
    /// wait, then find it done.
    ///
    /// - Returns: the numbers applied now.
    /// - Throws: ``MigrationError``, or the ``PostgresError`` of the statement that failed.
    @discardableResult
    public func apply() async throws -> [Int] {
        try checkNumbers()
        var configuration = owner
        configuration.poolSize = 1
        configuration.statementTimeout = .seconds(3_600)
        let database = Database(configuration: configuration, logger: logger)
        do {
            let applied = try await database.withSession { session in try await apply(in: session) }
            await database.close()
            return applied
        } catch {
            await database.close()
            throw error
        }
    }

    private func apply(in session: Session) async throws -> [Int] {
        // The lock goes with the connection, whatever happens to this process.
        try await session.query("SELECT pg_advisory_lock(hashtext('schema_migrations'))")
        try await session.script(
            """
            SET lock_timeout = '15s';
            SET client_min_messages = warning;
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
            );
            """)
        let pending = try compare(try await session.query(historyQuery), refusesUnknown: true)
        for migration in pending {
            try await session.script(
                """
                \(migration.sql)
                ;
                INSERT INTO schema_migrations (number, name, checksum)
                VALUES (\(migration.number), \(migration.name.quotedLiteral), encode(sha256(convert_to(\(migration.sql.quotedLiteral), 'UTF8')), 'hex'));
                """)
            logger.info("migration applied", ["number": migration.number, "name": migration.name])
        }
        try await session.query("SELECT pg_advisory_unlock(hashtext('schema_migrations'))")
        return pending.map(\.number)
    }

    /// Makes sure that the database has all of the program's migrations, unchanged. It may be ahead: while versions roll, the old
    /// program must still start.
    public func check(using database: Database) async throws {
        try checkNumbers()
        let history: RowSet
        do {
            history = try await database.query(historyQuery)
        } catch let error as PostgresError where error.sqlState == "42P01" {
            guard let first = migrations.first else { return }
            throw MigrationError.missing(number: first.number, name: first.name)
        }
        if let missing = try compare(history, refusesUnknown: false).first {
            throw MigrationError.missing(number: missing.number, name: missing.name)
        }
    }

    private func checkNumbers() throws {
        for (index, migration) in migrations.enumerated() where migration.number != index + 1 {
            throw MigrationError.outOfOrder(number: migration.number, expected: index + 1)
        }
    }

    /// The server compares the texts, so that both sides use the same digest.
    private var historyQuery: SQL {
        """
        SELECT applied.number, applied.name, (known.name = applied.name AND encode(sha256(convert_to(known.sql, 'UTF8')), 'hex') = applied.checksum) AS is_same
        FROM schema_migrations applied
        LEFT JOIN unnest(\(migrations.map(\.number))::int[], \(migrations.map(\.name)), \(migrations.map(\.sql)))
            AS known (number, name, sql) USING (number)
        ORDER BY applied.number
        """
    }

    /// - Returns: what the database lacks.
    private func compare(_ history: RowSet, refusesUnknown: Bool) throws -> [Migration] {
        for (index, row) in history.enumerated() {
            let (number, name): (Int, String) = (try row.decode("number"), try row.decode("name"))
            guard number == index + 1 else { throw MigrationError.gap(number: index + 1) }
            switch try row.decode("is_same", as: Bool?.self) {
            case true: continue
            case false: throw MigrationError.edited(number: number, name: name)
            case nil: if refusesUnknown { throw MigrationError.unknown(number: number, name: name) }
            }
        }
        return Array(migrations.dropFirst(history.count))
    }
}
