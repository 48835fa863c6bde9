import PostgresStore

/// Budgets, reservations, and the ledger by month.
enum M0002Budgets {
    static let migration = Migration(
        number: 2, name: "budgets and monthly ledger", sql: tables + ledger + security + BudgetFunctions.v1 + BudgetAdmission.v1)

    private static let tables = #"""
        -- What a tenant may spend; one budget per scope, subject and period.
        CREATE TABLE ai_budgets (
            tenant_id   uuid        NOT NULL,
            id          uuid        NOT NULL,
            name        text        NOT NULL,
            scope       text        NOT NULL CHECK (scope IN ('tenant', 'user', 'scene', 'api_key')),
            -- A user, a scene or an API key; NULL: each of them has the whole limit for itself.
            subject     text,
            period      text        NOT NULL CHECK (period IN ('day', 'month')),
            -- IANA; a period begins at midnight there.
            zone        text        NOT NULL,
            -- In 1e-9 of the currency.
            limit_nano  bigint      CHECK (limit_nano >= 0),
            limit_calls bigint      CHECK (limit_calls >= 0),
            currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            -- A soft budget is counted and shown, and refuses nothing.
            is_hard     boolean     NOT NULL,
            version     bigint      NOT NULL DEFAULT 1,
            created_at  timestamptz NOT NULL DEFAULT app_now(),
            updated_at  timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id),
            CHECK (limit_nano IS NOT NULL OR limit_calls IS NOT NULL),
            CHECK (scope <> 'tenant' OR subject IS NULL)
        );
        CREATE UNIQUE INDEX ai_budgets_key ON ai_budgets (tenant_id, scope, coalesce(subject, ''), period);

        -- How a budget stands in one period. Room is left in each page, so that a change stays in it.
        CREATE TABLE ai_budget_counters (
            tenant_id      uuid        NOT NULL,
            budget_id      uuid        NOT NULL,
            -- Whom it counts: '' for the tenant.
            subject        text        NOT NULL,
            period_start   timestamptz NOT NULL,
            reserved_nano  bigint      NOT NULL DEFAULT 0 CHECK (reserved_nano >= 0),
            settled_nano   bigint      NOT NULL DEFAULT 0 CHECK (settled_nano >= 0),
            reserved_calls bigint      NOT NULL DEFAULT 0 CHECK (reserved_calls >= 0),
            settled_calls  bigint      NOT NULL DEFAULT 0 CHECK (settled_calls >= 0),
            PRIMARY KEY (tenant_id, budget_id, subject, period_start),
            FOREIGN KEY (tenant_id, budget_id) REFERENCES ai_budgets ON DELETE CASCADE
        ) WITH (fillfactor = 50);

        -- Work under way, with the worst case it may cost. A row lives as long as its work.
        CREATE TABLE ai_reservations (
            tenant_id    uuid        NOT NULL,
            operation_id uuid        NOT NULL,
            step         text        NOT NULL,
            -- Who settles it; a repeat under another ticket does not.
            ticket_id    uuid        NOT NULL,
            desk_id      uuid        NOT NULL,
            lease_until  timestamptz NOT NULL,
            amount_nano  bigint      NOT NULL CHECK (amount_nano >= 0),
            currency     text        NOT NULL,
            flow         text        NOT NULL,
            task         text        NOT NULL,
            scene        text        NOT NULL,
            subject      text        NOT NULL,
            model        text        NOT NULL,
            api_key_id   uuid,
            -- The budgets whose counters hold the amount.
            budget_ids   uuid[]      NOT NULL,
            created_at   timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, operation_id, step)
        );
        CREATE INDEX ai_reservations_due ON ai_reservations (lease_until);

        -- The processes that hold reservations. One that is not heard of any more is dead, and its work may be taken over.
        CREATE TABLE ai_desks (
            desk_id     uuid        PRIMARY KEY,
            alive_until timestamptz NOT NULL
        );

        CREATE TABLE ai_tenant_settings (
            tenant_id      uuid        PRIMARY KEY,
            -- How long redacted prompts and completions are kept; 0: not at all.
            retention_days integer     NOT NULL CHECK (retention_days BETWEEN 0 AND 3650),
            version        bigint      NOT NULL DEFAULT 1,
            updated_at     timestamptz NOT NULL DEFAULT app_now()
        );

        """#

    private static let ledger = #"""
        ALTER TABLE ai_usage_ledger RENAME TO ai_usage_ledger_v1;
        ALTER TABLE ai_usage_ledger_v1 RENAME CONSTRAINT ai_usage_ledger_pkey TO ai_usage_ledger_v1_pkey;
        ALTER TABLE ai_usage_ledger_v1 NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE ai_completions RENAME TO ai_completions_v1;
        ALTER TABLE ai_completions_v1 RENAME CONSTRAINT ai_completions_pkey TO ai_completions_v1_pkey;
        ALTER TABLE ai_completions_v1 NO FORCE ROW LEVEL SECURITY;

        -- What an operation used and cost; one row per operation and step, kept apart by ai_completions.
        CREATE TABLE ai_usage_ledger (
            tenant_id            uuid        NOT NULL,
            operation_id         uuid        NOT NULL,
            step                 text        NOT NULL,
            flow                 text        NOT NULL,
            task                 text        NOT NULL,
            scene                text        NOT NULL,
            subject              text        NOT NULL,
            api_key_id           uuid,
            -- `template`: no model; `unknown`: the process died while a model may have been at work.
            provider             text        NOT NULL,
            model_name           text        NOT NULL,
            prompt_tokens        bigint      NOT NULL CHECK (prompt_tokens >= 0),
            cached_prompt_tokens bigint      NOT NULL CHECK (cached_prompt_tokens BETWEEN 0 AND prompt_tokens),
            completion_tokens    bigint      NOT NULL CHECK (completion_tokens >= 0),
            -- What the tenant is charged, in 1e-9 of the currency; templates are never billed.
            cost_nano            bigint      NOT NULL CHECK (cost_nano >= 0),
            -- How many calls of a budget it took; none for templates.
            calls                bigint      NOT NULL CHECK (calls >= 0),
            -- What vendors charge for all attempts.
            spent_nano           bigint      NOT NULL CHECK (spent_nano >= cost_nano),
            currency             text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            price_version        text,
            is_estimated         boolean     NOT NULL,
            latency_ms           bigint      NOT NULL CHECK (latency_ms >= 0),
            attempts             jsonb       NOT NULL CHECK (jsonb_typeof(attempts) = 'array'),
            checks               jsonb,
            experiment_id        uuid,
            experiment_arm       text,
            prompt_version       text        NOT NULL,
            prompt_sha256        bytea       NOT NULL CHECK (length(prompt_sha256) = 32),
            completion_sha256    bytea       NOT NULL CHECK (length(completion_sha256) = 32),
            degraded             boolean     NOT NULL,
            degraded_reason      text,
            -- When the work began: the instant whose day and month it counts to.
            created_at           timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, created_at, operation_id, step),
            CHECK (degraded OR degraded_reason IS NULL),
            CHECK (provider <> 'template' OR (degraded AND cost_nano = 0)),
            CHECK (provider <> 'unknown' OR cost_nano = 0)
        ) PARTITION BY RANGE (created_at);
        -- What no month has a table for; `ai_ledger_partitions` moves it where it belongs.
        CREATE TABLE ai_usage_ledger_default PARTITION OF ai_usage_ledger DEFAULT;

        -- The ledger's dedupe key, with all text of an operation: the answer for a repeat (as it was given) and the redacted prompt and
        -- completion. Text can be erased; key and ledger row stay.
        CREATE TABLE ai_completions (
            tenant_id    uuid        NOT NULL,
            operation_id uuid        NOT NULL,
            step         text        NOT NULL,
            ticket_id    uuid        NOT NULL,
            -- Of the ledger row.
            created_at   timestamptz NOT NULL,
            answer       json,
            prompt       text,
            completion   text,
            erased_at    timestamptz,
            PRIMARY KEY (tenant_id, operation_id, step)
        ) PARTITION BY HASH (operation_id);
        DO $$
        BEGIN
            FOR part IN 0..7 LOOP
                EXECUTE format(
                    'CREATE TABLE ai_completions_%s PARTITION OF ai_completions FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
            END LOOP;
        END $$;

        -- Makes the tables of the months from `p_from` to `p_ahead` months after now. As the owner: a server may not make tables.
        CREATE FUNCTION ai_ledger_partitions(p_from timestamptz, p_ahead integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            v_month timestamp;
            v_name text;
            v_made integer := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('ai_ledger_partitions'));
            FOR v_month IN SELECT generate_series(
                date_trunc('month', p_from AT TIME ZONE 'UTC'),
                date_trunc('month', app_now() AT TIME ZONE 'UTC') + make_interval(months => p_ahead), interval '1 month')
            LOOP
                v_name := 'ai_usage_ledger_' || to_char(v_month, 'YYYY_MM');
                CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
                EXECUTE format('CREATE TABLE %I (LIKE ai_usage_ledger INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM ai_usage_ledger_default WHERE created_at >= %L AND created_at < %L RETURNING *)
                     INSERT INTO %I SELECT * FROM moved',
                    v_month AT TIME ZONE 'UTC', (v_month + interval '1 month') AT TIME ZONE 'UTC', v_name);
                EXECUTE format(
                    'ALTER TABLE ai_usage_ledger ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name,
                    v_month AT TIME ZONE 'UTC', (v_month + interval '1 month') AT TIME ZONE 'UTC');
                v_made := v_made + 1;
            END LOOP;
            RETURN v_made;
        END $$;
        REVOKE ALL ON FUNCTION ai_ledger_partitions(timestamptz, integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION ai_ledger_partitions(timestamptz, integer) TO agent_system;
        SELECT ai_ledger_partitions(coalesce((SELECT min(created_at) FROM ai_usage_ledger_v1), app_now()), 3);

        INSERT INTO ai_usage_ledger (
            tenant_id, operation_id, step, flow, task, scene, subject, provider, model_name, prompt_tokens, cached_prompt_tokens,
            completion_tokens, cost_nano, calls, spent_nano, currency, price_version, is_estimated, latency_ms, attempts,
            prompt_version, prompt_sha256, completion_sha256, degraded, degraded_reason, created_at)
        SELECT tenant_id, operation_id, step, flow, 'title', '', subject, provider, model_name, prompt_tokens, cached_prompt_tokens,
               completion_tokens, cost_nano, CASE provider WHEN 'template' THEN 0 ELSE 1 END, spent_nano, currency, price_version,
               is_estimated, latency_ms, attempts, prompt_version, prompt_sha256, completion_sha256, degraded, degraded_reason,
               created_at
        FROM ai_usage_ledger_v1;
        INSERT INTO ai_completions (tenant_id, operation_id, step, ticket_id, created_at, answer)
        SELECT l.tenant_id, l.operation_id, l.step, l.operation_id, l.created_at, c.answer
        FROM ai_usage_ledger_v1 l LEFT JOIN ai_completions_v1 c USING (tenant_id, operation_id, step);
        DROP TABLE ai_usage_ledger_v1, ai_completions_v1;

        """#

    private static let security =
        TenantTable.secure("ai_usage_ledger", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
        + TenantTable.secure("ai_completions", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
        + TenantTable.secure("ai_budgets", app: "agent_app")
        + TenantTable.secure("ai_budget_counters", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
        + TenantTable.secure(
            "ai_reservations", app: "agent_app", system: "agent_system", systemPrivileges: "SELECT")
        + TenantTable.secure(
            "ai_tenant_settings", app: "agent_app", system: "agent_system", appPrivileges: "SELECT, INSERT, UPDATE",
            systemPrivileges: "SELECT")
        + "GRANT SELECT, INSERT, UPDATE, DELETE ON ai_desks TO agent_app; GRANT SELECT, DELETE ON ai_desks TO agent_system;\n"
}
