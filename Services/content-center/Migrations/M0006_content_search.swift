import PostgresStore

/// The search index over contents, and the list of what it has yet to take in.
let m0006ContentSearch = Migration(
    number: 6, name: "content_search",
    sql: """
        CREATE EXTENSION IF NOT EXISTS pg_trgm;

        -- Contents whose change the index has yet to take in: listed with the change itself, so nothing is ever missed. `change` tells
        -- whether another change came while one was being taken in.
        CREATE TABLE search_changes (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            change bigint GENERATED ALWAYS AS IDENTITY,
            leased_until timestamptz,
            PRIMARY KEY (tenant_id, content_id)
        );
        CREATE INDEX search_changes_in_order ON search_changes (change);
        \(TenantTable.secure("search_changes", app: DatabaseRoles.app, system: DatabaseRoles.system))

        CREATE FUNCTION search_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_changes (tenant_id, content_id) VALUES (NEW.tenant_id, NEW.id)
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
            RETURN NULL;
        END $$;
        CREATE TRIGGER contents_search AFTER INSERT OR UPDATE ON contents FOR EACH ROW EXECUTE FUNCTION search_note_change();

        -- What was there before. (Row-level security holds for the owner too, and shows it nothing.)
        ALTER TABLE contents NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM contents ORDER BY id;
        ALTER TABLE contents FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        -- A rebuild lists all contents of all tenants.
        CREATE POLICY contents_search ON contents FOR SELECT TO \(DatabaseRoles.system) USING (true);
        GRANT SELECT ON contents TO \(DatabaseRoles.system);

        CREATE TABLE search_segments (
            tenant_id uuid NOT NULL,
            segment integer NOT NULL CHECK (segment >= 1),
            opened_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, segment)
        );
        \(TenantTable.secure("search_segments", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        CREATE POLICY search_segments_owner ON search_segments FOR SELECT TO CURRENT_USER USING (true);

        -- One row per content that can be found. What is long stands apart, so that the rows that a query passes over are short.
        CREATE TABLE search_documents (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            segment integer NOT NULL,
            version integer NOT NULL,
            kind text NOT NULL,
            status text NOT NULL,
            completeness text NOT NULL,
            group_id uuid,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            -- Folded; for phrases.
            body text NOT NULL,
            -- Hashes of tokens, see SearchTokens.
            terms bigint[] NOT NULL,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        ) WITH (toast_tuple_target = 128);
        ALTER TABLE search_documents ALTER terms SET STORAGE EXTERNAL, ALTER terms SET STATISTICS 0, ALTER body SET STATISTICS 0;
        CREATE INDEX search_documents_segment ON search_documents (tenant_id, segment);
        -- Without a pending list: a query looks into the index a few dozen times, and would read the list each time.
        CREATE INDEX search_documents_terms ON search_documents USING gin (terms) WITH (fastupdate = off);
        \(TenantTable.secure("search_documents", app: DatabaseRoles.app))
        CREATE POLICY search_documents_owner ON search_documents FOR SELECT TO CURRENT_USER USING (true);

        -- The words of letters that a tenant has used.
        CREATE TABLE search_words (
            tenant_id uuid NOT NULL,
            word text NOT NULL,
            PRIMARY KEY (tenant_id, word)
        );
        CREATE INDEX search_words_similar ON search_words USING gin (word gin_trgm_ops);
        \(TenantTable.secure("search_words", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        CREATE POLICY search_words_owner ON search_words FOR SELECT TO CURRENT_USER USING (true);

        \(SearchFunctions.v1)
        REVOKE ALL ON FUNCTION search_contents, search_vocabulary, search_segment FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION search_contents, search_vocabulary, search_segment TO \(DatabaseRoles.app);
        """)
