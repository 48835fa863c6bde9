import PostgresStore

/// Folders, tags and rights of assets, and which versions show them.
let m0014AssetLibrary = Migration(
    number: 14, name: "asset_library",
    sql: """
        CREATE TABLE asset_folders (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            parent_id uuid,
            name text NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id),
            -- Only an erasure takes a folder that is not empty.
            CONSTRAINT asset_folders_parent FOREIGN KEY (tenant_id, parent_id) REFERENCES asset_folders (tenant_id, id)
                ON DELETE CASCADE,
            CONSTRAINT asset_folders_name UNIQUE NULLS NOT DISTINCT (tenant_id, parent_id, name)
        );
        \(TenantTable.secure("asset_folders", app: DatabaseRoles.app))
        CREATE TRIGGER asset_folders_of_living_tenant BEFORE INSERT ON asset_folders
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();
        CREATE FUNCTION asset_folders_stay_a_tree() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                above uuid := NEW.parent_id;
                depth int := 0;
                height int := 1;
            BEGIN
                WHILE above IS NOT NULL AND depth < 8 LOOP
                    IF above = NEW.id THEN
                        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'asset_folders_ring',
                            MESSAGE = 'a folder cannot lie in itself';
                    END IF;
                    depth := depth + 1;
                    SELECT f.parent_id INTO above FROM asset_folders f WHERE f.tenant_id = NEW.tenant_id AND f.id = above;
                END LOOP;
                IF TG_OP = 'UPDATE' THEN
                    WITH RECURSIVE below AS (
                        SELECT NEW.id AS id, 1 AS level
                        UNION ALL
                        SELECT f.id, b.level + 1 FROM asset_folders f JOIN below b ON f.parent_id = b.id
                        WHERE f.tenant_id = NEW.tenant_id AND b.level <= 8
                    )
                    SELECT max(b.level) INTO height FROM below b;
                END IF;
                IF depth + height > 8 THEN
                    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'asset_folders_depth',
                        MESSAGE = 'folders lie at most 8 deep';
                END IF;
                RETURN NEW;
            END
        $$;
        -- One at a time per tenant: two moves, each right by itself, could make a ring together. Before the statement, so that nobody who
        -- waits holds a row that the other needs.
        CREATE FUNCTION asset_folders_one_at_a_time() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_advisory_xact_lock(
                    hashtextextended('asset_folders ' || coalesce(current_setting('app.tenant', true), ''), 0));
                RETURN NULL;
            END
        $$;
        GRANT EXECUTE ON FUNCTION asset_folders_stay_a_tree(), asset_folders_one_at_a_time() TO \(DatabaseRoles.app);
        CREATE TRIGGER asset_folders_one_at_a_time BEFORE INSERT OR UPDATE OF parent_id ON asset_folders
            FOR EACH STATEMENT EXECUTE FUNCTION asset_folders_one_at_a_time();
        CREATE TRIGGER asset_folders_stay_a_tree BEFORE INSERT OR UPDATE OF parent_id ON asset_folders
            FOR EACH ROW EXECUTE FUNCTION asset_folders_stay_a_tree();

        ALTER TABLE content_assets
            ADD revision integer NOT NULL DEFAULT 1,
            -- NULL until somebody changes something.
            ADD updated_at timestamptz,
            ADD folder_id uuid,
            ADD tags text[] NOT NULL DEFAULT '{}',
            ADD rights_holder text,
            ADD rights_license text,
            ADD rights_source text,
            ADD rights_valid_from timestamptz,
            ADD rights_expires_at timestamptz,
            ADD rights_territories text[] NOT NULL DEFAULT '{}',
            ADD rights_note text,
            -- The last warning about this end: so many days before it, 0 = that it is over.
            ADD rights_told integer CHECK (rights_told >= 0),
            ADD CHECK (rights_holder IS NOT NULL OR rights_expires_at IS NULL),
            ADD CHECK (rights_valid_from < rights_expires_at),
            ADD CONSTRAINT content_assets_folder FOREIGN KEY (tenant_id, folder_id) REFERENCES asset_folders (tenant_id, id);
        CREATE INDEX content_assets_by_folder ON content_assets (tenant_id, folder_id, id) WHERE folder_id IS NOT NULL;
        CREATE INDEX content_assets_rights ON content_assets (rights_expires_at)
            WHERE rights_expires_at IS NOT NULL AND rights_told IS DISTINCT FROM 0;
        -- The sweeper finds rights that end.
        CREATE POLICY content_assets_rights ON content_assets FOR SELECT TO \(DatabaseRoles.system)
            USING (rights_expires_at IS NOT NULL);

        -- Which versions show which assets, and where.
        CREATE FUNCTION assets_in(body jsonb) RETURNS TABLE (pointer text, asset_id uuid) LANGUAGE sql IMMUTABLE AS $$
            SELECT '/body/slots/' || (s.place - 1) || '/assetId', (s.slot->>'assetId')::uuid
            FROM jsonb_array_elements(coalesce(body->'slots', '[]')) WITH ORDINALITY s (slot, place)
            WHERE s.slot->>'assetId' IS NOT NULL
            UNION ALL
            SELECT '/body/video/' || name, (body->'video'->>name)::uuid FROM unnest('{assetId,coverAssetId}'::text[]) name
            WHERE body->'video'->>name IS NOT NULL
        $$;
        CREATE TABLE asset_uses (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            content_id uuid NOT NULL,
            version integer NOT NULL,
            pointer text NOT NULL,
            PRIMARY KEY (tenant_id, asset_id, content_id, version, pointer),
            -- An asset that only old versions show may go.
            CONSTRAINT asset_uses_asset FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id)
                ON DELETE CASCADE,
            CONSTRAINT asset_uses_version FOREIGN KEY (tenant_id, content_id, version)
                REFERENCES content_versions (tenant_id, content_id, version) ON DELETE CASCADE
        );
        CREATE INDEX asset_uses_by_version ON asset_uses (tenant_id, content_id, version);
        ALTER TABLE content_versions NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE content_assets NO FORCE ROW LEVEL SECURITY;
        INSERT INTO asset_uses (tenant_id, asset_id, content_id, version, pointer)
        SELECT v.tenant_id, a.id, v.content_id, v.version, u.pointer
        FROM content_versions v CROSS JOIN LATERAL assets_in(v.body) u
        JOIN content_assets a ON a.tenant_id = v.tenant_id AND a.id = u.asset_id
        WHERE v.body ? 'slots' OR v.body ? 'video';
        ALTER TABLE content_versions FORCE ROW LEVEL SECURITY;
        ALTER TABLE content_assets FORCE ROW LEVEL SECURITY;
        \(TenantTable.secure("asset_uses", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        CREATE FUNCTION asset_uses_follow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO asset_uses (tenant_id, asset_id, content_id, version, pointer)
                SELECT NEW.tenant_id, u.asset_id, NEW.content_id, NEW.version, u.pointer FROM assets_in(NEW.body) u;
                RETURN NULL;
            END
        $$;
        GRANT EXECUTE ON FUNCTION asset_uses_follow(), assets_in(jsonb) TO \(DatabaseRoles.app);
        CREATE TRIGGER asset_uses_follow AFTER INSERT ON content_versions FOR EACH ROW
            WHEN (NEW.body ? 'slots' OR NEW.body ? 'video') EXECUTE FUNCTION asset_uses_follow();
        """)
