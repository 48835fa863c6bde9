import PostgresStore

/// Tenants whose data is gone for good: no model is asked for them, and nothing of theirs is kept but what they owe.
enum M0011ErasedTenants {
    static let migration = Migration(
        number: 11, name: "erased tenants",
        sql: mark + guards + rights + BudgetFunctions.v3 + BudgetAdmission.v4)

    /// Writers look at the table, and so hold it until they have committed; whoever sets a mark locks it alone for that moment. So none that
    /// looked before the mark can commit after it unseen, and a call pays for no lock of its own.
    private static let mark =
        #"""
        CREATE TABLE erased_tenants (
            tenant_id   uuid        NOT NULL PRIMARY KEY,
            erasure_id  uuid        NOT NULL,
            heard_at    timestamptz NOT NULL DEFAULT app_now(),
            finished_at timestamptz
        );

        """# + TenantTable.secure("erased_tenants", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            + #"""
            CREATE FUNCTION refuse_erased_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM erased_tenants WHERE tenant_id = app_tenant()) THEN
                    RAISE EXCEPTION 'the tenant was erased' USING ERRCODE = 'TE001';
                END IF;
                RETURN NULL;
            END $$;

            CREATE FUNCTION keep_of_living_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM erased_tenants WHERE tenant_id = app_tenant()) THEN
                    RAISE EXCEPTION 'only what an erased tenant had may be deleted' USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN NULL;
            END $$;

            -- The attempts of a ledger's row without what anybody said: a vendor's message, or the fault of an answer with its words. How many
            -- pictures were made is what the bill is about.
            CREATE FUNCTION ai_without_words(p_attempts jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
                SELECT coalesce(jsonb_agg(
                    CASE WHEN a.attempt ->> 'detail' ~ '^[0-9]+ × image$' THEN a.attempt ELSE a.attempt - 'detail' END ORDER BY a.n), '[]')
                FROM jsonb_array_elements(p_attempts) WITH ORDINALITY AS a(attempt, n)
            $$;

            """#

    /// Where everything else hangs from that a tenant has for itself.
    private static let guards = [
        "tenant_provider_keys", "routing_policies", "ai_tenant_settings", "prompts", "prompt_labels", "prompt_experiments",
        "prompt_experiment_changes", "prompt_outcomes",
    ].map { table in
        """
        CREATE TRIGGER \(table)_of_living_tenant BEFORE INSERT ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();

        """
    }.joined()

    /// A version, a move, an outcome stay for as long as their tenant does: the server may take them away from an erased one alone.
    private static let rights = [
        "ai_tenant_settings", "prompts", "prompt_versions", "prompt_labels", "prompt_label_moves", "prompt_experiments",
        "prompt_experiment_arms", "prompt_experiment_changes", "prompt_outcomes", "prompt_outcome_counts",
    ].map { table in
        """
        GRANT DELETE ON \(table) TO agent_app;
        CREATE TRIGGER \(table)_of_erased_tenant BEFORE DELETE ON \(table)
            FOR EACH STATEMENT WHEN (current_user = 'agent_app') EXECUTE FUNCTION keep_of_living_tenant();

        """
    }.joined()
}

/// What the functions of the ledger do about erased tenants since; before, nothing.
struct ErasedTenantSteps: Sendable {
    var declaration = ""
    var look = ""
    var column = ""
    var value = ""
    var instant = "NULL"

    /// No new work.
    static let refused = ErasedTenantSteps(
        look: """

                -- Before the tenant's lock: who waits for that holds no one up who has looked.
                IF EXISTS (SELECT FROM erased_tenants WHERE tenant_id = v_tenant) THEN
                    RAISE EXCEPTION 'the tenant was erased' USING ERRCODE = 'TE001';
                END IF;
            """)

    /// What was under way is booked to the last unit, without a word.
    static let booked = ErasedTenantSteps(
        declaration: """

                v_erased timestamptz;
            """,
        look: """

                IF EXISTS (SELECT FROM erased_tenants WHERE tenant_id = v_tenant) THEN
                    v_erased := app_now();
                    p_answers := array_fill(NULL::text, ARRAY[v_size]);
                    p_prompts := p_answers;
                    p_completions := p_answers;
                    p_checks := p_answers;
                    p_arms := p_answers;
                    p_experiments := array_fill(NULL::uuid, ARRAY[v_size]);
                    p_prompt_versions := ARRAY(
                        SELECT split_part(a.version, '#', 1) FROM unnest(p_prompt_versions) WITH ORDINALITY AS a(version, place)
                        ORDER BY a.place);
                    p_attempts := ARRAY(
                        SELECT ai_without_words(a.attempts::jsonb)::text FROM unnest(p_attempts) WITH ORDINALITY AS a(attempts, place)
                        ORDER BY a.place);
                END IF;
            """,
        column: ", erased_at", value: ", v_erased", instant: "v_erased")
}
