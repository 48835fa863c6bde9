import PostgresStore

/// The index over the tokens takes documents in together: those that share a token cost it one change, not one each.
let m0022SearchBatches = Migration(
    number: 22, name: "search_batches",
    sql: """
        -- New entries go into a pending list. A query reads the list each time that it looks into the index, a few dozen times, so the list
        -- must be short and short-lived: whoever puts documents in empties it in the same transaction.
        ALTER INDEX search_documents_terms SET (fastupdate = on, gin_pending_list_limit = 1024);

        -- An index's list may be emptied by the index's owner, which no server works as.
        CREATE FUNCTION search_flush() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
            AS $$ SELECT gin_clean_pending_list('search_documents_terms'::regclass) $$;
        REVOKE ALL ON FUNCTION search_flush FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION search_flush TO \(DatabaseRoles.app);
        """)
