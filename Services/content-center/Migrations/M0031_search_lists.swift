import PostgresStore

/// New contents are listed for the search a statement at a time, not one by one.
let m0031SearchLists = Migration(
    number: 31, name: "search_lists",
    sql: """
        CREATE FUNCTION search_note_new() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM added
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION search_note_new() TO \(DatabaseRoles.app);
        -- Replaced, not dropped: whoever reads contents now need not be waited for.
        CREATE OR REPLACE TRIGGER contents_search AFTER UPDATE ON contents FOR EACH ROW EXECUTE FUNCTION search_note_change();
        CREATE TRIGGER contents_search_new AFTER INSERT ON contents REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION search_note_new();
        """)
