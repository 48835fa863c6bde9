import PostgresStore

/// Objects that are about to be kept are listed before they are: whoever dies in between leaves nothing that nobody knows of.
let m0019GarbageInTime = Migration(
    number: 19, name: "garbage_in_time",
    sql: """
        -- From when on it may be removed; until then whoever keeps it may take its row away in the transaction that gives it an owner.
        ALTER TABLE asset_garbage
            ADD due_at timestamptz NOT NULL DEFAULT app_now(),
            -- The media job that makes it.
            ADD job_id uuid;
        CREATE INDEX asset_garbage_due ON asset_garbage (due_at);
        CREATE INDEX asset_garbage_of_job ON asset_garbage (tenant_id, job_id) WHERE job_id IS NOT NULL;
        GRANT UPDATE (due_at) ON asset_garbage TO \(DatabaseRoles.app);
        -- To lock what it removes.
        GRANT UPDATE (due_at) ON asset_garbage TO \(DatabaseRoles.system);
        """)
