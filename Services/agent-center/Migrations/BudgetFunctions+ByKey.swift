extension BudgetFunctions {
    /// Settling and writing down, at the cost of its own rows.
    static let v2 = settleByKey() + finishByKey()
    /// What comes of an erased tenant's call is booked, and no word of it kept.
    static let v3 = finishByKey(.booked)
    /// As many calls are given back as were held, and as many counted as were answered.
    static let v4 = settleByKey(.counted) + finishByKey(.booked, .counted)

    private static func settleByKey(_ calls: CountedCalls = CountedCalls()) -> String {
        #"""
        CREATE OR REPLACE FUNCTION ai_lock_tenant() RETURNS void LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock(hashtextextended(app_tenant()::text, 20002)); END $$;

        -- As before. Each row is looked up by its key, so that it costs the same however many there are: a kept plan for a join with them
        -- would read all of the tenant's, as long as the table was small when it was made.
        CREATE OR REPLACE FUNCTION ai_settle(
            p_operations uuid[], p_steps text[], p_tickets uuid[], p_costs bigint[], p_calls bigint[]
        ) RETURNS TABLE (n bigint, began_at timestamptz) LANGUAGE plpgsql
        SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
        #variable_conflict use_column
        DECLARE
            v_tenant uuid := app_tenant();
            v_held ai_reservations;
            -- What was held, and its places.
            v_gone ai_reservations[] := '{}';
            v_places integer[] := '{}';
            v_change record;
        BEGIN
            FOR at IN 1..cardinality(p_operations) LOOP
                DELETE FROM ai_reservations r
                WHERE r.tenant_id = v_tenant AND r.operation_id = p_operations[at] AND r.step = p_steps[at]
                    AND r.ticket_id = p_tickets[at]
                RETURNING r.* INTO v_held;
                CONTINUE WHEN NOT FOUND;
                v_gone := v_gone || v_held;
                v_places := v_places || at;
                n := at;
                began_at := v_held.created_at;
                RETURN NEXT;
            END LOOP;

            FOR v_change IN
                -- A budget made while the work was under way holds nothing of it, yet counts what it came to.
                SELECT b.id, ai_budget_subject(b.scope, b.subject, g.subject, g.scene, g.api_key_id) AS subject,
                       ai_period_start(b.period, b.zone, g.created_at) AS period_start,
                       sum(CASE WHEN b.id = ANY (g.budget_ids) THEN g.amount_nano ELSE 0 END) AS freed,
                       \#(calls.freed) AS freed_calls,
                       sum(p_costs[v_places[g.ordinality::integer]]) AS cost, sum(p_calls[v_places[g.ordinality::integer]]) AS calls
                FROM unnest(v_gone) WITH ORDINALITY AS g JOIN ai_budgets b
                    ON b.tenant_id = v_tenant AND ai_budget_subject(b.scope, b.subject, g.subject, g.scene, g.api_key_id) IS NOT NULL
                GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            LOOP
                UPDATE ai_budget_counters c
                SET reserved_nano = c.reserved_nano - v_change.freed, reserved_calls = c.reserved_calls - v_change.freed_calls,
                    settled_nano = c.settled_nano + v_change.cost, settled_calls = c.settled_calls + v_change.calls
                WHERE c.tenant_id = v_tenant AND c.budget_id = v_change.id AND c.subject = v_change.subject
                    AND c.period_start = v_change.period_start;
            END LOOP;
        END $$;

        """#
    }

    private static func finishByKey(
        _ erased: ErasedTenantSteps = ErasedTenantSteps(), _ calls: CountedCalls = CountedCalls()
    ) -> String {
        #"""
        -- As before. It writes what is new first, and looks only for what was there already.
        CREATE OR REPLACE FUNCTION ai_finish(
            p_operations uuid[], p_steps text[], p_tickets uuid[], p_flows text[], p_tasks text[], p_scenes text[], p_subjects text[],
            p_api_keys uuid[], p_providers text[], p_models text[], p_prompt_tokens bigint[], p_cached_tokens bigint[],
            p_completion_tokens bigint[], p_costs bigint[], p_spent bigint[], p_currency text, p_prices text[], p_estimated boolean[],
            p_latencies bigint[], p_attempts text[], p_checks text[], p_experiments uuid[], p_arms text[], p_prompt_versions text[],
            p_prompt_hashes bytea[], p_completion_hashes bytea[], p_degraded boolean[], p_reasons text[], p_answers text[],
            p_prompts text[], p_completions text[]\#(calls.parameter)
        ) RETURNS TABLE (n bigint, holding text) LANGUAGE plpgsql
        SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
        #variable_conflict use_column
        DECLARE
            v_tenant uuid := app_tenant();
            v_now timestamptz;
            v_size integer := cardinality(p_operations);
            v_began timestamptz[] := array_fill(NULL::timestamptz, ARRAY[v_size]);
            v_calls bigint[] := \#(calls.answered);
            -- The places of those whose row is new.
            v_new integer[] := '{}';
            v_added uuid[];
            v_added_steps text[];
            v_is_charged boolean;
            v_row record;\#(erased.declaration)
        BEGIN\#(erased.look)
            -- As `ai_lock_tenant`, where there is a budget.
            PERFORM pg_advisory_xact_lock(hashtextextended(v_tenant::text, 20002)) FROM ai_budgets
            WHERE tenant_id = v_tenant LIMIT 1;
            v_now := app_now();\#(calls.templates)
            FOR v_row IN
                SELECT s.n, s.began_at FROM ai_settle(p_operations, p_steps, p_tickets, p_costs, v_calls) s
            LOOP
                v_began[v_row.n] := v_row.began_at;
            END LOOP;

            WITH added AS (
                INSERT INTO ai_completions (tenant_id, operation_id, step, ticket_id, created_at, answer, prompt, completion\#(erased.column))
                SELECT v_tenant, p_operations[i.n], p_steps[i.n], p_tickets[i.n], coalesce(v_began[i.n], v_now), p_answers[i.n]::json,
                       p_prompts[i.n], p_completions[i.n]\#(erased.value)
                FROM generate_series(1, v_size) AS i(n)
                ON CONFLICT DO NOTHING
                RETURNING operation_id, step
            )
            SELECT array_agg(operation_id), array_agg(step) INTO v_added, v_added_steps FROM added;
            IF cardinality(v_added) = v_size THEN
                FOR i IN 1..v_size LOOP v_new := v_new || i; END LOOP;
            ELSE
                -- Of two copies the first.
                v_new := ARRAY(
                    SELECT f.n FROM unnest(v_added, v_added_steps) AS a(operation_id, step)
                    CROSS JOIN LATERAL (
                        SELECT i.n FROM generate_series(1, v_size) AS i(n)
                        WHERE p_operations[i.n] = a.operation_id AND p_steps[i.n] = a.step ORDER BY i.n LIMIT 1
                    ) f);
            END IF;
            IF v_new <> '{}' THEN
                INSERT INTO ai_usage_ledger (
                    tenant_id, operation_id, step, flow, task, scene, subject, api_key_id, provider, model_name, prompt_tokens,
                    cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, price_version, is_estimated,
                    latency_ms, attempts, checks, experiment_id, experiment_arm, prompt_version, prompt_sha256, completion_sha256, degraded,
                    degraded_reason, created_at)
                SELECT v_tenant, p_operations[i.n], p_steps[i.n], p_flows[i.n], p_tasks[i.n], p_scenes[i.n], p_subjects[i.n],
                       p_api_keys[i.n], p_providers[i.n], p_models[i.n], p_prompt_tokens[i.n], p_cached_tokens[i.n],
                       p_completion_tokens[i.n], CASE WHEN v_began[i.n] IS NULL THEN 0 ELSE p_costs[i.n] END,
                       CASE WHEN v_began[i.n] IS NULL THEN 0 ELSE v_calls[i.n] END, p_spent[i.n], p_currency, p_prices[i.n],
                       p_estimated[i.n], p_latencies[i.n], p_attempts[i.n]::jsonb, p_checks[i.n]::jsonb, p_experiments[i.n],
                       p_arms[i.n], p_prompt_versions[i.n], p_prompt_hashes[i.n], p_completion_hashes[i.n], p_degraded[i.n],
                       p_reasons[i.n], coalesce(v_began[i.n], v_now)
                FROM unnest(v_new) AS i(n);
            END IF;
            IF cardinality(v_new) = v_size THEN RETURN; END IF;

            FOR i IN 1..v_size LOOP
                CONTINUE WHEN i = ANY (v_new);
                SELECT c.ticket_id, c.created_at, c.answer INTO v_row FROM ai_completions c
                WHERE c.tenant_id = v_tenant AND c.operation_id = p_operations[i] AND c.step = p_steps[i] FOR UPDATE;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'another process has answered in this moment' USING ERRCODE = 'serialization_failure';
                END IF;
                -- Sent again after a broken connection.
                CONTINUE WHEN v_row.ticket_id = p_tickets[i];
                v_is_charged := v_began[i] IS NOT NULL AND p_costs[i] > 0;
                UPDATE ai_usage_ledger l SET
                    -- What a model is paid for is no template's.
                    provider = CASE WHEN l.provider = 'template' AND v_is_charged THEN p_providers[i] ELSE l.provider END,
                    model_name = CASE WHEN l.provider = 'template' AND v_is_charged THEN p_models[i] ELSE l.model_name END,
                    price_version = CASE WHEN l.provider = 'template' AND v_is_charged THEN p_prices[i] ELSE l.price_version END,
                    spent_nano = l.spent_nano + p_spent[i], attempts = l.attempts || p_attempts[i]::jsonb,
                    cost_nano = l.cost_nano + CASE WHEN v_began[i] IS NULL THEN 0 ELSE p_costs[i] END,
                    calls = l.calls + CASE WHEN v_began[i] IS NULL THEN 0 ELSE v_calls[i] END
                WHERE l.tenant_id = v_tenant AND l.created_at = v_row.created_at AND l.operation_id = p_operations[i]
                    AND l.step = p_steps[i] AND v_row.answer IS NOT NULL;
                IF v_row.answer IS NOT NULL THEN
                    n := i;
                    holding := v_row.answer;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                -- Nothing was answered before (a crash, a failure, a raw call): the row becomes that of this answer.
                UPDATE ai_usage_ledger l SET
                    -- What was charged before was charged for a model's work.
                    provider = CASE WHEN p_providers[i] = 'template' AND l.cost_nano > 0 THEN l.provider
                               ELSE p_providers[i] END,
                    model_name = p_models[i],
                    prompt_tokens = l.prompt_tokens + p_prompt_tokens[i],
                    cached_prompt_tokens = l.cached_prompt_tokens + p_cached_tokens[i],
                    completion_tokens = l.completion_tokens + p_completion_tokens[i],
                    cost_nano = l.cost_nano + CASE WHEN v_began[i] IS NULL THEN 0 ELSE p_costs[i] END,
                    calls = l.calls + CASE WHEN v_began[i] IS NULL THEN 0 ELSE v_calls[i] END,
                    spent_nano = l.spent_nano + p_spent[i], price_version = p_prices[i],
                    is_estimated = l.is_estimated OR p_estimated[i], latency_ms = p_latencies[i],
                    attempts = l.attempts || p_attempts[i]::jsonb, checks = p_checks[i]::jsonb,
                    experiment_id = p_experiments[i], experiment_arm = p_arms[i],
                    prompt_version = p_prompt_versions[i], prompt_sha256 = p_prompt_hashes[i],
                    completion_sha256 = p_completion_hashes[i], degraded = p_degraded[i],
                    degraded_reason = p_reasons[i]
                WHERE l.tenant_id = v_tenant AND l.created_at = v_row.created_at AND l.operation_id = p_operations[i]
                    AND l.step = p_steps[i];
                UPDATE ai_completions c SET
                    ticket_id = p_tickets[i], answer = p_answers[i]::json, prompt = p_prompts[i],
                    completion = p_completions[i], erased_at = \#(erased.instant)
                WHERE c.tenant_id = v_tenant AND c.operation_id = p_operations[i] AND c.step = p_steps[i];
            END LOOP;
        END $$;

        """#
    }
}
