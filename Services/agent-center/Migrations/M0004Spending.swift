import PostgresStore

/// Prices per picture, and holds that outlive the process which granted them.
enum M0004Spending {
    /// Holders elsewhere reserve in this desk's name. It is never silent: its reservations end by their lease alone.
    static let holdersDesk = "00000000-0000-7000-8000-000000000001"

    static let migration = Migration(
        number: 4, name: "spending of other services",
        sql: #"""
            -- Per picture, in 1e-9 of the currency; NULL: the model has no price per picture.
            ALTER TABLE model_prices ADD COLUMN image_nano bigint CHECK (image_nano >= 0);
            INSERT INTO ai_desks (desk_id, alive_until) VALUES ('\#(holdersDesk)', 'infinity');

            """# + BudgetAdmission.v2 + sweep)

    /// As before, but the row that it leaves behind bears no ticket of anybody's: a receipt that comes after the sweep is no repeat of
    /// it, and its answer is kept.
    private static let sweep = #"""
        CREATE OR REPLACE FUNCTION ai_sweep(p_operations uuid[], p_steps text[]) RETURNS bigint LANGUAGE plpgsql AS $$
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
                VALUES (v_tenant, v_lost.operation_id, v_lost.step, gen_random_uuid(), v_lost.created_at);
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
}
