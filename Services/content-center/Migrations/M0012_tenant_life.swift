import PostgresStore

let m0012TenantLife = Migration(
    number: 12, name: "tenant_life",
    sql: """
        -- Archives of everything that a tenant has here. The row's id is the job's and the object's.
        CREATE TABLE tenant_exports (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            requested_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            -- NULL until the archive is there.
            size bigint,
            sha256 bytea CHECK (octet_length(sha256) = 32),
            counts jsonb,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id)
        );
        CREATE INDEX tenant_exports_end ON tenant_exports (expires_at);
        \(TenantTable.secure(
            "tenant_exports", app: DatabaseRoles.app, system: DatabaseRoles.system, systemPrivileges: "SELECT, DELETE"))

        -- What is left of a tenant that was erased: that it was, and how much there had been.
        CREATE TABLE tenant_erasures (
            tenant_id uuid NOT NULL PRIMARY KEY,
            id uuid NOT NULL,
            requested_by text NOT NULL,
            operation_id uuid,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            counts jsonb NOT NULL DEFAULT '[]',
            finished_at timestamptz
        );
        \(TenantTable.secure("tenant_erasures", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, UPDATE"))

        -- From the order on nothing new comes. Whoever writes shares a lock that the order takes alone, so that no transaction which began
        -- before the order can commit after it unseen.
        CREATE FUNCTION tenant_write_lock(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended('tenant ' || tenant, 0) $$;
        CREATE FUNCTION refuse_erased_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(tenant_write_lock(app_tenant()));
            IF EXISTS (SELECT FROM tenant_erasures WHERE tenant_id = app_tenant()) THEN
                RAISE EXCEPTION 'the tenant was erased' USING ERRCODE = 'TE001';
            END IF;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION tenant_write_lock, refuse_erased_tenant TO \(DatabaseRoles.app);
        \(triggers)
        GRANT DELETE ON search_words, search_segments, asset_usage, inbox TO \(DatabaseRoles.app);
        """)

/// Where everything else that a tenant has hangs from.
private let guarded = ["contents", "content_spaces", "content_assets", "materials", "account_profiles", "tenant_exports", "jobs"]

private let triggers = guarded.map { table in
    "CREATE TRIGGER \(table)_of_living_tenant BEFORE INSERT ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();"
}.joined(separator: "\n")
