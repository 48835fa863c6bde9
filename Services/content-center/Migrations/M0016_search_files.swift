import PostgresStore

/// Contents are found by the names of the files that they show.
let m0016SearchFiles = Migration(
    number: 16, name: "search_files",
    sql: """
        CREATE FUNCTION search_note_file_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_changes (tenant_id, content_id)
            SELECT DISTINCT u.tenant_id, u.content_id FROM asset_uses u
            WHERE u.tenant_id = NEW.tenant_id AND u.asset_id = NEW.id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION search_note_file_name() TO \(DatabaseRoles.app);
        CREATE TRIGGER content_assets_search AFTER UPDATE OF filename ON content_assets
            FOR EACH ROW WHEN (OLD.filename IS DISTINCT FROM NEW.filename) EXECUTE FUNCTION search_note_file_name();

        -- What shows files already is taken in anew. (Row-level security holds for the owner too.)
        ALTER TABLE asset_uses NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_changes (tenant_id, content_id) SELECT DISTINCT tenant_id, content_id FROM asset_uses
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ALTER TABLE asset_uses FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        """)
