import PostgresStore

/// Contents are found by what is said in their videos.
let m0017SearchSubtitles = Migration(
    number: 17, name: "search_subtitles",
    sql: """
        -- What subtitle files say, see SubtitleTexts: read once from the store as long as their bytes stay the same.
        CREATE TABLE subtitle_texts (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            sha256 bytea NOT NULL,
            text text NOT NULL,
            PRIMARY KEY (tenant_id, asset_id),
            FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("subtitle_texts", app: DatabaseRoles.app))

        ALTER TABLE search_documents
            -- Hashes of the tokens that nothing but what is said has.
            ADD spoken bigint[] NOT NULL DEFAULT '{}',
            -- The file that says it.
            ADD subtitles uuid;
        ALTER TABLE search_documents ALTER spoken SET STORAGE EXTERNAL, ALTER spoken SET STATISTICS 0;
        \(SearchFunctions.v3)

        -- Subtitles that a version names are among what it shows.
        CREATE OR REPLACE FUNCTION assets_in(body jsonb) RETURNS TABLE (pointer text, asset_id uuid) LANGUAGE sql IMMUTABLE AS $$
            SELECT '/body/slots/' || (s.place - 1) || '/assetId', (s.slot->>'assetId')::uuid
            FROM jsonb_array_elements(coalesce(body->'slots', '[]')) WITH ORDINALITY s (slot, place)
            WHERE s.slot->>'assetId' IS NOT NULL
            UNION ALL
            SELECT '/body/video/' || name, (body->'video'->>name)::uuid
            FROM unnest('{assetId,coverAssetId,subtitleAssetId}'::text[]) name
            WHERE body->'video'->>name IS NOT NULL
        $$;

        -- What says what a content's video says: the file that the version names; else what was burnt into the video; else what was heard in
        -- it, last; else the same of the video that it was made from.
        CREATE FUNCTION content_subtitles(tenant uuid, content uuid, content_version integer) RETURNS uuid LANGUAGE sql STABLE AS $$
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
                SELECT u.asset_id, 0 AS rank, NULL::uuid AS job, '' AS kind FROM asset_uses u
                WHERE u.tenant_id = tenant AND u.content_id = content AND u.version = content_version
                    AND u.pointer = '/body/video/subtitleAssetId'
                UNION ALL
                SELECT (j.payload->'params'->>'subtitleAssetId')::uuid, 2 * s.step + 1, j.id, '' FROM shown s
                JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
                JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND m.type = 'burn_subtitle'
                JOIN jobs j ON j.tenant_id = tenant AND j.id = m.id
                UNION ALL
                SELECT o.asset_id, 2 * s.step + 2, m.id, o.kind FROM shown s
                JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = s.asset_id AND m.type = 'subtitle'
                JOIN media_outputs o ON o.tenant_id = tenant AND o.job_id = m.id AND o.kind IN ('srt', 'vtt')
            )
            SELECT s.asset_id FROM said s
            JOIN content_assets a ON a.tenant_id = tenant AND a.id = s.asset_id AND a.state = 'ready'
            ORDER BY s.rank, s.job DESC, s.kind LIMIT 1
        $$;

        -- Lists the contents that show a video, or what was made from it.
        CREATE FUNCTION search_note_video(tenant uuid, video uuid) RETURNS void LANGUAGE sql AS $$
            WITH RECURSIVE made AS (
                SELECT video AS asset_id, 0 AS step
                UNION ALL
                SELECT o.asset_id, d.step + 1 FROM made d
                JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = d.asset_id AND \(keepsWords)
                JOIN media_outputs o ON o.tenant_id = tenant AND o.job_id = m.id
                WHERE d.step < 4
            )
            INSERT INTO search_changes (tenant_id, content_id)
            SELECT DISTINCT tenant, u.content_id FROM made d
            JOIN asset_uses u ON u.tenant_id = tenant AND u.asset_id = d.asset_id AND u.pointer = '/body/video/assetId'
            ORDER BY u.content_id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL
        $$;

        CREATE FUNCTION search_note_heard() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            output media_outputs;
        BEGIN
            IF TG_OP = 'DELETE' THEN output := OLD; ELSE output := NEW; END IF;
            PERFORM search_note_video(m.tenant_id, m.asset_id) FROM media_jobs m
            WHERE m.tenant_id = output.tenant_id AND m.id = output.job_id AND m.asset_id IS NOT NULL;
            RETURN NULL;
        END $$;
        CREATE TRIGGER media_outputs_heard AFTER INSERT ON media_outputs
            FOR EACH ROW WHEN (NEW.kind IN ('srt', 'vtt')) EXECUTE FUNCTION search_note_heard();
        CREATE TRIGGER media_outputs_unheard AFTER DELETE ON media_outputs
            FOR EACH ROW WHEN (OLD.kind IN ('srt', 'vtt')) EXECUTE FUNCTION search_note_heard();

        -- Other bytes under the same id.
        CREATE FUNCTION search_note_subtitles() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_changes (tenant_id, content_id)
            SELECT DISTINCT u.tenant_id, u.content_id FROM asset_uses u
            WHERE u.tenant_id = NEW.tenant_id AND u.asset_id = NEW.id AND u.pointer = '/body/video/subtitleAssetId'
            ORDER BY u.content_id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
            PERFORM search_note_video(m.tenant_id, m.asset_id)
            FROM media_outputs o JOIN media_jobs m ON m.tenant_id = o.tenant_id AND m.id = o.job_id
            WHERE o.tenant_id = NEW.tenant_id AND o.asset_id = NEW.id AND o.kind IN ('srt', 'vtt') AND m.asset_id IS NOT NULL;
            RETURN NULL;
        END $$;
        CREATE TRIGGER content_assets_subtitles AFTER UPDATE OF sha256 ON content_assets
            FOR EACH ROW WHEN (OLD.sha256 IS DISTINCT FROM NEW.sha256 AND NEW.media_type IN ('application/x-subrip', 'text/vtt'))
            EXECUTE FUNCTION search_note_subtitles();
        GRANT EXECUTE ON FUNCTION content_subtitles(uuid, uuid, integer), search_note_video(uuid, uuid), search_note_heard(),
            search_note_subtitles() TO \(DatabaseRoles.app);

        -- What is there already is taken in anew. (Row-level security holds for the owner too.)
        ALTER TABLE contents NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM contents WHERE kind = 'video' ORDER BY id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ALTER TABLE contents FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        """)

/// Jobs whose videos say what their source says.
private let keepsWords = "m.type IN ('transcode', 'burn_subtitle', 'watermark')"
