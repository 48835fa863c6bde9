import PostgresStore

/// Subtitle files that were edited cue by cue: each is an asset of its own, for no more people than its source, and counts as what was heard.
let m0036AssetEdits = Migration(
    number: 36, name: "asset_edits",
    sql: """
        CREATE TABLE asset_edits (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            -- What was edited; it may be gone since.
            source_id uuid NOT NULL,
            -- The job that heard what the first of them said, where one did.
            job_id uuid,
            PRIMARY KEY (tenant_id, asset_id),
            FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id) ON DELETE CASCADE
        );
        CREATE INDEX asset_edits_of_job ON asset_edits (tenant_id, job_id, asset_id) WHERE job_id IS NOT NULL;
        \(TenantTable.secure("asset_edits", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))

        -- What an asset was made from: by a job, or by an edit; of what is gone what it had been made from.
        CREATE OR REPLACE FUNCTION asset_sources(tenant uuid, asset uuid) RETURNS TABLE (id uuid)
            LANGUAGE sql STABLE ROWS 4 SET search_path = public, pg_temp AS $$
            WITH RECURSIVE edited AS (
                SELECT e.source_id AS id FROM asset_edits e WHERE e.tenant_id = tenant AND e.asset_id = asset
                UNION
                SELECT g.source_id FROM edited s JOIN asset_ancestors g ON g.tenant_id = tenant AND g.asset_id = s.id
            )
            SELECT s.id FROM media_outputs o CROSS JOIN LATERAL media_sources(tenant, o.job_id) AS s
            WHERE o.tenant_id = tenant AND o.asset_id = asset
            UNION
            SELECT edited.id FROM edited
        $$;

        \(subtitles)

        CREATE FUNCTION search_note_edited() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            edit asset_edits;
        BEGIN
            IF TG_OP = 'DELETE' THEN edit := OLD; ELSE edit := NEW; END IF;
            PERFORM search_note_video(m.tenant_id, m.asset_id) FROM media_jobs m
            WHERE m.tenant_id = edit.tenant_id AND m.id = edit.job_id AND m.asset_id IS NOT NULL;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION search_note_edited() TO \(DatabaseRoles.app);
        CREATE TRIGGER asset_edits_heard AFTER INSERT ON asset_edits
            FOR EACH ROW WHEN (NEW.job_id IS NOT NULL) EXECUTE FUNCTION search_note_edited();
        CREATE TRIGGER asset_edits_unheard AFTER DELETE ON asset_edits
            FOR EACH ROW WHEN (OLD.job_id IS NOT NULL) EXECUTE FUNCTION search_note_edited();
        """)

/// As in M0017 and M0034, and of what a job heard the last edit.
private let subtitles = """
    CREATE OR REPLACE FUNCTION content_subtitles(tenant uuid, content uuid, content_version integer) RETURNS uuid
    LANGUAGE sql STABLE AS $$
        WITH RECURSIVE shown AS (
            SELECT u.asset_id, 0 AS step FROM asset_uses u
            WHERE u.tenant_id = tenant AND u.content_id = content AND u.version = content_version
                AND u.pointer = '/body/video/assetId'
            UNION ALL
            SELECT m.asset_id, s.step + 1 FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND \(keepsWords)
            WHERE s.step < 4 AND m.asset_id IS NOT NULL
        ), said AS (
            SELECT u.asset_id, 0 AS rank, NULL::uuid AS job, NULL::uuid AS edit, '' AS kind FROM asset_uses u
            WHERE u.tenant_id = tenant AND u.content_id = content AND u.version = content_version
                AND u.pointer = '/body/video/subtitleAssetId'
            UNION ALL
            SELECT (j.payload->'params'->>'subtitleAssetId')::uuid, 2 * s.step + 1, j.id, NULL, '' FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND m.type = 'burn_subtitle'
            JOIN jobs j ON j.tenant_id = tenant AND j.id = m.id
            UNION ALL
            SELECT heard.asset_id, 2 * s.step + 2, m.id, heard.edit, heard.kind FROM shown s
            JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = s.asset_id AND m.type = 'subtitle'
            \(heard)
        )
        SELECT s.asset_id FROM said s
        JOIN content_assets a ON a.tenant_id = tenant AND a.id = s.asset_id AND a.state = 'ready'
        ORDER BY s.rank, s.job DESC, s.edit DESC NULLS LAST, s.kind LIMIT 1
    $$;

    CREATE OR REPLACE FUNCTION asset_subtitles(tenant uuid, asset uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
        WITH RECURSIVE shown AS (
            SELECT asset AS asset_id, 0 AS step
            UNION ALL
            SELECT m.asset_id, s.step + 1 FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND \(keepsWords)
            WHERE s.step < 4 AND m.asset_id IS NOT NULL
        ), said AS (
            SELECT (j.payload->'params'->>'subtitleAssetId')::uuid AS asset_id, 2 * s.step AS rank, j.id AS job, NULL::uuid AS edit,
                '' AS kind FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND m.type = 'burn_subtitle'
            JOIN jobs j ON j.tenant_id = tenant AND j.id = m.id
            UNION ALL
            SELECT heard.asset_id, 2 * s.step + 1, m.id, heard.edit, heard.kind FROM shown s
            JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = s.asset_id AND m.type = 'subtitle'
            \(heard)
        )
        SELECT s.asset_id FROM said s
        JOIN content_assets a ON a.tenant_id = tenant AND a.id = s.asset_id AND a.state = 'ready'
        ORDER BY s.rank, s.job DESC, s.edit DESC NULLS LAST, s.kind LIMIT 1
    $$;
    """

/// What a job `m` heard, as it wrote it and as people edited it since; the ids of edits grow with time.
private let heard = """
    CROSS JOIN LATERAL (
                SELECT o.asset_id, NULL::uuid AS edit, o.kind FROM media_outputs o
                WHERE o.tenant_id = tenant AND o.job_id = m.id AND o.kind IN ('srt', 'vtt')
                UNION ALL
                SELECT e.asset_id, e.asset_id, '' FROM asset_edits e WHERE e.tenant_id = tenant AND e.job_id = m.id
            ) AS heard
    """

/// Jobs whose videos say what their source says, as in M0017.
private let keepsWords = "m.type IN ('transcode', 'burn_subtitle', 'watermark')"
