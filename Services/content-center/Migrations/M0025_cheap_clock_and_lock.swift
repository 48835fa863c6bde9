import PostgresStore

/// What each write calls costs less, and does the same.
let m0025CheapClockAndLock = Migration(
    number: 25, name: "cheap_clock_and_lock",
    sql: PlatformSchema.v2 + """
        -- The cast is what lets it be inlined: `text || uuid` may differ from one session to another, for all that the planner knows.
        CREATE OR REPLACE FUNCTION tenant_write_lock(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended('tenant ' || tenant::text, 0) $$;
        """)
