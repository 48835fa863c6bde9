import PostgresStore

extension Migration {
    /// Users are global (one e-mail, one user); membership, audit, idempotency and stream rows belong to a tenant (design §9).
    static let m0001CreateGateway = Migration(
        number: 1, name: "create_gateway",
        sql: PlatformSchema.v1(app: app, system: system) + #"""

            -- Global look-up tables: they lead to (tenant, id) before a tenant is known.
            CREATE TABLE tenants (
                id uuid PRIMARY KEY,
                name text NOT NULL,
                plan text NOT NULL DEFAULT 'standard',
                created_at timestamptz NOT NULL DEFAULT app_now()
            );
            CREATE TABLE users (
                id uuid PRIMARY KEY,
                -- Trimmed and lower-cased by the service: lower() in a query would miss the index under row-level security.
                email text NOT NULL UNIQUE,
                password_hash text NOT NULL,
                status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
                created_at timestamptz NOT NULL DEFAULT app_now()
            );
            -- One row per running gateway process; a claim whose instance stopped beating may be taken over.
            CREATE TABLE gateway_instances (
                id uuid PRIMARY KEY,
                seen_at timestamptz NOT NULL DEFAULT app_now()
            );
            GRANT SELECT ON tenants, users TO gateway_system;
            GRANT SELECT, INSERT, UPDATE, DELETE ON gateway_instances TO gateway_app, gateway_system;

            CREATE TABLE memberships (
                tenant_id uuid NOT NULL,
                user_id uuid NOT NULL,
                roles text[] NOT NULL,
                created_at timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, user_id)
            );
            CREATE INDEX memberships_by_user ON memberships (user_id);

            -- One row per Idempotency-Key. The operation id is made once and kept, also when an attempt fails: a repeat finds what the
            -- services did for it instead of doing it again.
            CREATE TABLE idempotency_keys (
                tenant_id uuid NOT NULL,
                principal text NOT NULL,
                route text NOT NULL,
                key text NOT NULL,
                fingerprint bytea NOT NULL,
                operation_id uuid NOT NULL,
                state text NOT NULL CHECK (state IN ('in_flight', 'open', 'done')),
                claim_id uuid NOT NULL,
                instance_id uuid NOT NULL,
                claimed_at timestamptz NOT NULL DEFAULT app_now(),
                lease_until timestamptz NOT NULL,
                response_status int,
                response_headers jsonb,
                response_body bytea,
                created_at timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, principal, route, key)
            );
            CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

            -- Written before the call with status NULL (outcome unknown), completed after it.
            CREATE TABLE audit_log (
                tenant_id uuid NOT NULL,
                id uuid NOT NULL,
                at timestamptz NOT NULL DEFAULT app_now(),
                actor text NOT NULL,
                action text NOT NULL,
                flow text NOT NULL,
                resource text,
                status int,
                request_id text NOT NULL,
                operation_id uuid,
                client_address text NOT NULL,
                PRIMARY KEY (tenant_id, id)
            );

            CREATE TABLE stream_heads (
                tenant_id uuid PRIMARY KEY,
                last_seq bigint NOT NULL
            );
            CREATE TABLE stream_events (
                tenant_id uuid NOT NULL,
                seq bigint NOT NULL,
                event_id uuid NOT NULL,
                type text NOT NULL,
                data text NOT NULL,
                created_at timestamptz NOT NULL DEFAULT app_now(),
                PRIMARY KEY (tenant_id, seq),
                UNIQUE (tenant_id, event_id)
            );
            CREATE INDEX stream_events_by_age ON stream_events (created_at);

            """# + secureTables)

    private static let secureTables = [
        TenantTable.secure("memberships", app: app, system: system, systemPrivileges: "SELECT"),
        TenantTable.secure(
            "idempotency_keys", app: app, system: system, appPrivileges: "SELECT, INSERT, UPDATE",
            systemPrivileges: "SELECT, DELETE"),
        TenantTable.secure("audit_log", app: app, appPrivileges: "SELECT, INSERT, UPDATE"),
        TenantTable.secure(
            "stream_heads", app: app, system: system, appPrivileges: "SELECT, INSERT, UPDATE", systemPrivileges: "SELECT"),
        TenantTable.secure(
            "stream_events", app: app, system: system, appPrivileges: "SELECT, INSERT", systemPrivileges: "SELECT, DELETE"),
    ].joined()

    private static let app = "gateway_app"
    private static let system = "gateway_system"
}
