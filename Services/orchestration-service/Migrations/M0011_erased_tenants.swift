import PostgresStore

/// Tenants whose data is gone for good: nothing of theirs is kept here any more, and nothing new begins.
let m0011ErasedTenants = Migration(
    number: 11, name: "erased_tenants",
    sql: """
        -- What is left of a tenant that was erased: that it was, and since when nothing of it is left here.
        CREATE TABLE erased_tenants (
            tenant_id uuid NOT NULL PRIMARY KEY,
            erasure_id uuid NOT NULL,
            heard_at timestamptz NOT NULL DEFAULT app_now(),
            finished_at timestamptz
        );
        \(TenantTable.secure("erased_tenants", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, UPDATE"))

        -- Whoever writes shares a lock that the erasure takes alone for its mark, so that no transaction which began before the mark can
        -- commit after it unseen.
        CREATE FUNCTION tenant_write_lock(tenant uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended('tenant ' || tenant, 0) $$;
        CREATE FUNCTION refuse_erased_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(tenant_write_lock(app_tenant()));
            IF EXISTS (SELECT FROM erased_tenants WHERE tenant_id = app_tenant()) THEN
                RAISE EXCEPTION 'the tenant was erased' USING ERRCODE = 'TE001';
            END IF;
            RETURN NULL;
        END $$;
        GRANT EXECUTE ON FUNCTION tenant_write_lock, refuse_erased_tenant TO \(DatabaseRoles.app);
        \(triggers)
        GRANT DELETE ON semantic_tenants, inbox TO \(DatabaseRoles.app);
        """)

/// Where everything else that a tenant has hangs from. A run that begins, and one that is taken up again, falls due: `job_due` stands for both.
private let guarded = ["job_due", "picture_attempts", "brand_words", "banned_words", "semantic_tenants"]

private let triggers = guarded.map { table in
    "CREATE TRIGGER \(table)_of_living_tenant BEFORE INSERT ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();"
}.joined(separator: "\n")
