import PostgresStore

/// Vectors that tenants have paid for, by what they were made of.
enum M0006Embeddings {
    static let migration = Migration(
        number: 6, name: "embeddings",
        sql: #"""
            CREATE TABLE ai_embeddings (
                tenant_id      uuid        NOT NULL,
                provider       text        NOT NULL,
                model          text        NOT NULL,
                -- As asked for, or the model's own; 0: the model's own, which nobody has said.
                dimensions     integer     NOT NULL CHECK (dimensions >= 0),
                content_sha256 bytea       NOT NULL CHECK (length(content_sha256) = 32),
                -- Little-endian float32.
                vector         bytea       NOT NULL CHECK (
                    length(vector) > 0 AND length(vector) % 4 = 0 AND (dimensions = 0 OR length(vector) = 4 * dimensions)),
                last_used_at   timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, provider, model, dimensions, content_sha256)
            );
            -- They do not get smaller by being compressed.
            ALTER TABLE ai_embeddings ALTER COLUMN vector SET STORAGE EXTERNAL;
            CREATE INDEX ai_embeddings_by_use ON ai_embeddings (last_used_at);

            """#
                + TenantTable.secure(
                    "ai_embeddings", app: "agent_app", system: "agent_system", systemPrivileges: "SELECT, DELETE"))
}
