import PostgresStore

/// Project spaces, topics and tags, the bin, versions that a replication wrote, and where contents stand on accounts.
let m0007ContentFiling = Migration(
    number: 7, name: "content_filing",
    sql: """
        CREATE TABLE content_spaces (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            name text NOT NULL,
            description text,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT content_spaces_name UNIQUE (tenant_id, name)
        );
        \(TenantTable.secure("content_spaces", app: DatabaseRoles.app))

        ALTER TABLE contents
            ADD space_id uuid,
            ADD topic text,
            ADD tags text[] NOT NULL DEFAULT '{}',
            ADD deleted_at timestamptz,
            -- Only what lies in the bin may lose its space.
            ADD CONSTRAINT contents_space FOREIGN KEY (tenant_id, space_id) REFERENCES content_spaces (tenant_id, id)
                ON DELETE SET NULL (space_id);
        CREATE INDEX contents_by_space ON contents (tenant_id, space_id, id) WHERE space_id IS NOT NULL;
        CREATE INDEX contents_by_topic ON contents (tenant_id, topic, id) WHERE topic IS NOT NULL;
        CREATE INDEX contents_in_bin ON contents (deleted_at) WHERE deleted_at IS NOT NULL;
        -- The sweeper empties the bins of all tenants; what belongs to a content goes with it.
        CREATE POLICY contents_system ON contents TO \(DatabaseRoles.system) USING (deleted_at IS NOT NULL);
        GRANT SELECT, DELETE ON contents TO \(DatabaseRoles.system);
        ALTER TABLE content_versions
            DROP CONSTRAINT content_versions_tenant_id_content_id_fkey,
            ADD CONSTRAINT content_versions_content FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id)
                ON DELETE CASCADE,
            DROP CONSTRAINT content_versions_source_kind_check,
            ADD CONSTRAINT content_versions_source_kind
                CHECK (source_kind IN ('human', 'model', 'template', 'replication'));
        ALTER TABLE content_reviews
            DROP CONSTRAINT content_reviews_tenant_id_content_id_fkey,
            ADD CONSTRAINT content_reviews_content FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id)
                ON DELETE CASCADE;
        ALTER TABLE content_comments
            DROP CONSTRAINT content_comments_tenant_id_content_id_version_fkey,
            ADD CONSTRAINT content_comments_version FOREIGN KEY (tenant_id, content_id, version)
                REFERENCES content_versions (tenant_id, content_id, version) ON DELETE CASCADE;
        """)
