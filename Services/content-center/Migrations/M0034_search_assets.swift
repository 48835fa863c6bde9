import PostgresStore

/// Assets are found by themselves: by their names, tags, folders and what is said in them, whether a content shows them or not.
///
/// Nothing here lies on the way of a content: assets have a list of changes, an index and segments of their own. Servers of before know of
/// none of it and take nothing from it while versions roll.
let m0034SearchAssets = Migration(
    number: 34, name: "search_assets",
    sql: """
        -- Assets whose change the index has yet to take in, as in search_changes.
        CREATE TABLE search_asset_changes (
            tenant_id uuid NOT NULL,
            asset_id uuid NOT NULL,
            change bigint GENERATED ALWAYS AS IDENTITY,
            leased_until timestamptz,
            PRIMARY KEY (tenant_id, asset_id)
        );
        CREATE INDEX search_asset_changes_in_order ON search_asset_changes (change);
        \(TenantTable.secure("search_asset_changes", app: DatabaseRoles.app, system: DatabaseRoles.system))

        CREATE TABLE search_asset_segments (
            tenant_id uuid NOT NULL,
            segment integer NOT NULL CHECK (segment >= 1),
            opened_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, segment)
        );
        \(TenantTable.secure("search_asset_segments", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, DELETE"))
        CREATE POLICY search_asset_segments_owner ON search_asset_segments FOR SELECT TO CURRENT_USER USING (true);

        -- One row per asset that can be found. It hangs from no asset, since the indexer takes from it which words go with an asset that went.
        CREATE TABLE search_asset_documents (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            segment integer NOT NULL,
            -- The one that it was written for, so that none that was read earlier replaces it.
            change bigint NOT NULL,
            kind text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            body text NOT NULL,
            terms bigint[] NOT NULL,
            spoken bigint[] NOT NULL,
            -- The file that says what is said in it.
            subtitles uuid,
            PRIMARY KEY (tenant_id, id)
        ) WITH (toast_tuple_target = 128);
        ALTER TABLE search_asset_documents
            ALTER terms SET STORAGE EXTERNAL, ALTER terms SET STATISTICS 0, ALTER body SET STATISTICS 0,
            ALTER spoken SET STORAGE EXTERNAL, ALTER spoken SET STATISTICS 0;
        CREATE INDEX search_asset_documents_segment ON search_asset_documents (tenant_id, segment);
        CREATE INDEX search_asset_documents_terms ON search_asset_documents USING gin (terms)
            WITH (fastupdate = on, gin_pending_list_limit = 1024);
        \(TenantTable.secure("search_asset_documents", app: DatabaseRoles.app))
        CREATE POLICY search_asset_documents_owner ON search_asset_documents FOR SELECT TO CURRENT_USER USING (true);

        \(SearchFunctions.assets)
        \(segmentsAndWords)
        \(triggers)

        -- A rebuild lists all assets of all tenants.
        CREATE POLICY content_assets_search ON content_assets FOR SELECT TO \(DatabaseRoles.system) USING (state = 'ready');
        -- What is there already. (Row-level security holds for the owner too.)
        ALTER TABLE content_assets NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_asset_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_asset_changes (tenant_id, asset_id) SELECT tenant_id, id FROM content_assets
            WHERE state = 'ready' AND (filename IS NOT NULL OR tags <> '{}' OR folder_id IS NOT NULL) ORDER BY id;
        ALTER TABLE content_assets FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_asset_changes FORCE ROW LEVEL SECURITY;

        -- Whether a tenant limits any asset to some roles: where none is limited, a search need not look at each that it found.
        CREATE INDEX materials_with_audience ON materials (tenant_id) WHERE audience <> '{}';
        """)

