/// The atomic steps of budgets, as functions of the database: each takes arrays, so that one round trip serves many calls.
///
/// All run as the caller, behind row-level security, for the tenant of the transaction. Those that touch counters take the tenant's lock
/// first where the tenant has budgets: steps of one tenant follow each other, so nothing is overshot and nobody waits in a circle.
enum BudgetFunctions {
    static let v1 = settle + finish + sweep + extend

    private static let settle = #"""
        CREATE FUNCTION ai_period_start(p_period text, p_zone text, p_at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS
            $$ SELECT date_trunc(p_period, p_at AT TIME ZONE p_zone) AT TIME ZONE p_zone $$;
        CREATE FUNCTION ai_period_end(p_period text, p_zone text, p_at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS
            $$ SELECT (date_trunc(p_period, p_at AT TIME ZONE p_zone)
                       + CASE p_period WHEN 'day' THEN interval '1 day' ELSE interval '1 month' END) AT TIME ZONE p_zone $$;
        -- Whom a budget counts a piece of work to: NULL if it does not concern the work, '' for the tenant.
        CREATE FUNCTION ai_budget_subject(
            p_scope text, p_wanted text, p_subject text, p_scene text, p_api_key uuid
        ) RETURNS text LANGUAGE sql IMMUTABLE AS $$
            SELECT CASE p_scope
                WHEN 'tenant' THEN ''
                WHEN 'user' THEN CASE WHEN coalesce(p_wanted, p_subject) = p_subject THEN p_subject END
                WHEN 'scene' THEN CASE WHEN coalesce(p_wanted, p_scene) = p_scene THEN p_scene END
                ELSE CASE WHEN coalesce(p_wanted, p_api_key::text) = p_api_key::text THEN p_api_key::text END
            END $$;
        -- One tenant's steps one after the other.
        CREATE FUNCTION ai_lock_tenant() RETURNS void LANGUAGE sql VOLATILE AS
            $$ SELECT pg_advisory_xact_lock(hashtextextended(app_tenant()::text, 20002)) $$;

        -- Ends reservations that are held under their tickets: gives back what was set aside and charges what was used.
        CREATE FUNCTION ai_settle(p_operations uuid[], p_steps text[], p_tickets uuid[], p_costs bigint[], p_calls bigint[])
        RETURNS TABLE (n bigint, began_at timestamptz) LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        DECLARE v_tenant uuid := app_tenant();
        BEGIN
            RETURN QUERY
            WITH item AS (
                SELECT * FROM unnest(p_operations, p_steps, p_tickets, p_costs, p_calls)
                    WITH ORDINALITY AS i(operation_id, step, ticket_id, cost, calls, n)
            ), gone AS (
                DELETE FROM ai_reservations r USING item i
                WHERE r.tenant_id = v_tenant AND r.operation_id = i.operation_id AND r.step = i.step AND r.ticket_id = i.ticket_id
                RETURNING i.n, i.cost, i.calls, r.amount_nano, r.subject, r.scene, r.api_key_id, r.budget_ids, r.created_at
            ), delta AS (
                -- A budget made while the work was under way holds nothing of it, yet counts what it came to.
                SELECT b.id, ai_budget_subject(b.scope, b.subject, g.subject, g.scene, g.api_key_id) AS subject,
                       ai_period_start(b.period, b.zone, g.created_at) AS period_start,
                       sum(CASE WHEN b.id = ANY (g.budget_ids) THEN g.amount_nano ELSE 0 END) AS freed,
                       count(*) FILTER (WHERE b.id = ANY (g.budget_ids)) AS freed_calls, sum(g.cost) AS cost, sum(g.calls) AS calls
                FROM gone g JOIN ai_budgets b
                    ON b.tenant_id = v_tenant AND ai_budget_subject(b.scope, b.subject, g.subject, g.scene, g.api_key_id) IS NOT NULL
                GROUP BY 1, 2, 3
            ), changed AS (
                UPDATE ai_budget_counters c
                SET reserved_nano = c.reserved_nano - d.freed, reserved_calls = c.reserved_calls - d.freed_calls,
                    settled_nano = c.settled_nano + d.cost, settled_calls = c.settled_calls + d.calls
                FROM delta d
                WHERE c.tenant_id = v_tenant AND c.budget_id = d.id AND c.subject = d.subject AND c.period_start = d.period_start
            )
            SELECT g.n, g.created_at FROM gone g;
        END $$;

        CREATE FUNCTION ai_release(p_operation uuid, p_step text, p_ticket uuid) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM ai_lock_tenant();
            PERFORM ai_settle(ARRAY[p_operation], ARRAY[p_step], ARRAY[p_ticket], ARRAY[0::bigint], ARRAY[0::bigint]);
        END $$;

        """#

    private static let finish = #"""
        -- Settles, writes ledger and text. A receipt that comes after its reservation was swept is not charged: its money may be
        -- somebody else's by now. One for an operation that has a row already adds to it.
        --
        -- Answers one row for each receipt: the answer that holds, NULL for the receipt's own.
        CREATE FUNCTION ai_finish(
            p_operations uuid[], p_steps text[], p_tickets uuid[], p_flows text[], p_tasks text[], p_scenes text[], p_subjects text[],
            p_api_keys uuid[], p_providers text[], p_models text[], p_prompt_tokens bigint[], p_cached_tokens bigint[],
            p_completion_tokens bigint[], p_costs bigint[], p_spent bigint[], p_currency text, p_prices text[], p_estimated boolean[],
            p_latencies bigint[], p_attempts text[], p_checks text[], p_experiments uuid[], p_arms text[], p_prompt_versions text[],
            p_prompt_hashes bytea[], p_completion_hashes bytea[], p_degraded boolean[], p_reasons text[], p_answers text[],
            p_prompts text[], p_completions text[]
        ) RETURNS TABLE (n bigint, holding text) LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        DECLARE
            v_tenant uuid := app_tenant();
            v_now timestamptz := app_now();
            v_began timestamptz[] := array_fill(NULL::timestamptz, ARRAY[cardinality(p_operations)]);
            v_known boolean[] := array_fill(false, ARRAY[cardinality(p_operations)]);
            -- Templates are no calls.
            v_calls bigint[] := (
                SELECT array_agg(CASE WHEN u.provider = 'template' THEN 0 ELSE 1 END::bigint ORDER BY u.n)
                FROM unnest(p_providers) WITH ORDINALITY AS u(provider, n));
            v_expected bigint := cardinality(p_operations);
            v_count bigint;
            v_row record;
        BEGIN
            IF EXISTS (SELECT FROM ai_budgets WHERE tenant_id = v_tenant) THEN PERFORM ai_lock_tenant(); END IF;
            FOR v_row IN
                SELECT s.n, s.began_at FROM ai_settle(p_operations, p_steps, p_tickets, p_costs, v_calls) s
            LOOP
                v_began[v_row.n] := v_row.began_at;
            END LOOP;

            FOR v_row IN
                SELECT i.n, c.ticket_id, c.created_at, c.answer, c.erased_at
                FROM unnest(p_operations, p_steps) WITH ORDINALITY AS i(operation_id, step, n),
                LATERAL (
                    SELECT * FROM ai_completions k
                    WHERE k.tenant_id = v_tenant AND k.operation_id = i.operation_id AND k.step = i.step
                ) c
            LOOP
                v_known[v_row.n] := true;
                v_expected := v_expected - 1;
                -- Sent again after a broken connection.
                CONTINUE WHEN v_row.ticket_id = p_tickets[v_row.n];
                UPDATE ai_usage_ledger l SET
                    spent_nano = l.spent_nano + p_spent[v_row.n], attempts = l.attempts || p_attempts[v_row.n]::jsonb,
                    cost_nano = l.cost_nano + CASE WHEN v_began[v_row.n] IS NULL THEN 0 ELSE p_costs[v_row.n] END,
                    calls = l.calls + CASE WHEN v_began[v_row.n] IS NULL THEN 0 ELSE v_calls[v_row.n] END
                WHERE l.tenant_id = v_tenant AND l.created_at = v_row.created_at AND l.operation_id = p_operations[v_row.n]
                    AND l.step = p_steps[v_row.n] AND v_row.answer IS NOT NULL;
                IF v_row.answer IS NOT NULL THEN
                    n := v_row.n;
                    holding := v_row.answer;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                -- Nothing was answered before (a crash, a failure, a raw call): the row becomes that of this answer.
                UPDATE ai_usage_ledger l SET
                    -- What was charged before was charged for a model's work.
                    provider = CASE WHEN p_providers[v_row.n] = 'template' AND l.cost_nano > 0 THEN l.provider
                               ELSE p_providers[v_row.n] END,
                    model_name = p_models[v_row.n],
                    prompt_tokens = l.prompt_tokens + p_prompt_tokens[v_row.n],
                    cached_prompt_tokens = l.cached_prompt_tokens + p_cached_tokens[v_row.n],
                    completion_tokens = l.completion_tokens + p_completion_tokens[v_row.n],
                    cost_nano = l.cost_nano + CASE WHEN v_began[v_row.n] IS NULL THEN 0 ELSE p_costs[v_row.n] END,
                    calls = l.calls + CASE WHEN v_began[v_row.n] IS NULL THEN 0 ELSE v_calls[v_row.n] END,
                    spent_nano = l.spent_nano + p_spent[v_row.n], price_version = p_prices[v_row.n],
                    is_estimated = l.is_estimated OR p_estimated[v_row.n], latency_ms = p_latencies[v_row.n],
                    attempts = l.attempts || p_attempts[v_row.n]::jsonb, checks = p_checks[v_row.n]::jsonb,
                    experiment_id = p_experiments[v_row.n], experiment_arm = p_arms[v_row.n],
                    prompt_version = p_prompt_versions[v_row.n], prompt_sha256 = p_prompt_hashes[v_row.n],
                    completion_sha256 = p_completion_hashes[v_row.n], degraded = p_degraded[v_row.n],
                    degraded_reason = p_reasons[v_row.n]
                WHERE l.tenant_id = v_tenant AND l.created_at = v_row.created_at AND l.operation_id = p_operations[v_row.n]
                    AND l.step = p_steps[v_row.n];
                UPDATE ai_completions c SET
                    ticket_id = p_tickets[v_row.n], answer = p_answers[v_row.n]::json, prompt = p_prompts[v_row.n],
                    completion = p_completions[v_row.n], erased_at = NULL
                WHERE c.tenant_id = v_tenant AND c.operation_id = p_operations[v_row.n] AND c.step = p_steps[v_row.n];
            END LOOP;

            IF v_expected = 0 THEN RETURN; END IF;
            INSERT INTO ai_completions (tenant_id, operation_id, step, ticket_id, created_at, answer, prompt, completion)
            SELECT v_tenant, i.operation_id, i.step, i.ticket_id, coalesce(i.began, v_now), i.answer::json, i.prompt, i.completion
            FROM unnest(p_operations, p_steps, p_tickets, v_began, v_known, p_answers, p_prompts, p_completions)
                AS i(operation_id, step, ticket_id, began, known, answer, prompt, completion)
            WHERE NOT i.known
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS v_count = ROW_COUNT;
            IF v_count <> v_expected THEN
                RAISE EXCEPTION 'another process has answered in this moment' USING ERRCODE = 'serialization_failure';
            END IF;
            INSERT INTO ai_usage_ledger (
                tenant_id, operation_id, step, flow, task, scene, subject, api_key_id, provider, model_name, prompt_tokens,
                cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, price_version, is_estimated,
                latency_ms, attempts, checks, experiment_id, experiment_arm, prompt_version, prompt_sha256, completion_sha256, degraded,
                degraded_reason, created_at)
            SELECT v_tenant, i.operation_id, i.step, i.flow, i.task, i.scene, i.subject, i.api_key, i.provider, i.model,
                   i.prompt_tokens, i.cached_tokens, i.completion_tokens, CASE WHEN i.began IS NULL THEN 0 ELSE i.cost END,
                   CASE WHEN i.began IS NULL THEN 0 ELSE i.calls END, i.spent, p_currency, i.price, i.estimated, i.latency, i.attempts::jsonb, i.checks::jsonb, i.experiment, i.arm,
                   i.prompt_version, i.prompt_hash, i.completion_hash, i.degraded, i.reason, coalesce(i.began, v_now)
            FROM unnest(
                p_operations, p_steps, p_flows, p_tasks, p_scenes, p_subjects, p_api_keys, p_providers, p_models, p_prompt_tokens,
                p_cached_tokens, p_completion_tokens, p_costs, p_spent, p_prices, p_estimated, p_latencies, p_attempts, p_checks,
                p_experiments, p_arms, p_prompt_versions, p_prompt_hashes, p_completion_hashes, p_degraded, p_reasons, v_began, v_known,
                v_calls
            ) AS i(
                operation_id, step, flow, task, scene, subject, api_key, provider, model, prompt_tokens, cached_tokens,
                completion_tokens, cost, spent, price, estimated, latency, attempts, checks, experiment, arm, prompt_version,
                prompt_hash, completion_hash, degraded, reason, began, known, calls)
            WHERE NOT i.known;
        END $$;

        """#

    private static let sweep = #"""
        -- Ends reservations whose holder is gone. What the vendor did with them is unknown: the tenant is not charged for an answer
        -- that it never got; what it may have cost us stands in the ledger as spent, at the worst case.
        CREATE FUNCTION ai_sweep(p_operations uuid[], p_steps text[]) RETURNS bigint LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        DECLARE
            v_tenant uuid := app_tenant();
            v_now timestamptz := app_now();
            v_lost ai_reservations;
            v_created timestamptz;
            v_attempt jsonb;
            v_count bigint := 0;
        BEGIN
            PERFORM ai_lock_tenant();
            FOR v_lost IN
                SELECT r.* FROM ai_reservations r JOIN unnest(p_operations, p_steps) AS i(operation_id, step)
                    ON r.operation_id = i.operation_id AND r.step = i.step
                LEFT JOIN ai_desks d ON d.desk_id = r.desk_id
                WHERE r.tenant_id = v_tenant AND (r.lease_until < v_now OR coalesce(d.alive_until < v_now, true))
                ORDER BY r.operation_id, r.step FOR UPDATE OF r SKIP LOCKED
            LOOP
                PERFORM ai_settle(
                    ARRAY[v_lost.operation_id], ARRAY[v_lost.step], ARRAY[v_lost.ticket_id], ARRAY[0::bigint], ARRAY[0::bigint]);
                v_count := v_count + 1;
                v_attempt := jsonb_build_array(jsonb_build_object(
                    'provider', 'unknown', 'askedModel', v_lost.model, 'model', v_lost.model, 'purpose', 'ask', 'outcome', 'unknown',
                    'latencyMs', 0, 'promptTokens', 0, 'cachedPromptTokens', 0, 'completionTokens', 0, 'isEstimated', true,
                    'costNano', v_lost.amount_nano));
                SELECT c.created_at INTO v_created FROM ai_completions c
                WHERE c.tenant_id = v_tenant AND c.operation_id = v_lost.operation_id AND c.step = v_lost.step;
                IF FOUND THEN
                    UPDATE ai_usage_ledger l
                    SET spent_nano = l.spent_nano + v_lost.amount_nano, is_estimated = true, attempts = l.attempts || v_attempt
                    WHERE l.tenant_id = v_tenant AND l.created_at = v_created AND l.operation_id = v_lost.operation_id
                        AND l.step = v_lost.step;
                    CONTINUE;
                END IF;
                INSERT INTO ai_completions (tenant_id, operation_id, step, ticket_id, created_at)
                VALUES (v_tenant, v_lost.operation_id, v_lost.step, v_lost.ticket_id, v_lost.created_at);
                INSERT INTO ai_usage_ledger (
                    tenant_id, operation_id, step, flow, task, scene, subject, api_key_id, provider, model_name, prompt_tokens,
                    cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, is_estimated, latency_ms, attempts,
                    prompt_version, prompt_sha256, completion_sha256, degraded, degraded_reason, created_at)
                VALUES (
                    v_tenant, v_lost.operation_id, v_lost.step, v_lost.flow, v_lost.task, v_lost.scene, v_lost.subject,
                    v_lost.api_key_id, 'unknown', v_lost.model, 0, 0, 0, 0, 0, v_lost.amount_nano, v_lost.currency, true, 0, v_attempt,
                    '', sha256(''), sha256(''), true, '处理中断，结果未知，未向租户计费', v_lost.created_at);
            END LOOP;
            RETURN v_count;
        END $$;

        """#

    private static let extend = #"""
        -- Sets aside more. False: a hard budget does not hold it, or the reservation is not held any more.
        CREATE FUNCTION ai_extend(p_operation uuid, p_step text, p_ticket uuid, p_amount bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            v_tenant uuid := app_tenant();
            v_held ai_reservations;
        BEGIN
            PERFORM ai_lock_tenant();
            SELECT r.* INTO v_held FROM ai_reservations r
            WHERE r.tenant_id = v_tenant AND r.operation_id = p_operation AND r.step = p_step AND r.ticket_id = p_ticket FOR UPDATE;
            IF NOT FOUND THEN RETURN false; END IF;
            IF EXISTS (
                SELECT FROM ai_budgets b JOIN ai_budget_counters c ON c.tenant_id = v_tenant AND c.budget_id = b.id
                    AND c.subject = ai_budget_subject(b.scope, b.subject, v_held.subject, v_held.scene, v_held.api_key_id)
                    AND c.period_start = ai_period_start(b.period, b.zone, v_held.created_at)
                WHERE b.tenant_id = v_tenant AND b.id = ANY (v_held.budget_ids) AND b.is_hard
                    AND c.reserved_nano + c.settled_nano + p_amount > b.limit_nano
            ) THEN RETURN false; END IF;
            UPDATE ai_budget_counters c SET reserved_nano = c.reserved_nano + p_amount
            FROM ai_budgets b
            WHERE b.tenant_id = v_tenant AND b.id = ANY (v_held.budget_ids) AND c.tenant_id = v_tenant AND c.budget_id = b.id
                AND c.subject = ai_budget_subject(b.scope, b.subject, v_held.subject, v_held.scene, v_held.api_key_id)
                AND c.period_start = ai_period_start(b.period, b.zone, v_held.created_at);
            UPDATE ai_reservations r SET amount_nano = r.amount_nano + p_amount
            WHERE r.tenant_id = v_tenant AND r.operation_id = p_operation AND r.step = p_step;
            RETURN true;
        END $$;

        """#
}
