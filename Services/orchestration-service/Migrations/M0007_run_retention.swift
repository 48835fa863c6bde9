import PostgresStore

/// Runs that ended long ago go, whoever's they are.
let m0007RunRetention = Migration(
    number: 7, name: "run_retention",
    sql: """
        CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
        CREATE POLICY jobs_sweep ON jobs TO \(DatabaseRoles.system) USING (finished_at IS NOT NULL);
        GRANT SELECT (tenant_id, id, finished_at), DELETE ON jobs TO \(DatabaseRoles.system);

        CREATE POLICY picture_attempts_sweep ON picture_attempts TO \(DatabaseRoles.system) USING (true);
        GRANT SELECT (tenant_id, run_id), DELETE ON picture_attempts TO \(DatabaseRoles.system);
        """)
