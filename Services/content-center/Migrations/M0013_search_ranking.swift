import PostgresStore

/// How contents have done, what they mean, and their labels, by which they are found too.
let m0013SearchRanking = Migration(
    number: 13, name: "search_ranking",
    sql: """
        -- What a content has brought on one account, as last measured.
        CREATE TABLE content_performance (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            account_id uuid NOT NULL,
            platform text NOT NULL,
            version bigint NOT NULL,
            event_id uuid NOT NULL,
            plays bigint NOT NULL CHECK (plays >= 0),
            likes bigint NOT NULL CHECK (likes >= 0),
            comments bigint NOT NULL CHECK (comments >= 0),
            shares bigint NOT NULL CHECK (shares >= 0),
            measured_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, content_id, account_id, platform),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("content_performance", app: DatabaseRoles.app))

        -- All accounts together, see PerformanceScore.
        CREATE TABLE content_points (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            points smallint NOT NULL CHECK (points BETWEEN 0 AND 100),
            PRIMARY KEY (tenant_id, content_id),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("content_points", app: DatabaseRoles.app))

        -- What contents mean, see MeaningVector. One row per content: of its newest version, and of the model that was asked last.
        CREATE TABLE search_vectors (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            version integer NOT NULL,
            model text NOT NULL,
            signature bit varying NOT NULL,
            vector bytea NOT NULL CHECK (octet_length(vector) = 4 * length(signature)),
            PRIMARY KEY (tenant_id, content_id),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        -- Signatures are read in their thousands, vectors by the hundred.
        ALTER TABLE search_vectors ALTER vector SET STORAGE EXTERNAL;
        \(TenantTable.secure("search_vectors", app: DatabaseRoles.app))

        ALTER TABLE search_documents ADD performance smallint NOT NULL DEFAULT 0;
        \(SearchFunctions.v2)

        -- What is there already is taken in anew, for its labels. (Row-level security holds for the owner too.)
        ALTER TABLE contents NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM contents ORDER BY id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ALTER TABLE contents FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        """)
