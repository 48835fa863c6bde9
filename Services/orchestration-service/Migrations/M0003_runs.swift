import Jobs
import PostgresStore

/// Runs: jobs, and their steps as people see them.
let m0003Runs = Migration(
    number: 3, name: "runs",
    sql: """
        \(Jobs.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))

        -- What a run is beside its job of the same id. The version counts its moves, each of which is an event.
        CREATE TABLE runs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            version bigint NOT NULL DEFAULT 0,
            problem jsonb,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, id) REFERENCES jobs ON DELETE CASCADE
        );
        \(TenantTable.secure("runs", app: DatabaseRoles.app))

        CREATE TABLE run_steps (
            tenant_id uuid NOT NULL,
            run_id uuid NOT NULL,
            name text NOT NULL,
            position integer NOT NULL,
            state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
            content_id uuid,
            problem jsonb,
            PRIMARY KEY (tenant_id, run_id, name),
            FOREIGN KEY (tenant_id, run_id) REFERENCES runs ON DELETE CASCADE
        );
        \(TenantTable.secure("run_steps", app: DatabaseRoles.app))
        """)
