import PostgresStore

/// The words that tenants forbid in all their texts, as orchestration-service tells of them.
enum M0012BannedWords {
    static let migration = Migration(
        number: 12, name: "banned words",
        sql: #"""
            -- Word by word, with the version of the list that said so last: events come in any order. A word that was removed stays, for an older
            -- event that may still come.
            CREATE TABLE banned_words (
                tenant_id  uuid    NOT NULL,
                word       text    NOT NULL CHECK (char_length(word) BETWEEN 1 AND 400),
                is_removed boolean NOT NULL,
                version    bigint  NOT NULL,
                PRIMARY KEY (tenant_id, word)
            );

            -- How often the list has changed here: what a replica has read is good for as long as this stays.
            CREATE TABLE banned_word_lists (
                tenant_id uuid   NOT NULL PRIMARY KEY,
                revision  bigint NOT NULL
            );

            """#
                + ["banned_words", "banned_word_lists"].map { table in
                    """
                    CREATE TRIGGER \(table)_of_living_tenant BEFORE INSERT ON \(table)
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();

                    """ + TenantTable.secure(table, app: "agent_app")
                }.joined())
}
