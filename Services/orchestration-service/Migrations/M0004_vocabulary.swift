import PostgresStore

/// Word lists in the order of their making, with each word once, however it is written; lengths are the input rules' (50 characters, of
/// at most 8 code points each).
let m0004Vocabulary = Migration(
    number: 4, name: "vocabulary",
    sql: """
        -- One word in all its spellings: without surrounding space, of one width (NFKC), in lower case.
        CREATE FUNCTION folded_word(word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
            RETURN lower(normalize(btrim(word), NFKC));
        GRANT EXECUTE ON FUNCTION folded_word(text) TO "\(DatabaseRoles.app)";
        \(changes(of: "brand_words"))
        \(changes(of: "banned_words"))
        """)

private func changes(of table: String) -> String {
    """
    ALTER TABLE \(table) DROP CONSTRAINT \(table)_word_check;
    ALTER TABLE \(table) ADD CHECK (char_length(word) BETWEEN 1 AND 400);
    ALTER TABLE \(table) ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
    ALTER TABLE \(table) NO FORCE ROW LEVEL SECURITY;
    DELETE FROM \(table) AS later USING \(table) AS earlier
        WHERE later.tenant_id = earlier.tenant_id AND folded_word(later.word) = folded_word(earlier.word)
            AND later.position > earlier.position;
    UPDATE \(table) SET word = btrim(word) WHERE word <> btrim(word);
    ALTER TABLE \(table) FORCE ROW LEVEL SECURITY;
    ALTER TABLE \(table) DROP CONSTRAINT \(table)_pkey;
    ALTER TABLE \(table) ADD COLUMN folded text NOT NULL GENERATED ALWAYS AS (folded_word(word)) STORED;
    ALTER TABLE \(table) ADD PRIMARY KEY (tenant_id, folded);
    CREATE UNIQUE INDEX \(table)_by_position ON \(table) (tenant_id, position);
    """
}
