import DTO
import FoundationEssentials
import HTTPCore
import Messaging
import Observability
import PostgresStore

/// The SQL of word lists. Two spellings of one word, apart from case, width and surrounding space, have the same `folded`.
struct VocabularyStore: Sendable {
    let app: Database
    /// Learns whose words were never told of.
    let system: Database
    /// Wakes the outbox relay after a commit, so that events leave at once.
    let onCommit: @Sendable () -> Void

    /// So many duplicates are told at most.
    static let duplicatesTold = 100

    func words(_ list: WordList, after position: Int64?, limit: Int, of tenantId: UUID) async throws -> [StoredWord] {
        let rows = try await app.query(
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

    /// - Returns: how many words there are now.
    func replace(_ list: WordList, with words: [String], of tenantId: UUID) async throws -> Int {
        try await change(list, of: tenantId) { transaction in
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
            let changed = try await transaction.query(
                """
                WITH before AS (DELETE FROM \(list.table) RETURNING word, folded, created_at), after AS (
                    INSERT INTO \(list.table) (tenant_id, word, created_at)
                    SELECT app_tenant(), btrim(w.word), coalesce(before.created_at, app_now())
                    FROM unnest(\(words)) WITH ORDINALITY AS w (word, place)
                    LEFT JOIN before ON before.folded = folded_word(w.word)
                    ORDER BY place RETURNING word, position
                )
                SELECT word, true AS is_added, position FROM after WHERE word NOT IN (SELECT word FROM before)
                UNION ALL SELECT word, false, 0 FROM before WHERE word NOT IN (SELECT word FROM after)
                ORDER BY position, word
                """)
            var changes = WordChanges()
            for row in changed {
                let word: String = try row.decode("word")
                if try row.decode("is_added") { changes.added.append(word) } else { changes.removed.append(word) }
            }
            return changes
        }
        return words.count
    }

    func add(_ word: String, to list: WordList, of tenantId: UUID) async throws {
        try await change(list, of: tenantId) { transaction in
            let respelt = try await transaction.query(
                """
                UPDATE \(list.table) AS t SET word = btrim(\(word)::text)
                FROM (SELECT word, folded FROM \(list.table) WHERE folded = folded_word(\(word))) AS before
                WHERE t.folded = before.folded RETURNING before.word AS was, t.word
                """)
            if let row = respelt.first {
                let (was, word): (String, String) = (try row.decode("was"), try row.decode("word"))
                return was == word ? WordChanges() : WordChanges(added: [word], removed: [was])
            }
            let added = try await transaction.query(
                """
                INSERT INTO \(list.table) (tenant_id, word)
                SELECT app_tenant(), btrim(\(word)::text)
                WHERE (SELECT count(*) FROM \(list.table)) < \(list.limit) RETURNING word
                """)
            guard let row = added.first else { throw VocabularyError.full(list) }
            return WordChanges(added: [try row.decode("word")])
        }
    }

    /// - Returns: whether it was there.
    func remove(_ word: String, from list: WordList, of tenantId: UUID) async throws -> Bool {
        try await change(list, of: tenantId) { transaction in
            let removed = try await transaction.query(
                "DELETE FROM \(list.table) WHERE folded = folded_word(\(word)) RETURNING word")
            return WordChanges(removed: try removed.map { try $0.decode("word") })
        }.removed.isEmpty == false
    }

    /// One change of a tenant's list at a time: otherwise two could fill its last place, or tell of their changes in another order.
    ///
    /// - Parameter change: says by which spellings the list differs from before.
    @discardableResult
    private func change(
        _ list: WordList, of tenantId: UUID, _ change: @Sendable (Transaction) async throws -> WordChanges
    ) async throws -> WordChanges {
        let changes = try await Database.refusingErased {
            try await app.transaction(tenant: tenantId) { transaction in
                try await list.lock(in: transaction)
                let changes = try await change(transaction)
                if list == .bannedWords { try await Self.tell(changes, of: tenantId, in: transaction) }
                return changes
            }
        }
        onCommit()
        return changes
    }

    // MARK: Telling of banned words

    /// agent-center holds texts to the words that no flow sends along. Of a tenant whose words nobody has heard of, the first event tells the
    /// whole list: some may have been set before changes were told.
    private static func tell(_ changes: WordChanges, of tenantId: UUID, in transaction: Transaction) async throws {
        guard !changes.isEmpty else { return }
        let row = try await transaction.query(
            """
            INSERT INTO banned_word_revisions AS r (tenant_id, revision) VALUES (\(tenantId), 1)
            ON CONFLICT (tenant_id) DO UPDATE SET revision = r.revision + 1 RETURNING revision, app_now() AS changed_at
            """
        ).only
        let (revision, time): (Int64, Date) = (try row.decode("revision"), try row.decode("changed_at"))
        var changes = changes
        if revision == 1 {
            let words = try await transaction.query("SELECT word FROM banned_words ORDER BY position")
            changes.added = try words.map { try $0.decode("word") }
        }
        let events = try changes.events.map {
            CloudEvent(
                id: .version7(), source: "orchestration-service", type: BannedWordsChanged.type, subject: tenantId.text,
                time: time, tenantId: tenantId, version: revision, data: try JSON.encode($0))
        }
        try await Outbox.append(events, in: transaction)
    }

    /// Whose words nobody has heard of: they were set before changes were told.
    func untold() async throws -> [UUID] {
        try await system.query(
            """
            SELECT DISTINCT tenant_id FROM banned_words w
            WHERE NOT EXISTS (SELECT FROM banned_word_revisions r WHERE r.tenant_id = w.tenant_id)
            """
        ).map { try $0.decode("tenant_id") }
    }

    /// Tells of all the words that a tenant has, unless that was done.
    func announce(_ tenantId: UUID) async throws {
        try await change(.bannedWords, of: tenantId) { transaction in
            let untold = try await transaction.query(
                """
                SELECT word FROM banned_words WHERE NOT EXISTS (SELECT FROM banned_word_revisions WHERE tenant_id = \(tenantId))
                ORDER BY position
                """)
            return WordChanges(added: try untold.map { try $0.decode("word") })
        }
    }
}

extension WordList {
    fileprivate var table: SQL {
        switch self {
        case .brandWords: "brand_words"
        case .bannedWords: "banned_words"
        }
    }

    fileprivate func lock(in transaction: Transaction) async throws {
        try await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended(\(rawValue) || app_tenant()::text, 0))")
    }
}
