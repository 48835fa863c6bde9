import PostgresStore

/// What is made of a file is there for no more people than the file.
let m0023MediaSources = Migration(
    number: 23, name: "media_sources",
    sql: """
        -- The tenant's assets that a job reads: its source, by id or by a signed address of ours, and what its parameters name.
        CREATE FUNCTION media_sources(tenant uuid, job uuid) RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
            SELECT m.asset_id FROM media_jobs m WHERE m.tenant_id = tenant AND m.id = job AND m.asset_id IS NOT NULL
            UNION
            SELECT a.id FROM jobs j
            JOIN content_assets a ON a.tenant_id = tenant AND a.object_id = (j.payload #>> '{source,object,_0}')::uuid
            WHERE j.tenant_id = tenant AND j.id = job
            UNION
            SELECT named.id::uuid FROM jobs j
            CROSS JOIN LATERAL (
                SELECT jsonb_array_elements_text(j.payload #> '{params,assetIds}') WHERE j.payload #> '{params,assetIds}' IS NOT NULL
                UNION ALL SELECT j.payload #>> '{params,overlayAssetId}'
                UNION ALL SELECT j.payload #>> '{params,subtitleAssetId}'
            ) AS named (id)
            WHERE j.tenant_id = tenant AND j.id = job AND named.id IS NOT NULL
        $$;

        -- What a job made an asset from.
        CREATE FUNCTION asset_sources(tenant uuid, asset uuid) RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
            SELECT s.id FROM media_outputs o CROSS JOIN LATERAL media_sources(tenant, o.job_id) AS s
            WHERE o.tenant_id = tenant AND o.asset_id = asset
        $$;
        REVOKE ALL ON FUNCTION media_sources, asset_sources FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION media_sources, asset_sources TO \(DatabaseRoles.app);
        """)
