import PostgresStore

/// Small pictures of what people upload, and marks that they want on it.
let m0020AssetPreviews = Migration(
    number: 20, name: "asset_previews",
    sql: """
        -- Made by content-center itself. They are no assets: nobody files them, and no plan counts them.
        CREATE TABLE asset_previews (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('thumbnail', 'cover')),
            object_id uuid NOT NULL,
            media_type text NOT NULL,
            width integer NOT NULL,
            height integer NOT NULL,
            PRIMARY KEY (tenant_id, asset_id, kind),
            FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("asset_previews", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, DELETE"))

        -- However an asset goes.
        CREATE FUNCTION asset_previews_become_garbage() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO asset_garbage (tenant_id, object_id) VALUES (OLD.tenant_id, OLD.object_id) ON CONFLICT DO NOTHING;
                RETURN NULL;
            END
        $$;
        GRANT EXECUTE ON FUNCTION asset_previews_become_garbage() TO \(DatabaseRoles.app), \(DatabaseRoles.system);
        CREATE TRIGGER asset_previews_become_garbage AFTER DELETE ON asset_previews
            FOR EACH ROW EXECUTE FUNCTION asset_previews_become_garbage();

        ALTER TABLE content_assets
            -- What is to be put on a copy of it once it is here: the parameters of a job.
            ADD watermark jsonb,
            ADD watermark_job_id uuid;
        """)
