import DTO
import FoundationEssentials
import PostgresStore

/// The SQL of word lists. Two spellings of one word, apart from case, width and surrounding space, have the same `folded`.
struct VocabularyStore: Sendable {
    let database: Database

    /// So many duplicates are told at most.
    static let duplicatesTold = 100

    func words(_ list: WordList, after position: Int64?, limit: Int, of tenantId: UUID) async throws -> [StoredWord] {
        let rows = try await database.query(
            """
            SELECT word, position, created_at FROM \(list.table)
            WHERE tenant_id = \(tenantId) AND position > \(position ?? 0) ORDER BY position LIMIT \(limit)
            """, tenant: tenantId)
        return try rows.map { row in
            StoredWord(
                word: VocabularyWord(word: try row.decode("word"), createdAt: try row.decode("created_at")),
                position: try row.decode("position"))
        }
    }

    func replace(_ list: WordList, with words: [String], of tenantId: UUID) async throws -> Int {
        try await write(of: tenantId) { transaction in
            try await list.lock(in: transaction)
            let duplicates = try await transaction.query(
                """
                SELECT place FROM (
                    SELECT place, row_number() OVER (PARTITION BY folded_word(word) ORDER BY place) AS n
                    FROM unnest(\(words)) WITH ORDINALITY AS w (word, place)
                ) AS numbered WHERE n > 1 ORDER BY place LIMIT \(Self.duplicatesTold)
                """)
            guard duplicates.isEmpty else {
                throw VocabularyError.duplicates(try duplicates.map { try $0.decode("place", as: Int.self) - 1 })
            }
            // A word that stays keeps the time at which it came.
            return try await transaction.execute(
                """
                WITH before AS (DELETE FROM \(list.table) RETURNING folded, created_at)
                INSERT INTO \(list.table) (tenant_id, word, created_at)
                SELECT app_tenant(), btrim(w.word), coalesce(before.created_at, app_now())
                FROM unnest(\(words)) WITH ORDINALITY AS w (word, place) LEFT JOIN before ON before.folded = folded_word(w.word)
                ORDER BY place
                """)
        }
    }

    func add(_ word: String, to list: WordList, of tenantId: UUID) async throws {
        try await write(of: tenantId) { transaction in
            try await list.lock(in: transaction)
            let respelt = try await transaction.execute(
                "UPDATE \(list.table) SET word = btrim(\(word)::text) WHERE folded = folded_word(\(word))")
            guard respelt == 0 else { return }
            let added = try await transaction.execute(
                """
                INSERT INTO \(list.table) (tenant_id, word)
                SELECT app_tenant(), btrim(\(word)::text)
                WHERE (SELECT count(*) FROM \(list.table)) < \(list.limit)
                """)
            guard added == 1 else { throw VocabularyError.full(list) }
        }
    }

    private func write<Value: Sendable>(
        of tenantId: UUID, _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await Database.refusingErased { try await database.transaction(tenant: tenantId, body) }
    }

    func remove(_ word: String, from list: WordList, of tenantId: UUID) async throws -> Bool {
        try await database.query("DELETE FROM \(list.table) WHERE folded = folded_word(\(word))", tenant: tenantId).affectedRows
            == 1
    }
}

extension WordList {
    fileprivate var table: SQL {
        switch self {
        case .brandWords: "brand_words"
        case .bannedWords: "banned_words"
        }
    }

    /// One change of a tenant's list at a time: otherwise two could fill its last place.
    fileprivate func lock(in transaction: Transaction) async throws {
        try await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended(\(rawValue) || app_tenant()::text, 0))")
    }
}
