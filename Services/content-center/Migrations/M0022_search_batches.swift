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

        -- The segment that so many new documents go into together: as often as for each of them alone, somebody looks whether it is full.
        CREATE FUNCTION search_segment(documents integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
        DECLARE
            tenant uuid := app_tenant();
            size integer := search_segment_size();
            current integer := coalesce((SELECT max(segment) FROM search_segments WHERE tenant_id = tenant), 0);
        BEGIN
            IF random() * size < 128 * documents AND (SELECT count(*) FROM (
                SELECT FROM search_documents WHERE tenant_id = tenant AND segment = current LIMIT size) AS filled) >= size
            THEN
                current := current + 1;
                INSERT INTO search_segments (tenant_id, segment) VALUES (tenant, current) ON CONFLICT DO NOTHING;
            END IF;
            RETURN current;
        END $$;
        REVOKE ALL ON FUNCTION search_flush, search_segment(integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION search_flush, search_segment(integer) TO \(DatabaseRoles.app);
        """)
