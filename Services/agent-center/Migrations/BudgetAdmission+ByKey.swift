extension BudgetAdmission {
    /// As before, at the cost of its own rows.
    static let v3 = begin()
    /// Not for an erased tenant.
    static let v4 = begin(.refused)
    /// A claim says how many calls it is.
    static let v5 = begin(.refused, .counted)

    private static func begin(
        _ erased: ErasedTenantSteps = ErasedTenantSteps(), _ calls: CountedCalls = CountedCalls()
    ) -> String {
        #"""
        -- Claims operations, finds what was answered before, and sets the worst case aside in every budget that applies; all or none
        -- for each claim, claims in their order. Nothing is ever set aside beyond a hard budget's limit.
        --
        -- Answers one row for each claim that is not simply granted (`answered`, `erased`, `busy`, `refused` with the budget and the
        -- seconds to its next period), and a row 0 with the days that texts are kept.
        CREATE OR REPLACE FUNCTION ai_begin(
            p_desk uuid, p_currency text, p_operations uuid[], p_steps text[], p_tickets uuid[], p_amounts bigint[],
            p_leases bigint[], p_flows text[], p_tasks text[], p_scenes text[], p_subjects text[], p_models text[], p_api_keys uuid[]\#(calls.parameter)
        ) RETURNS TABLE (n bigint, status text, answer text, budget_id uuid, scope text, period text, number bigint)
        LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
        #variable_conflict use_column
        DECLARE
            v_tenant uuid := app_tenant();
            v_now timestamptz;
            v_size integer := cardinality(p_operations);
            v_status text[] := array_fill('granted'::text, ARRAY[v_size]);
            -- Granted before, and counted then: the claim was sent again after a broken connection.
            v_counted boolean[] := array_fill(false, ARRAY[v_size]);
            -- The places of those whose reservation is new.
            v_new integer[] := '{}';
            v_added uuid[];
            v_added_steps text[];
            v_began timestamptz;
            -- The places of those that get nothing: taken back as it was made, and given back as it was held.
            v_gone integer[] := '{}';
            v_freed integer[] := '{}';
            v_dead uuid[];
            v_dead_steps text[];
            -- The tenant's budgets.
            b_ids uuid[];
            b_scopes text[];
            b_wanted text[];
            b_periods text[];
            b_starts timestamptz[];
            b_ends timestamptz[];
            b_money bigint[];
            b_calls bigint[];
            b_same_for_all boolean;
            -- The counters that the claims touch: whose, what is left, what is set aside now.
            k_budgets integer[] := '{}';
            k_subjects text[] := '{}';
            k_money_left bigint[] := '{}';
            k_calls_left bigint[] := '{}';
            k_amounts bigint[] := '{}';
            k_calls bigint[] := '{}';
            k_mine integer[];
            k integer;
            v_fits boolean := true;
            v_counter ai_budget_counters;
            v_row record;
        BEGIN\#(erased.look)
            -- As `ai_lock_tenant`, where there is a budget.
            PERFORM pg_advisory_xact_lock(hashtextextended(v_tenant::text, 20002)) FROM ai_budgets
            WHERE tenant_id = v_tenant LIMIT 1;
            v_now := app_now();
            SELECT array_agg(b.id), array_agg(b.scope), array_agg(b.subject), array_agg(b.period),
                   array_agg(ai_period_start(b.period, b.zone, v_now)), array_agg(ai_period_end(b.period, b.zone, v_now)),
                   array_agg(CASE WHEN b.is_hard THEN b.limit_nano END), array_agg(CASE WHEN b.is_hard THEN b.limit_calls END),
                   bool_and(b.scope = 'tenant')
            INTO b_ids, b_scopes, b_wanted, b_periods, b_starts, b_ends, b_money, b_calls, b_same_for_all
            FROM (SELECT * FROM ai_budgets WHERE tenant_id = v_tenant ORDER BY id) b;

            -- Whose operation is it? The second try comes after dead holders were swept.
            FOR attempt IN 1..2 LOOP
                WITH added AS (
                    INSERT INTO ai_reservations (
                        tenant_id, operation_id, step, ticket_id, desk_id, lease_until, amount_nano, currency, flow, task, scene,
                        subject, model, api_key_id, budget_ids, created_at\#(calls.column))
                    SELECT v_tenant, p_operations[i.n], p_steps[i.n], p_tickets[i.n], p_desk,
                           v_now + p_leases[i.n] * interval '1 millisecond', p_amounts[i.n], p_currency, p_flows[i.n], p_tasks[i.n],
                           p_scenes[i.n], p_subjects[i.n], p_models[i.n], p_api_keys[i.n],
                           CASE WHEN b_ids IS NULL THEN '{}'::uuid[] WHEN b_same_for_all THEN b_ids ELSE ARRAY(
                               SELECT b.id FROM unnest(b_ids, b_scopes, b_wanted) AS b(id, scope, wanted)
                               WHERE ai_budget_subject(
                                   b.scope, b.wanted, p_subjects[i.n], p_scenes[i.n], p_api_keys[i.n]) IS NOT NULL) END,
                           v_now\#(calls.value)
                    FROM generate_series(1, v_size) AS i(n)
                    ON CONFLICT DO NOTHING
                    RETURNING operation_id, step
                )
                SELECT array_agg(operation_id), array_agg(step) INTO v_added, v_added_steps FROM added;
                IF cardinality(v_added) = v_size THEN
                    v_new := NULL;
                    EXIT;
                END IF;
                -- Of two copies the first.
                v_new := v_new || ARRAY(
                    SELECT f.n FROM unnest(v_added, v_added_steps) AS a(operation_id, step)
                    CROSS JOIN LATERAL (
                        SELECT i.n FROM generate_series(1, v_size) AS i(n)
                        WHERE p_operations[i.n] = a.operation_id AND p_steps[i.n] = a.step ORDER BY i.n LIMIT 1
                    ) f);
                EXIT WHEN attempt = 2;
                v_dead := '{}';
                v_dead_steps := '{}';
                FOR at IN 1..v_size LOOP
                    CONTINUE WHEN at = ANY (v_new) OR EXISTS (
                        SELECT FROM unnest(v_dead, v_dead_steps) AS d(operation_id, step)
                        WHERE d.operation_id = p_operations[at] AND d.step = p_steps[at]);
                    PERFORM FROM ai_reservations r
                    WHERE r.tenant_id = v_tenant AND r.operation_id = p_operations[at] AND r.step = p_steps[at]
                        AND r.ticket_id <> p_tickets[at] AND (r.lease_until < v_now OR NOT EXISTS (
                            SELECT FROM ai_desks d WHERE d.desk_id = r.desk_id AND d.alive_until >= v_now));
                    IF FOUND THEN
                        v_dead := v_dead || p_operations[at];
                        v_dead_steps := v_dead_steps || p_steps[at];
                    END IF;
                END LOOP;
                EXIT WHEN v_dead = '{}';
                PERFORM ai_sweep(v_dead, v_dead_steps);
            END LOOP;
            -- NULL: all of them.
            IF v_new IS NOT NULL THEN
                FOR at IN 1..v_size LOOP
                    CONTINUE WHEN at = ANY (v_new);
                    UPDATE ai_reservations r
                    SET lease_until = greatest(r.lease_until, v_now + p_leases[at] * interval '1 millisecond')
                    WHERE r.tenant_id = v_tenant AND r.operation_id = p_operations[at] AND r.step = p_steps[at]
                        AND r.ticket_id = p_tickets[at]
                    RETURNING r.created_at INTO v_began;
                    -- A copy of one that was made just now waits to see what becomes of it.
                    IF FOUND AND v_began <> v_now THEN
                        v_counted[at] := true;
                    ELSE
                        v_status[at] := 'busy';
                        n := at;
                        status := 'busy';
                        RETURN NEXT;
                    END IF;
                END LOOP;
            END IF;

            -- Was it answered before? After the claim: whoever finished since has removed its own.
            FOR at IN 1..v_size LOOP
                SELECT a.answer INTO v_row FROM ai_completions a
                WHERE a.tenant_id = v_tenant AND a.operation_id = p_operations[at] AND a.step = p_steps[at]
                    AND (a.answer IS NOT NULL OR a.erased_at IS NOT NULL);
                CONTINUE WHEN NOT FOUND;
                IF v_counted[at] THEN
                    v_freed := v_freed || at;
                ELSIF v_status[at] = 'granted' THEN
                    v_gone := v_gone || at;
                END IF;
                v_status[at] := CASE WHEN v_row.answer IS NULL THEN 'erased' ELSE 'answered' END;
                n := at;
                status := v_status[at];
                answer := v_row.answer;
                RETURN NEXT;
            END LOOP;
            answer := NULL;
            -- Before anybody is admitted: it is their money.
            FOREACH k IN ARRAY v_freed LOOP
                PERFORM ai_settle(
                    ARRAY[p_operations[k]], ARRAY[p_steps[k]], ARRAY[p_tickets[k]], ARRAY[0::bigint], ARRAY[0::bigint]);
            END LOOP;

            IF b_ids IS NOT NULL THEN
                FOR v_row IN
                    SELECT b.k, s.subject, sum(i.amount)::bigint AS amount, \#(calls.sum) AS calls
                    FROM unnest(p_amounts, p_scenes, p_subjects, p_api_keys, v_status, v_counted\#(calls.array))
                        AS i(amount, scene, subject, api_key, status, counted\#(calls.column))
                    CROSS JOIN unnest(b_scopes, b_wanted) WITH ORDINALITY AS b(scope, wanted, k)
                    CROSS JOIN LATERAL (
                        SELECT ai_budget_subject(b.scope, b.wanted, i.subject, i.scene, i.api_key) AS subject) s
                    WHERE i.status = 'granted' AND NOT i.counted AND s.subject IS NOT NULL
                    GROUP BY 1, 2 ORDER BY 1, 2
                LOOP
                    k := v_row.k;
                    SELECT c.* INTO v_counter FROM ai_budget_counters c
                    WHERE c.tenant_id = v_tenant AND c.budget_id = b_ids[k] AND c.subject = v_row.subject
                        AND c.period_start = b_starts[k];
                    IF NOT FOUND THEN
                        -- The first of the period, or of a budget made in the middle of it: what the ledger has counts too.
                        INSERT INTO ai_budget_counters (
                            tenant_id, budget_id, subject, period_start, settled_nano, settled_calls)
                        SELECT v_tenant, b_ids[k], v_row.subject, b_starts[k], coalesce(sum(l.cost_nano), 0), coalesce(sum(l.calls), 0)
                        FROM ai_usage_ledger l
                        WHERE l.tenant_id = v_tenant AND l.created_at >= b_starts[k] AND l.created_at < b_ends[k]
                            AND ai_budget_subject(b_scopes[k], b_wanted[k], l.subject, l.scene, l.api_key_id) = v_row.subject
                        RETURNING * INTO v_counter;
                    END IF;
                    k_budgets := k_budgets || k;
                    k_subjects := k_subjects || v_row.subject;
                    k_money_left := k_money_left || (b_money[k] - v_counter.reserved_nano - v_counter.settled_nano);
                    k_calls_left := k_calls_left || (b_calls[k] - v_counter.reserved_calls - v_counter.settled_calls);
                    k_amounts := k_amounts || v_row.amount;
                    k_calls := k_calls || v_row.calls;
                    v_fits := v_fits AND coalesce(
                        b_money[k] - v_counter.reserved_nano - v_counter.settled_nano >= v_row.amount, true) AND coalesce(
                        b_calls[k] - v_counter.reserved_calls - v_counter.settled_calls >= v_row.calls, true);
                END LOOP;

                IF NOT v_fits THEN
                    -- Not all fit: one by one, in order.
                    k_amounts := array_fill(0::bigint, ARRAY[cardinality(k_budgets)]);
                    k_calls := k_amounts;
                    FOR v_row IN
                        SELECT i.* FROM unnest(p_amounts, p_scenes, p_subjects, p_api_keys, v_status, v_counted\#(calls.array))
                            WITH ORDINALITY AS i(amount, scene, subject, api_key, status, counted\#(calls.column), n)
                        WHERE i.status = 'granted' AND NOT i.counted ORDER BY i.n
                    LOOP
                        k_mine := '{}';
                        status := NULL;
                        FOR at IN 1..cardinality(k_budgets) LOOP
                            k := k_budgets[at];
                            CONTINUE WHEN ai_budget_subject(b_scopes[k], b_wanted[k], v_row.subject, v_row.scene, v_row.api_key)
                                IS DISTINCT FROM k_subjects[at];
                            IF k_money_left[at] < v_row.amount OR k_calls_left[at] < \#(calls.one) THEN
                                n := v_row.n;
                                status := 'refused';
                                budget_id := b_ids[k];
                                scope := b_scopes[k];
                                period := b_periods[k];
                                number := ceil(extract(epoch FROM b_ends[k] - v_now));
                                v_gone := v_gone || v_row.n::integer;
                                RETURN NEXT;
                                EXIT;
                            END IF;
                            k_mine := k_mine || at;
                        END LOOP;
                        CONTINUE WHEN status IS NOT NULL;
                        FOREACH k IN ARRAY k_mine LOOP
                            k_money_left[k] := k_money_left[k] - v_row.amount;
                            k_calls_left[k] := k_calls_left[k] - \#(calls.one);
                            k_amounts[k] := k_amounts[k] + v_row.amount;
                            k_calls[k] := k_calls[k] + \#(calls.one);
                        END LOOP;
                    END LOOP;
                END IF;

                FOR at IN 1..cardinality(k_budgets) LOOP
                    CONTINUE WHEN k_calls[at] = 0;
                    UPDATE ai_budget_counters c
                    SET reserved_nano = c.reserved_nano + k_amounts[at], reserved_calls = c.reserved_calls + k_calls[at]
                    WHERE c.tenant_id = v_tenant AND c.budget_id = b_ids[k_budgets[at]] AND c.subject = k_subjects[at]
                        AND c.period_start = b_starts[k_budgets[at]];
                END LOOP;
            END IF;

            FOREACH k IN ARRAY v_gone LOOP
                DELETE FROM ai_reservations r
                WHERE r.tenant_id = v_tenant AND r.operation_id = p_operations[k] AND r.step = p_steps[k]
                    AND r.ticket_id = p_tickets[k];
            END LOOP;
            n := 0;
            status := 'retention';
            budget_id := NULL;
            number := coalesce((SELECT s.retention_days FROM ai_tenant_settings s WHERE s.tenant_id = v_tenant), 30);
            RETURN NEXT;
        END $$;

        """#
    }
}
