import PostgresStore

/// Tenants' prompts: versions, labels, experiments and their outcomes.
enum M0007Prompts {
    static let migration = Migration(
        number: 7, name: "prompts and experiments",
        sql: prompts + experiments
            + TenantTable.secure("prompt_tenants", app: "agent_app", system: "agent_system", systemPrivileges: "SELECT")
            + TenantTable.secure("prompts", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            // A version never changes.
            + TenantTable.secure("prompt_versions", app: "agent_app", appPrivileges: "SELECT, INSERT")
            + TenantTable.secure("prompt_labels", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            + TenantTable.secure("prompt_label_moves", app: "agent_app", appPrivileges: "SELECT, INSERT")
            + TenantTable.secure("prompt_experiments", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            + TenantTable.secure("prompt_experiment_arms", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE")
            + TenantTable.secure("prompt_experiment_changes", app: "agent_app", appPrivileges: "SELECT, INSERT")
            + TenantTable.secure("prompt_outcomes", app: "agent_app", appPrivileges: "SELECT, INSERT")
            + TenantTable.secure("prompt_outcome_counts", app: "agent_app", appPrivileges: "SELECT, INSERT, UPDATE"))

    private static let prompts = #"""
        -- Counts every change of what calls get; its lock puts the changes of all tenants in a line.
        CREATE TABLE prompt_revision (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            revision bigint  NOT NULL
        );
        INSERT INTO prompt_revision (revision) VALUES (0);
        GRANT SELECT, UPDATE ON prompt_revision TO agent_app;
        -- The newest change of each tenant, so that each replica sees whose prompts to read anew.
        CREATE TABLE prompt_tenants (
            tenant_id uuid   PRIMARY KEY,
            revision  bigint NOT NULL
        );
        CREATE INDEX prompt_tenants_by_revision ON prompt_tenants (revision);

        CREATE TABLE prompts (
            tenant_id    uuid        NOT NULL,
            name         text        NOT NULL,
            last_version integer     NOT NULL CHECK (last_version > 0),
            created_at   timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, name)
        );
        CREATE TABLE prompt_versions (
            tenant_id    uuid        NOT NULL,
            name         text        NOT NULL,
            number       integer     NOT NULL CHECK (number > 0),
            -- In the form of a prompt file.
            text         text        NOT NULL,
            note         text        NOT NULL,
            created_by   text        NOT NULL,
            created_at   timestamptz NOT NULL DEFAULT app_now(),
            operation_id uuid        NOT NULL,
            PRIMARY KEY (tenant_id, name, number),
            UNIQUE (tenant_id, operation_id),
            FOREIGN KEY (tenant_id, name) REFERENCES prompts
        );
        -- A deleted label keeps its row, and goes on counting if it comes back.
        CREATE TABLE prompt_labels (
            tenant_id  uuid        NOT NULL,
            name       text        NOT NULL,
            label      text        NOT NULL,
            -- 0: the one that ships with the service; NULL: deleted.
            version    integer     CHECK (version >= 0),
            revision   bigint      NOT NULL,
            updated_by text        NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, name, label)
        );
        CREATE TABLE prompt_label_moves (
            tenant_id    uuid        NOT NULL,
            name         text        NOT NULL,
            label        text        NOT NULL,
            revision     bigint      NOT NULL CHECK (revision > 0),
            kind         text        NOT NULL CHECK (kind IN ('moved', 'rolled_back', 'deleted')),
            from_version integer,
            to_version   integer,
            -- The move that a rollback from here goes back to; 0: to before the first one; NULL: nowhere.
            parent       bigint,
            moved_by     text        NOT NULL,
            moved_at     timestamptz NOT NULL DEFAULT app_now(),
            operation_id uuid        NOT NULL,
            PRIMARY KEY (tenant_id, name, label, revision),
            FOREIGN KEY (tenant_id, name, label) REFERENCES prompt_labels
        );

        """#

    private static let experiments = #"""
        CREATE TABLE prompt_experiments (
            tenant_id           uuid        NOT NULL,
            id                  uuid        NOT NULL,
            prompt              text        NOT NULL,
            description         text        NOT NULL,
            control             text        NOT NULL,
            unit                text        NOT NULL CHECK (unit IN ('operation', 'subject')),
            salt                text        NOT NULL,
            guard_kind          text        CHECK (guard_kind IN ('accepted', 'edited', 'rejected', 'published')),
            guard_above         double precision CHECK (guard_above > 0 AND guard_above < 1),
            guard_min_exposures integer     CHECK (guard_min_exposures > 0),
            state               text        NOT NULL CHECK (state IN ('draft', 'running', 'stopped', 'finished')),
            created_by          text        NOT NULL,
            created_at          timestamptz NOT NULL DEFAULT app_now(),
            started_at          timestamptz,
            stopped_at          timestamptz,
            operation_id        uuid        NOT NULL,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, operation_id),
            CHECK ((guard_kind IS NULL) = (guard_above IS NULL) AND (guard_kind IS NULL) = (guard_min_exposures IS NULL))
        );
        -- Two at a time would decide about the same calls.
        CREATE UNIQUE INDEX prompt_experiments_running ON prompt_experiments (tenant_id, prompt) WHERE state = 'running';
        CREATE TABLE prompt_experiment_arms (
            tenant_id      uuid    NOT NULL,
            experiment_id  uuid    NOT NULL,
            name           text    NOT NULL,
            position       integer NOT NULL,
            version        integer NOT NULL CHECK (version >= 0),
            weight         integer NOT NULL CHECK (weight > 0),
            is_control     boolean NOT NULL,
            stopped_at     timestamptz,
            stopped_reason text,
            PRIMARY KEY (tenant_id, experiment_id, name),
            FOREIGN KEY (tenant_id, experiment_id) REFERENCES prompt_experiments
        );
        CREATE TABLE prompt_experiment_changes (
            tenant_id     uuid        NOT NULL,
            experiment_id uuid        NOT NULL,
            -- In their order.
            id            uuid        NOT NULL,
            at            timestamptz NOT NULL DEFAULT app_now(),
            actor         text        NOT NULL,
            change        text        NOT NULL,
            arm           text,
            reason        text,
            PRIMARY KEY (tenant_id, experiment_id, id),
            FOREIGN KEY (tenant_id, experiment_id) REFERENCES prompt_experiments
        );
        CREATE TABLE prompt_outcomes (
            tenant_id     uuid        NOT NULL,
            experiment_id uuid        NOT NULL,
            -- An operation's id or a subject.
            unit          text        NOT NULL,
            kind          text        NOT NULL CHECK (kind IN ('accepted', 'edited', 'rejected', 'published')),
            arm           text        NOT NULL,
            value         double precision,
            posted_by     text        NOT NULL,
            recorded_at   timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, experiment_id, unit, kind),
            FOREIGN KEY (tenant_id, experiment_id) REFERENCES prompt_experiments
        );
        -- Sums over the outcomes, so that results cost the same however many there are.
        CREATE TABLE prompt_outcome_counts (
            tenant_id     uuid   NOT NULL,
            experiment_id uuid   NOT NULL,
            arm           text   NOT NULL,
            kind          text   NOT NULL,
            count         bigint NOT NULL,
            -- Those with a number, its mean, and the squares of the distances to it.
            valued        bigint NOT NULL,
            mean          double precision NOT NULL,
            squares       double precision NOT NULL,
            PRIMARY KEY (tenant_id, experiment_id, arm, kind),
            FOREIGN KEY (tenant_id, experiment_id) REFERENCES prompt_experiments
        );

        -- Exposures. Rows outside of experiments are not in them.
        CREATE INDEX ai_usage_ledger_exposures ON ai_usage_ledger (tenant_id, experiment_id, experiment_arm, operation_id)
            INCLUDE (subject) WHERE experiment_id IS NOT NULL AND provider NOT IN ('template', 'unknown');
        CREATE INDEX ai_usage_ledger_exposed_subjects ON ai_usage_ledger (tenant_id, experiment_id, subject, created_at)
            WHERE experiment_id IS NOT NULL AND provider NOT IN ('template', 'unknown');

        """#
}
