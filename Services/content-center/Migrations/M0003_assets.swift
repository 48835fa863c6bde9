import PostgresStore

/// Files of every kind: announced, uploaded, looked at, kept. Their bytes are in the object store.
let m0003Assets = Migration(
    number: 3, name: "assets",
    sql: """
        -- What is stored once for all assets of the tenant with the same bytes. Its id is the object's in the store.
        CREATE TABLE asset_objects (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
            size bigint NOT NULL CHECK (size >= 1),
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT asset_objects_hash UNIQUE (tenant_id, sha256)
        );
        \(TenantTable.secure("asset_objects", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, DELETE"))

        -- Objects that nothing refers to any more: removed from the store right after the commit, or by the sweeper.
        CREATE TABLE asset_garbage (
            tenant_id uuid NOT NULL,
            object_id uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, object_id)
        );
        \(TenantTable.secure(
            "asset_garbage", app: DatabaseRoles.app, system: DatabaseRoles.system, appPrivileges: "SELECT, INSERT, DELETE",
            systemPrivileges: "SELECT, DELETE"))

        -- An asset's row comes before its bytes; what is announced of them stands in the same columns.
        ALTER TABLE content_assets DROP CONSTRAINT content_assets_hash;
        ALTER TABLE content_assets DROP CONSTRAINT content_assets_media_type_check;
        ALTER TABLE content_assets DROP CONSTRAINT content_assets_size_check;
        ALTER TABLE content_assets ALTER size TYPE bigint;
        ALTER TABLE content_assets ALTER size DROP NOT NULL;
        ALTER TABLE content_assets ALTER sha256 DROP NOT NULL;
        ALTER TABLE content_assets
            ADD origin text NOT NULL DEFAULT 'flow' CHECK (origin IN ('flow', 'upload')),
            ADD state text NOT NULL DEFAULT 'ready' CHECK (state IN ('pending', 'ready')),
            ADD filename text,
            ADD scope text,
            -- NULL while it is pending, and for pictures whose bytes stand in content_asset_bytes still.
            ADD object_id uuid,
            ADD operation_id uuid,
            ADD upload_expires_at timestamptz,
            ADD CHECK (size >= 1),
            ADD CHECK (state = 'pending' OR (size IS NOT NULL AND sha256 IS NOT NULL)),
            ADD CHECK ((state = 'pending') = (upload_expires_at IS NOT NULL)),
            ADD CONSTRAINT content_assets_operation UNIQUE (tenant_id, operation_id),
            ADD CONSTRAINT content_assets_object FOREIGN KEY (tenant_id, object_id) REFERENCES asset_objects (tenant_id, id);
        -- Pictures that flows make are there once; people may keep a file under two names.
        CREATE UNIQUE INDEX content_assets_flow_hash ON content_assets (tenant_id, sha256) WHERE origin = 'flow';
        CREATE INDEX content_assets_by_object ON content_assets (tenant_id, object_id);
        CREATE INDEX content_assets_pending ON content_assets (upload_expires_at) WHERE state = 'pending';
        GRANT UPDATE, DELETE ON content_assets TO \(DatabaseRoles.app);
        GRANT DELETE ON content_asset_bytes TO \(DatabaseRoles.app);
        -- The sweeper finds uploads that nobody completed.
        CREATE POLICY content_assets_system ON content_assets TO \(DatabaseRoles.system) USING (state = 'pending') WITH CHECK (false);
        GRANT SELECT, DELETE ON content_assets TO \(DatabaseRoles.system);

        -- What a tenant keeps; written by the triggers below alone.
        CREATE TABLE asset_usage (
            tenant_id uuid NOT NULL PRIMARY KEY,
            bytes bigint NOT NULL CHECK (bytes >= 0),
            objects bigint NOT NULL CHECK (objects >= 0)
        );
        \(TenantTable.secure("asset_usage", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, UPDATE"))
        -- What a tenant's plan allows, where that is not the usual.
        CREATE TABLE asset_quotas (
            tenant_id uuid NOT NULL PRIMARY KEY,
            bytes bigint NOT NULL CHECK (bytes >= 0)
        );
        \(TenantTable.secure(
            "asset_quotas", app: DatabaseRoles.app, system: DatabaseRoles.system, appPrivileges: "SELECT",
            systemPrivileges: "SELECT, INSERT, UPDATE, DELETE"))

        CREATE FUNCTION asset_usage_follows() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO asset_usage AS u (tenant_id, bytes, objects) VALUES (NEW.tenant_id, NEW.size, 1)
                    ON CONFLICT (tenant_id) DO UPDATE SET bytes = u.bytes + NEW.size, objects = u.objects + 1;
                ELSE
                    UPDATE asset_usage SET bytes = bytes - OLD.size, objects = objects - 1 WHERE tenant_id = OLD.tenant_id;
                END IF;
                RETURN NULL;
            END
        $$;
        GRANT EXECUTE ON FUNCTION asset_usage_follows() TO \(DatabaseRoles.app);
        CREATE TRIGGER asset_usage_follows AFTER INSERT OR DELETE ON asset_objects
            FOR EACH ROW EXECUTE FUNCTION asset_usage_follows();
        """)
