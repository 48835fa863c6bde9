import PostgresStore

/// Work on videos, pictures and sound. State, progress and lease are those of `jobs`.
let m0015MediaJobs = Migration(
    number: 15, name: "media_jobs",
    sql: """
        CREATE TABLE media_jobs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            type text NOT NULL,
            -- The source, where it is one; it may be gone since.
            asset_id uuid,
            -- What ffprobe says of the source.
            facts jsonb,
            -- Why it failed, for clients.
            failure text,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
        );
        CREATE INDEX media_jobs_of_asset ON media_jobs (tenant_id, asset_id, id);
        \(TenantTable.secure("media_jobs", app: DatabaseRoles.app))

        -- What jobs have made: once, however often they were tried.
        CREATE TABLE media_outputs (
            tenant_id uuid NOT NULL,
            job_id uuid NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            position integer NOT NULL,
            asset_id uuid NOT NULL,
            details jsonb NOT NULL,
            PRIMARY KEY (tenant_id, job_id, kind, name),
            FOREIGN KEY (tenant_id, job_id) REFERENCES media_jobs (tenant_id, id) ON DELETE CASCADE,
            FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id) ON DELETE CASCADE
        );
        CREATE INDEX media_outputs_by_asset ON media_outputs (tenant_id, asset_id);
        \(TenantTable.secure("media_outputs", app: DatabaseRoles.app))

        -- Assets may come from here too.
        ALTER TABLE content_assets DROP CONSTRAINT content_assets_origin_check;
        ALTER TABLE content_assets ADD CONSTRAINT content_assets_origin_check CHECK (origin IN ('flow', 'upload', 'media'));
        """)