private let segmentsAndWords = """
    CREATE FUNCTION search_flush_assets() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
        AS $$ SELECT gin_clean_pending_list('search_asset_documents_terms'::regclass) $$;

    -- As search_segment(documents).
    CREATE FUNCTION search_asset_segment(documents integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        tenant uuid := app_tenant();
        size integer := search_segment_size();
        current integer := coalesce((SELECT max(segment) FROM search_asset_segments WHERE tenant_id = tenant), 0);
    BEGIN
        IF random() * size < 128 * documents AND (SELECT count(*) FROM (
            SELECT FROM search_asset_documents WHERE tenant_id = tenant AND segment = current LIMIT size) AS filled) >= size
        THEN
            current := current + 1;
            INSERT INTO search_asset_segments (tenant_id, segment) VALUES (tenant, current) ON CONFLICT DO NOTHING;
        END IF;
        RETURN current;
    END $$;

    -- As before, and a word that an asset has stays.
    CREATE OR REPLACE FUNCTION search_forget(words text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
    DECLARE
        tenant uuid := app_tenant();
        last_segment integer := coalesce((SELECT max(s.segment) FROM search_segments s WHERE s.tenant_id = tenant), 0);
        last_of_assets integer := coalesce((SELECT max(s.segment) FROM search_asset_segments s WHERE s.tenant_id = tenant), 0);
    BEGIN
        IF (SELECT d.id FROM search_documents d WHERE d.tenant_id = tenant AND d.reading < 1 ORDER BY d.reading LIMIT 1)
            IS NOT NULL
        THEN
            UPDATE search_words w SET reading = 0 WHERE w.tenant_id = tenant AND w.word = ANY (words) AND w.reading > 0;
            RETURN;
        END IF;
        DELETE FROM search_words w
        WHERE w.tenant_id = tenant AND w.word = ANY (words) AND NOT EXISTS (
            SELECT FROM generate_series(last_segment, 0, -1) AS s (segment)
            CROSS JOIN LATERAL (
                SELECT FROM search_documents d
                WHERE d.terms @> ARRAY[hashtextextended(w.word, search_seed(tenant, s.segment))]
                  AND (d.tenant_id = tenant) IS TRUE
                LIMIT 1
            ) AS hit)
          AND NOT EXISTS (
            SELECT FROM generate_series(last_of_assets, 0, -1) AS s (segment)
            CROSS JOIN LATERAL (
                SELECT FROM search_asset_documents d
                WHERE d.terms @> ARRAY[hashtextextended(w.word, search_seed(tenant, s.segment))]
                  AND (d.tenant_id = tenant) IS TRUE
                LIMIT 1
            ) AS hit);
        UPDATE search_words w SET reading = 1 WHERE w.tenant_id = tenant AND w.word = ANY (words) AND w.reading < 1;
    END $$;
    REVOKE ALL ON FUNCTION search_flush_assets, search_asset_segment(integer) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION search_flush_assets, search_asset_segment(integer) TO \(DatabaseRoles.app);
    """

