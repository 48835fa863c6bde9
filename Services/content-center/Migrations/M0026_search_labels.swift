import PostgresStore

/// A search takes the filters of the list: also by space, topic and tag.
let m0026SearchLabels = Migration(
    number: 26, name: "search_labels",
    sql: """
        \(SearchFunctions.v5)

        -- What has labels is taken in anew, for them. (Row-level security holds for the owner too.)
        ALTER TABLE contents NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes NO FORCE ROW LEVEL SECURITY;
        INSERT INTO search_changes (tenant_id, content_id) SELECT tenant_id, id FROM contents
            WHERE space_id IS NOT NULL OR topic IS NOT NULL OR tags <> '{}' ORDER BY id
            ON CONFLICT (tenant_id, content_id) DO UPDATE SET change = DEFAULT, leased_until = NULL;
        ALTER TABLE contents FORCE ROW LEVEL SECURITY;
        ALTER TABLE search_changes FORCE ROW LEVEL SECURITY;
        """)
