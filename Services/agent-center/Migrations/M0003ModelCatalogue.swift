import PostgresStore

/// What administrators add to the seeded catalogue. Providers, models, other names and prices are the platform's: no tenant owns them, every
/// tenant may see them. A tenant owns its keys and its routing policies.
enum M0003ModelCatalogue {
    static let migration = Migration(
        number: 3, name: "model catalogue",
        sql: #"""
            CREATE TABLE model_providers (
                name        text        PRIMARY KEY,
                dialect     text        NOT NULL CHECK (dialect IN ('openai', 'deepseek')),
                base_url    text        NOT NULL,
                enabled     boolean     NOT NULL,
                -- AES-256-GCM; the id of the key stands beside it.
                key_id      text,
                key_sealed  bytea,
                updated_at  timestamptz NOT NULL DEFAULT app_now(),
                CHECK ((key_id IS NULL) = (key_sealed IS NULL))
            );
            CREATE TABLE models (
                provider       text    NOT NULL,
                name           text    NOT NULL,
                capabilities   text[]  NOT NULL,
                context_tokens integer NOT NULL CHECK (context_tokens > 0),
                dimensions     integer CHECK (dimensions > 0),
                enabled        boolean NOT NULL,
                PRIMARY KEY (provider, name)
            );
            CREATE TABLE model_aliases (
                id          uuid        PRIMARY KEY,
                name        text        NOT NULL,
                provider    text        NOT NULL,
                model       text        NOT NULL,
                valid_from  timestamptz NOT NULL,
                valid_until timestamptz CHECK (valid_until > valid_from),
                UNIQUE (name, valid_from)
            );
            -- Only added to: a price that was charged stays as it was. Amounts in 1e-9 of the currency per token.
            CREATE TABLE model_prices (
                provider           text        NOT NULL,
                model              text        NOT NULL,
                valid_from         timestamptz NOT NULL,
                prompt_nano        bigint      NOT NULL CHECK (prompt_nano >= 0),
                cached_prompt_nano bigint      NOT NULL CHECK (cached_prompt_nano >= 0),
                completion_nano    bigint      NOT NULL CHECK (completion_nano >= 0),
                peak_prompt_nano   bigint,
                peak_cached_prompt_nano bigint,
                peak_completion_nano    bigint,
                source             text        NOT NULL,
                created_by         text        NOT NULL,
                created_at         timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (provider, model, valid_from),
                CHECK ((peak_prompt_nano IS NULL) = (peak_completion_nano IS NULL)
                   AND (peak_prompt_nano IS NULL) = (peak_cached_prompt_nano IS NULL))
            );
            -- Counts every change, so that each replica sees that there was one.
            CREATE TABLE catalogue_revision (
                only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                revision bigint  NOT NULL
            );
            INSERT INTO catalogue_revision (revision) VALUES (0);
            GRANT SELECT, INSERT, UPDATE, DELETE ON model_providers, models, model_aliases TO agent_app;
            GRANT SELECT, INSERT ON model_prices TO agent_app;
            GRANT SELECT, UPDATE ON catalogue_revision TO agent_app;
            GRANT SELECT ON model_providers, models, model_aliases, model_prices, catalogue_revision TO agent_system;

            CREATE TABLE tenant_provider_keys (
                tenant_id  uuid        NOT NULL,
                provider   text        NOT NULL,
                key_id     text        NOT NULL,
                key_sealed bytea       NOT NULL,
                updated_at timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, provider)
            );
            CREATE TABLE routing_policies (
                tenant_id  uuid        NOT NULL,
                -- '*' = every scene
                scene      text        NOT NULL,
                routes     jsonb       NOT NULL CHECK (jsonb_typeof(routes) = 'array'),
                updated_by text        NOT NULL,
                updated_at timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, scene)
            );

            """#
                + TenantTable.secure(
                    "tenant_provider_keys", app: "agent_app", system: "agent_system", systemPrivileges: "SELECT")
                + TenantTable.secure("routing_policies", app: "agent_app", system: "agent_system", systemPrivileges: "SELECT"))
}
