import PostgresStore

/// A word that no document has any more is forgotten, so that it is corrected as any other misspelling.
let m0028SearchWords = Migration(
    number: 28, name: "search_words",
    sql: """
        CREATE POLICY search_words_owner_forgets ON search_words FOR DELETE TO CURRENT_USER USING (true);

        -- Takes those of the words away that no document has. As in SearchFunctions, the tenant is the transaction's, and the way in is a
        -- token. Whoever takes documents in holds the lock of search_words_lock in one of its two forms, so nobody adds one meanwhile.
        CREATE FUNCTION search_forget(words text[]) RETURNS void
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
        DECLARE
            tenant uuid := app_tenant();
            last_segment integer := coalesce((SELECT max(s.segment) FROM search_segments s WHERE s.tenant_id = tenant), 0);
        BEGIN
            DELETE FROM search_words w
            WHERE w.tenant_id = tenant AND w.word = ANY (words) AND NOT EXISTS (
                SELECT FROM generate_series(last_segment, 0, -1) AS s (segment)
                CROSS JOIN LATERAL (
                    SELECT FROM search_documents d
                    WHERE d.terms @> ARRAY[hashtextextended(w.word, search_seed(tenant, s.segment))]
                      AND (d.tenant_id = tenant) IS TRUE
                    LIMIT 1
                ) AS hit);
        END $$;

        CREATE FUNCTION search_words_lock(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended('search words ' || tenant::text, 0) $$;
        REVOKE ALL ON FUNCTION search_forget(text[]), search_words_lock(uuid) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION search_forget(text[]), search_words_lock(uuid) TO \(DatabaseRoles.app);

        -- What is dead already: all words are taken in anew. (Row-level security holds for the owner too.)
        ALTER TABLE contents NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_words NO FORCE ROW LEVEL SECURITY;
        DELETE FROM search_words;
        INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM contents ORDER BY id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ALTER TABLE contents FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_words FORCE ROW LEVEL SECURITY;
        """)
