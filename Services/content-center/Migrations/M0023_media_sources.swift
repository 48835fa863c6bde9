import PostgresStore

/// What is made of a file is there for no more people than the file.
let m0023MediaSources = Migration(
    number: 23, name: "media_sources",
    sql: """
        -- What assets that were deleted had been made from: what was made of them is still no more people's.
        CREATE TABLE asset_ancestors (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            source_id uuid NOT NULL,
            PRIMARY KEY (tenant_id, asset_id, source_id)
        );
        \(TenantTable.secure("asset_ancestors", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, DELETE"))

        -- (With a path of their own, so that they are called and not written into the query: lists would be planned as if all assets were
        -- made by jobs.)
        -- The tenant's assets that a job reads: its source and what its parameters name; of deleted ones what they had been made from.
        CREATE FUNCTION media_sources(tenant uuid, job uuid) RETURNS TABLE (id uuid)
            LANGUAGE sql STABLE ROWS 4 SET search_path = public, pg_temp AS $$
            WITH RECURSIVE source AS (
                (
                    SELECT m.asset_id AS id FROM media_jobs m WHERE m.tenant_id = tenant AND m.id = job AND m.asset_id IS NOT NULL
                    UNION
                    -- Jobs that were ordered by a signed address of ours before the asset behind it was noted with them.
                    SELECT a.id FROM jobs j
                    JOIN media_jobs m ON m.tenant_id = tenant AND m.id = j.id AND m.asset_id IS NULL
                    JOIN content_assets a ON a.tenant_id = tenant AND a.object_id = (j.payload #>> '{source,object,_0}')::uuid
                    WHERE j.tenant_id = tenant AND j.id = job
                    UNION
                    SELECT named.id::uuid FROM jobs j
                    CROSS JOIN LATERAL (
                        SELECT jsonb_array_elements_text(j.payload #> '{params,assetIds}')
                        WHERE j.payload #> '{params,assetIds}' IS NOT NULL
                        UNION ALL SELECT j.payload #>> '{params,overlayAssetId}'
                        UNION ALL SELECT j.payload #>> '{params,subtitleAssetId}'
                    ) AS named (id)
                    WHERE j.tenant_id = tenant AND j.id = job AND named.id IS NOT NULL
                )
                UNION
                SELECT g.source_id FROM source s JOIN asset_ancestors g ON g.tenant_id = tenant AND g.asset_id = s.id
            )
            SELECT source.id FROM source
        $$;

        -- What a job made an asset from.
        CREATE FUNCTION asset_sources(tenant uuid, asset uuid) RETURNS TABLE (id uuid)
            LANGUAGE sql STABLE ROWS 4 SET search_path = public, pg_temp AS $$
            SELECT s.id FROM media_outputs o CROSS JOIN LATERAL media_sources(tenant, o.job_id) AS s
            WHERE o.tenant_id = tenant AND o.asset_id = asset
        $$;
        REVOKE ALL ON FUNCTION media_sources, asset_sources FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION media_sources, asset_sources TO \(DatabaseRoles.app);
        CREATE INDEX asset_previews_by_object ON asset_previews (tenant_id, object_id);
        """)
