/// What every service's database has before it owns anything.
public enum PlatformSchema {
    /// Creates `app_now()` and `app_tenant()` and lets the server's roles into the schema; for a service's first migration.
    ///
    /// `app_now()` is the one clock of stored instants: `clock_timestamp()`, and in tests moved by ``clock(offset:)``. It is `STABLE`,
    /// so that an index can serve `due_at <= app_now()`; it does not stand still within a transaction, as `now()` would.
    public static func v1(app: String, system: String) -> String {
        let roles = "\(app.quotedIdentifier), \(system.quotedIdentifier)"
        return """
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO \(roles);
            GRANT SELECT ON schema_migrations TO \(roles);
            CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
                AS $$ SELECT clock_timestamp() $$;
            GRANT EXECUTE ON FUNCTION app_now() TO \(roles);
            CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
                AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;
            GRANT EXECUTE ON FUNCTION app_tenant() TO \(roles);

            """
    }

    /// Makes `app_now()` cheap. In SQL it could not be inlined, being more stable than what it calls, and was parsed and planned anew
    /// in every statement that used it (some 30 µs each); PL/pgSQL keeps it ready for as long as the connection lives.
    public static let v2 = clock(offset: .zero)

    /// Redefines `app_now()`. Only the owner of the function can, that is, a migration or a test: no server holds that role.
    public static func clock(offset: Duration) -> String {
        let (seconds, attoseconds) = offset.components
        let shift =
            seconds == 0 && attoseconds == 0
            ? "" : " + interval '\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000) microseconds'"
        return """
            CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE
                AS $$ BEGIN RETURN clock_timestamp()\(shift); END $$;

            """
    }
}

/// The wall between tenants, written once.
public enum TenantTable {
    /// SQL that enables and forces row-level security on a table with a column `tenant_id uuid`, and grants the roles what they need.
    ///
    /// - Parameters:
    ///   - app: the role of ordinary work: it sees the rows of the tenant that the transaction has set, and no row without one.
    ///   - system: the role that finds work before a tenant is known; it sees all rows. Name it only where that is needed.
    ///   - appPrivileges: e.g. `SELECT, INSERT` for a table that is only appended to.
    ///   - systemPrivileges: as above.
    ///
    /// Row security holds for the owner too: a later migration that changes rows must bring a policy for it, or set the tenant.
    public static func secure(
        _ table: String, app: String, system: String? = nil, appPrivileges: String = "SELECT, INSERT, UPDATE, DELETE",
        systemPrivileges: String = "SELECT, INSERT, UPDATE, DELETE"
    ) -> String {
        let name = table.quotedIdentifier
        let isOwnRow = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"
        var sql = """
            ALTER TABLE \(name) ENABLE ROW LEVEL SECURITY;
            ALTER TABLE \(name) FORCE ROW LEVEL SECURITY;
            CREATE POLICY \("\(table)_tenant".quotedIdentifier) ON \(name) TO \(app.quotedIdentifier)
                USING (\(isOwnRow)) WITH CHECK (\(isOwnRow));
            GRANT \(appPrivileges) ON \(name) TO \(app.quotedIdentifier);

            """
        if let system {
            sql += """
                CREATE POLICY \("\(table)_system".quotedIdentifier) ON \(name) TO \(system.quotedIdentifier)
                    USING (true) WITH CHECK (true);
                GRANT \(systemPrivileges) ON \(name) TO \(system.quotedIdentifier);

                """
        }
        return sql
    }
}
