import PostgresStore

extension Migration {
    /// API keys are stored as hashes only. The `system` role finds a key by its hash before a tenant is known (design §9).
    static let m0002APIKeys = Migration(
        number: 2, name: "api_keys",
        sql: #"""
            CREATE TABLE api_keys (
                tenant_id uuid NOT NULL,
                id uuid NOT NULL,
                name text NOT NULL,
                -- SHA-256 of the whole key; 256 random bits need no slow hash.
                key_sha256 bytea NOT NULL CHECK (length(key_sha256) = 32),
                prefix text NOT NULL,
                scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
                created_by text NOT NULL,
                created_at timestamptz NOT NULL DEFAULT app_now(),
                expires_at timestamptz,
                revoked_at timestamptz,
                last_used_at timestamptz,
                -- The repeat of a request that got lost replaces the secret that nobody has seen.
                operation_id uuid,
                PRIMARY KEY (tenant_id, id),
                UNIQUE (tenant_id, operation_id)
            );
            CREATE INDEX api_keys_by_hash ON api_keys USING hash (key_sha256);

            """#
                + TenantTable.secure(
                    "api_keys", app: "gateway_app", system: "gateway_system", appPrivileges: "SELECT, INSERT, UPDATE",
                    systemPrivileges: "SELECT"))
}
