import PostgresStore

/// A word that no document has any more is forgotten, so that it is corrected as any other misspelling.
///
/// No word is deleted here: until all documents had been read anew, words that are in use would count as the initials of Chinese ones. The
/// indexer goes through those of before, a few at a time.
let m0028SearchWords = Migration(
    number: 28, name: "search_words",
    sql: """
        -- Takes those of the words away that no document has, and notes of the others that this was looked for. Where some documents
        -- are of a writer of before, which may be adding one that nobody sees yet, the words wait until these have been read anew.
        --
        -- As in SearchFunctions, the tenant is the transaction's, and the way into the documents' tokens is a token. Whoever takes
        -- documents in holds the lock of search_words_lock in one of its two forms, so nobody but a writer of before adds a word
        -- meanwhile; what such a one writes is read anew, and its words are added then.
        CREATE FUNCTION search_forget(words text[]) RETURNS void
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
        DECLARE
            tenant uuid := app_tenant();
            last_segment integer := coalesce((SELECT max(s.segment) FROM search_segments s WHERE s.tenant_id = tenant), 0);
        BEGIN
            IF (SELECT d.id FROM search_documents d WHERE d.tenant_id = tenant AND d.reading < 1 ORDER BY d.reading LIMIT 1)
                IS NOT NULL
            THEN
                UPDATE search_words w SET reading = 0 WHERE w.tenant_id = tenant AND w.word = ANY (words) AND w.reading > 0;
                RETURN;
            END IF;
            DELETE FROM search_words w
            WHERE w.tenant_id = tenant AND w.word = ANY (words) AND NOT EXISTS (
                SELECT FROM generate_series(last_segment, 0, -1) AS s (segment)
                CROSS JOIN LATERAL (
                    SELECT FROM search_documents d
                    WHERE d.terms @> ARRAY[hashtextextended(w.word, search_seed(tenant, s.segment))]
                      AND (d.tenant_id = tenant) IS TRUE
                    LIMIT 1
                ) AS hit);
            UPDATE search_words w SET reading = 1 WHERE w.tenant_id = tenant AND w.word = ANY (words) AND w.reading < 1;
        END $$;

        CREATE FUNCTION search_words_lock(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended('search words ' || tenant::text, 0) $$;
        REVOKE ALL ON FUNCTION search_forget(text[]), search_words_lock(uuid) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION search_forget(text[]), search_words_lock(uuid) TO \(DatabaseRoles.app);

        -- What is to be read anew, and which words are to be looked for: all of it at first, and then nothing. Searches go on meanwhile.
        -- While the statistics are of before, nothing but an order that only these have keeps a plan from reading the tables.
        CREATE INDEX search_documents_unread ON search_documents (tenant_id, reading, id) WHERE reading < 1;
        CREATE INDEX search_words_unread ON search_words (tenant_id, reading, word) WHERE reading < 1;
        """)
