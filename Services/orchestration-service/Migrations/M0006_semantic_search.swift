import PostgresStore

/// Tenants who search by meaning, and whose contents wait to be taken in.
let m0006SemanticSearch = Migration(
    number: 6, name: "semantic_search",
    sql: """
        CREATE TABLE semantic_tenants (
            tenant_id uuid NOT NULL PRIMARY KEY,
            -- Whose vectors the last search compared.
            model text NOT NULL,
            -- NULL where nothing waits.
            due_at timestamptz,
            leased_until timestamptz,
            changes bigint NOT NULL DEFAULT 0
        );
        CREATE INDEX semantic_tenants_due ON semantic_tenants (due_at) WHERE due_at IS NOT NULL;
        \(TenantTable.secure(
            "semantic_tenants", app: DatabaseRoles.app, system: DatabaseRoles.system, appPrivileges: "SELECT, INSERT, UPDATE",
            systemPrivileges: "SELECT, UPDATE"))
        """)