private let triggers = """
    -- A statement at a time and in one order, so that two that change the same assets do not wait for each other. Pictures of flows have no
    -- name, and nothing to be found by before somebody files them.
    CREATE FUNCTION search_note_assets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO search_asset_changes (tenant_id, asset_id)
            SELECT tenant_id, id FROM assets_after WHERE state = 'ready' AND filename IS NOT NULL ORDER BY id
            ON CONFLICT (tenant_id, asset_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ELSIF TG_OP = 'UPDATE' THEN
            INSERT INTO search_asset_changes (tenant_id, asset_id)
            SELECT a.tenant_id, a.id FROM assets_after a JOIN assets_before b ON b.tenant_id = a.tenant_id AND b.id = a.id
            WHERE a.state = 'ready' AND (b.state, b.filename, b.tags, b.folder_id, b.sha256)
                IS DISTINCT FROM (a.state, a.filename, a.tags, a.folder_id, a.sha256) ORDER BY a.id
            ON CONFLICT (tenant_id, asset_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ELSE
            INSERT INTO search_asset_changes (tenant_id, asset_id)
            SELECT tenant_id, id FROM assets_before WHERE state = 'ready' ORDER BY id
            ON CONFLICT (tenant_id, asset_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER content_assets_found_new AFTER INSERT ON content_assets REFERENCING NEW TABLE AS assets_after
        FOR EACH STATEMENT EXECUTE FUNCTION search_note_assets();
    CREATE TRIGGER content_assets_found_change AFTER UPDATE ON content_assets
        REFERENCING OLD TABLE AS assets_before NEW TABLE AS assets_after
        FOR EACH STATEMENT EXECUTE FUNCTION search_note_assets();
    CREATE TRIGGER content_assets_found_gone AFTER DELETE ON content_assets REFERENCING OLD TABLE AS assets_before
        FOR EACH STATEMENT EXECUTE FUNCTION search_note_assets();

    -- Assets are found by the folder that they lie in and those above it.
    CREATE FUNCTION search_note_folder() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WITH RECURSIVE below AS (
            SELECT NEW.id AS id, 1 AS level
            UNION ALL
            SELECT f.id, b.level + 1 FROM asset_folders f JOIN below b ON f.parent_id = b.id
            WHERE f.tenant_id = NEW.tenant_id AND b.level <= 8
        )
        INSERT INTO search_asset_changes (tenant_id, asset_id)
        SELECT a.tenant_id, a.id FROM below b JOIN content_assets a ON a.tenant_id = NEW.tenant_id AND a.folder_id = b.id
        WHERE a.state = 'ready' ORDER BY a.id
        ON CONFLICT (tenant_id, asset_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        RETURN NULL;
    END $$;
    CREATE TRIGGER asset_folders_found AFTER UPDATE OF name, parent_id ON asset_folders FOR EACH ROW
        WHEN ((OLD.name, OLD.parent_id) IS DISTINCT FROM (NEW.name, NEW.parent_id)) EXECUTE FUNCTION search_note_folder();

    -- What says what is said in a video or a sound: what was burnt into it; else what was heard in it last; else the same of what it was made
    -- from.
    CREATE FUNCTION asset_subtitles(tenant uuid, asset uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
        WITH RECURSIVE shown AS (
            SELECT asset AS asset_id, 0 AS step
            UNION ALL
            SELECT m.asset_id, s.step + 1 FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND \(keepsWords)
            WHERE s.step < 4 AND m.asset_id IS NOT NULL
        ), said AS (
            SELECT (j.payload->'params'->>'subtitleAssetId')::uuid AS asset_id, 2 * s.step AS rank, j.id AS job, '' AS kind FROM shown s
            JOIN media_outputs o ON o.tenant_id = tenant AND o.asset_id = s.asset_id
            JOIN media_jobs m ON m.tenant_id = tenant AND m.id = o.job_id AND m.type = 'burn_subtitle'
            JOIN jobs j ON j.tenant_id = tenant AND j.id = m.id
            UNION ALL
            SELECT o.asset_id, 2 * s.step + 1, m.id, o.kind FROM shown s
            JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = s.asset_id AND m.type = 'subtitle'
            JOIN media_outputs o ON o.tenant_id = tenant AND o.job_id = m.id AND o.kind IN ('srt', 'vtt')
        )
        SELECT s.asset_id FROM said s
        JOIN content_assets a ON a.tenant_id = tenant AND a.id = s.asset_id AND a.state = 'ready'
        ORDER BY s.rank, s.job DESC, s.kind LIMIT 1
    $$;

    -- As before, and lists the video itself and what was made from it.
    CREATE OR REPLACE FUNCTION search_note_video(tenant uuid, video uuid) RETURNS void LANGUAGE sql AS $$
        WITH RECURSIVE made AS (
            SELECT video AS asset_id, 0 AS step
            UNION ALL
            SELECT o.asset_id, d.step + 1 FROM made d
            JOIN media_jobs m ON m.tenant_id = tenant AND m.asset_id = d.asset_id AND \(keepsWords)
            JOIN media_outputs o ON o.tenant_id = tenant AND o.job_id = m.id
            WHERE d.step < 4
        ), assets AS (
            INSERT INTO search_asset_changes (tenant_id, asset_id)
            SELECT DISTINCT tenant, a.id FROM made d
            JOIN content_assets a ON a.tenant_id = tenant AND a.id = d.asset_id AND a.state = 'ready' ORDER BY a.id
            ON CONFLICT (tenant_id, asset_id) DO UPDATE SET change = DEFAULT, leased_until = NULL
        )
        INSERT INTO search_changes (tenant_id, content_id)
        SELECT DISTINCT tenant, u.content_id FROM made d
        JOIN asset_uses u ON u.tenant_id = tenant AND u.asset_id = d.asset_id AND u.pointer = '/body/video/assetId'
        ORDER BY u.content_id
        ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL
    $$;
    GRANT EXECUTE ON FUNCTION search_note_assets, search_note_folder, asset_subtitles TO \(DatabaseRoles.app);
    """

/// Jobs whose videos say what their source says, as in M0017.
private let keepsWords = "m.type IN ('transcode', 'burn_subtitle', 'watermark')"
