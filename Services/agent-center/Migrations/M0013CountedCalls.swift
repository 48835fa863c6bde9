import PostgresStore

/// A claim of several texts is as many calls; what no model answered is none.
enum M0013CountedCalls {
    static let migration = Migration(
        number: 13, name: "counted calls",
        sql: """
            -- Servers of before set aside one call each, by functions of their own, while they still run.
            ALTER TABLE ai_reservations ADD COLUMN calls bigint NOT NULL DEFAULT 1 CHECK (calls >= 0);

            """ + BudgetFunctions.v4 + BudgetAdmission.v5)
}

/// What the functions of the ledger do about the number of calls since; before, a claim was one, and a template none.
struct CountedCalls: Sendable {
    var parameter = ""
    var column = ""
    var value = ""
    var array = ""
    var sum = "count(*)"
    var one = "1"
    var freed = "count(*) FILTER (WHERE b.id = ANY (g.budget_ids))"
    var answered = "array_fill(1::bigint, ARRAY[v_size])"
    var templates = """

            FOR i IN 1..v_size LOOP
                -- Templates are no calls.
                IF p_providers[i] = 'template' THEN v_calls[i] := 0; END IF;
            END LOOP;
        """

    static let counted = CountedCalls(
        parameter: ", p_calls bigint[]", column: ", calls", value: ", p_calls[i.n]", array: ", p_calls",
        sum: "sum(i.calls)::bigint", one: "v_row.calls",
        freed: "sum(CASE WHEN b.id = ANY (g.budget_ids) THEN g.calls ELSE 0 END)", answered: "p_calls", templates: "")
}
