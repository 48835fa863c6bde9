import PostgresStore

/// What assets are listed by, so that a list need not read the whole library.
let m0018AssetFilters = Migration(
    number: 18, name: "asset_filters",
    sql: """
        -- The tags of each asset (`t…`), and every character and every two neighbours of its name in lower case (`n…`). Equality of text is
        -- leakproof, so the index serves under row-level security, and a page comes out of it newest first.
        CREATE TABLE asset_keys (
            tenant_id uuid NOT NULL,
            key text NOT NULL,
            asset_id uuid NOT NULL,
            PRIMARY KEY (tenant_id, key, asset_id)
        );
        -- (The sweeper deletes uploads that nobody completed, and with them their keys.)
        \(TenantTable.secure(
            "asset_keys", app: DatabaseRoles.app, system: DatabaseRoles.system, appPrivileges: "SELECT, INSERT, DELETE",
            systemPrivileges: "SELECT, DELETE"))

        CREATE FUNCTION asset_keys_of(name text, tags text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
            SELECT coalesce(array_agg(DISTINCT k.key), '{}') FROM (
                SELECT 't' || tag AS key FROM unnest(tags) AS tag
                UNION ALL
                SELECT 'n' || substr(lower(name), place, width)
                FROM generate_series(1, length(name)) AS place, generate_series(1, 2) AS width
                WHERE place + width - 1 <= length(name)
            ) AS k
        $$;
        CREATE FUNCTION asset_keys_follow() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            before text[] := '{}';
            after text[] := '{}';
        BEGIN
            IF TG_OP <> 'INSERT' THEN before := asset_keys_of(OLD.filename, OLD.tags); END IF;
            IF TG_OP <> 'DELETE' THEN after := asset_keys_of(NEW.filename, NEW.tags); END IF;
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM asset_keys WHERE tenant_id = OLD.tenant_id AND asset_id = OLD.id
                    AND key IN (SELECT unnest(before) EXCEPT SELECT unnest(after));
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO asset_keys (tenant_id, key, asset_id)
                SELECT NEW.tenant_id, k.key, NEW.id FROM (SELECT unnest(after) EXCEPT SELECT unnest(before)) AS k (key);
            END IF;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION asset_keys_of(text, text[]), asset_keys_follow() TO \(DatabaseRoles.app), \(DatabaseRoles.system);

        ALTER TABLE content_assets NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE asset_keys NO FORCE ROW LEVEL SECURITY;
        INSERT INTO asset_keys (tenant_id, key, asset_id)
            SELECT a.tenant_id, k.key, a.id FROM content_assets a CROSS JOIN LATERAL unnest(asset_keys_of(a.filename, a.tags)) AS k (key);
        ALTER TABLE content_assets FORCE ROW LEVEL SECURITY;
        ALTER TABLE asset_keys FORCE ROW LEVEL SECURITY;
        CREATE TRIGGER content_assets_keys AFTER INSERT OR DELETE ON content_assets
            FOR EACH ROW EXECUTE FUNCTION asset_keys_follow();
        CREATE TRIGGER content_assets_keys_change AFTER UPDATE OF filename, tags ON content_assets
            FOR EACH ROW WHEN (OLD.filename IS DISTINCT FROM NEW.filename OR OLD.tags <> NEW.tags) EXECUTE FUNCTION asset_keys_follow();

        -- By where rights stand: what ends or begins, and whatever somebody has said whose it is.
        CREATE INDEX content_assets_rights_end ON content_assets (tenant_id, rights_expires_at) WHERE rights_expires_at IS NOT NULL;
        CREATE INDEX content_assets_rights_begin ON content_assets (tenant_id, rights_valid_from) WHERE rights_valid_from IS NOT NULL;
        CREATE INDEX content_assets_with_rights ON content_assets (tenant_id, id) WHERE rights_holder IS NOT NULL;

        -- What was told of an asset without anybody's having changed it: the version of its events is the revision and this together.
        ALTER TABLE content_assets ADD notices integer NOT NULL DEFAULT 0;

        -- In one order, so that two that name files which the same contents show do not wait for each other.
        CREATE OR REPLACE FUNCTION search_note_file_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_changes (tenant_id, content_id)
            SELECT DISTINCT u.tenant_id, u.content_id FROM asset_uses u
            WHERE u.tenant_id = NEW.tenant_id AND u.asset_id = NEW.id ORDER BY u.content_id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
            RETURN NULL;
        END $$;
        """)
