import PostgresStore

/// What the keeper of the ledger needs: whose texts there are, and the texts that are due.
enum M0005LedgerKeeper {
    static let migration = Migration(
        number: 5, name: "keeper of the ledger",
        sql: #"""
            CREATE INDEX ai_completions_texts ON ai_completions (tenant_id, created_at)
                WHERE prompt IS NOT NULL OR completion IS NOT NULL OR answer IS NOT NULL;
            -- Which tenants there are, and nothing more of them.
            CREATE POLICY ai_completions_system ON ai_completions FOR SELECT TO agent_system USING (true);
            GRANT SELECT (tenant_id) ON ai_completions TO agent_system;

            -- Erases the tenant's texts that are past its retention, at most `p_limit` of them. An answer stays for a day at least: a
            -- repeat must find it. Answers how many rows were touched.
            CREATE FUNCTION ai_erase_due(p_limit bigint) RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE
                v_tenant uuid := app_tenant();
                v_days integer := coalesce((SELECT s.retention_days FROM ai_tenant_settings s WHERE s.tenant_id = v_tenant), 30);
                v_texts timestamptz := app_now() - make_interval(days => v_days);
                v_answers timestamptz := app_now() - make_interval(days => greatest(v_days, 1));
                v_count bigint;
            BEGIN
                WITH due AS (
                    SELECT c.operation_id, c.step FROM ai_completions c
                    WHERE c.tenant_id = v_tenant AND (c.prompt IS NOT NULL OR c.completion IS NOT NULL OR c.answer IS NOT NULL)
                        AND c.created_at < v_texts
                        AND (c.created_at < v_answers OR c.prompt IS NOT NULL OR c.completion IS NOT NULL)
                    LIMIT p_limit FOR UPDATE SKIP LOCKED
                )
                UPDATE ai_completions c SET
                    prompt = NULL, completion = NULL,
                    erased_at = CASE WHEN c.answer IS NOT NULL AND c.created_at < v_answers THEN app_now() ELSE c.erased_at END,
                    answer = CASE WHEN c.created_at < v_answers THEN NULL ELSE c.answer END
                FROM due d WHERE c.tenant_id = v_tenant AND c.operation_id = d.operation_id AND c.step = d.step;
                GET DIAGNOSTICS v_count = ROW_COUNT;
                RETURN v_count;
            END $$;

            """#)
}
