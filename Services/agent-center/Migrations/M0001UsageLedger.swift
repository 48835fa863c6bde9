import PostgresStore

/// The history of database `agent`.
enum AgentCenterMigrations {
    static let all = [
        M0001UsageLedger.migration, M0002Budgets.migration, M0003ModelCatalogue.migration, M0004Spending.migration,
        M0005LedgerKeeper.migration, M0006Embeddings.migration, M0007Prompts.migration,
        M0008SpendingCost.migration, M0009GuardMeasure.migration, M0010ModelWire.migration,
        M0011ErasedTenants.migration, M0012BannedWords.migration,
        M0013CountedCalls.migration,
    ]
}

enum M0001UsageLedger {
    static let migration = Migration(
        number: 1, name: "usage ledger",
        sql: PlatformSchema.v1(app: "agent_app", system: "agent_system") + #"""
            -- What an operation used and cost; one row per operation and step.
            CREATE TABLE ai_usage_ledger (
                tenant_id            uuid        NOT NULL,
                operation_id         uuid        NOT NULL,
                step                 text        NOT NULL,
                flow                 text        NOT NULL,
                subject              text        NOT NULL,
                provider             text        NOT NULL,
                model_name           text        NOT NULL,
                prompt_tokens        bigint      NOT NULL CHECK (prompt_tokens >= 0),
                cached_prompt_tokens bigint      NOT NULL CHECK (cached_prompt_tokens BETWEEN 0 AND prompt_tokens),
                completion_tokens    bigint      NOT NULL CHECK (completion_tokens >= 0),
                -- What the tenant is charged, in 1e-9 of the currency; templates are never billed.
                cost_nano            bigint      NOT NULL CHECK (cost_nano >= 0),
                -- What vendors charge for all attempts.
                spent_nano           bigint      NOT NULL CHECK (spent_nano >= cost_nano),
                currency             text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
                price_version        text,
                is_estimated         boolean     NOT NULL,
                latency_ms           bigint      NOT NULL CHECK (latency_ms >= 0),
                attempts             jsonb       NOT NULL CHECK (jsonb_typeof(attempts) = 'array'),
                prompt_version       text        NOT NULL,
                prompt_sha256        bytea       NOT NULL CHECK (length(prompt_sha256) = 32),
                completion_sha256    bytea       NOT NULL CHECK (length(completion_sha256) = 32),
                degraded             boolean     NOT NULL,
                degraded_reason      text,
                created_at           timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, operation_id, step),
                CHECK (degraded OR degraded_reason IS NULL),
                CHECK (provider <> 'template' OR (degraded AND cost_nano = 0))
            );
            CREATE INDEX ai_usage_ledger_by_time ON ai_usage_ledger (tenant_id, created_at);

            -- The answer of an operation, for the repeat that finds it. `json` keeps the text as it was given.
            CREATE TABLE ai_completions (
                tenant_id    uuid        NOT NULL,
                operation_id uuid        NOT NULL,
                step         text        NOT NULL,
                answer       json        NOT NULL,
                created_at   timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, operation_id, step)
            );

            """#
            + TenantTable.secure("ai_usage_ledger", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            + TenantTable.secure("ai_completions", app: "agent_app", appPrivileges: "SELECT, INSERT"))
}
