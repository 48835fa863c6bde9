import PostgresStore

/// Contents of every kind, in groups, with the pictures that belong to them.
let m0002ContentKinds = Migration(
    number: 2, name: "content_kinds",
    sql: """
        -- What a content says decides it; kept here for lists.
        ALTER TABLE contents ADD completeness text NOT NULL DEFAULT 'draft' CHECK (completeness IN ('draft', 'finished'));
        -- What was made from one brief.
        ALTER TABLE contents ADD group_id uuid;
        CREATE INDEX contents_by_group ON contents (tenant_id, group_id, id) WHERE group_id IS NOT NULL;

        -- Pictures by their bytes' hash: the same picture is kept once per tenant. The bytes stand apart, so that looking through the
        -- pictures does not read them.
        CREATE TABLE content_assets (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
            media_type text NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp')),
            size integer NOT NULL CHECK (size BETWEEN 1 AND 8388608),
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT content_assets_hash UNIQUE (tenant_id, sha256)
        );
        \(TenantTable.secure("content_assets", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        CREATE TABLE content_asset_bytes (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            bytes bytea NOT NULL,
            PRIMARY KEY (tenant_id, asset_id),
            FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id)
        );
        -- Pictures are compressed already.
        ALTER TABLE content_asset_bytes ALTER bytes SET STORAGE EXTERNAL;
        \(TenantTable.secure("content_asset_bytes", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        """)
