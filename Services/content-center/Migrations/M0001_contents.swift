import Messaging
import PostgresStore

/// Contents and their versions, and the outbox that tells of them.
let m0001Contents = Migration(
    number: 1, name: "contents",
    sql: """
        \(PlatformSchema.v1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        \(Outbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))

        -- The newest state of everything a tenant made. What it says stands in content_versions.
        CREATE TABLE contents (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            status text NOT NULL CHECK (status IN (
                'draft', 'in_review', 'changes_requested', 'approved', 'on_hold', 'scheduled', 'queued', 'publishing',
                'waiting_user_action', 'unconfirmed', 'published', 'failed', 'canceled')),
            version integer NOT NULL CHECK (version >= 1),
            title text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, id)
        );
        -- Lists go by id, newest first (UUIDv7); the primary key serves the unfiltered one.
        CREATE INDEX contents_by_kind ON contents (tenant_id, kind, id);
        CREATE INDEX contents_by_status ON contents (tenant_id, status, id);
        \(TenantTable.secure("contents", app: DatabaseRoles.app))

        -- Every version ever written; never changed afterwards.
        CREATE TABLE content_versions (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            version integer NOT NULL CHECK (version >= 1),
            title text NOT NULL,
            body jsonb NOT NULL,
            source_kind text NOT NULL CHECK (source_kind IN ('human', 'model', 'template')),
            source_name text,
            prompt_version text,
            author text NOT NULL,
            -- Which step of which operation wrote it: the repeat of a request finds it by these.
            operation_id uuid,
            step text,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, content_id, version),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id),
            CONSTRAINT content_versions_operation UNIQUE (tenant_id, operation_id, step),
            CHECK ((operation_id IS NULL) = (step IS NULL))
        );
        \(TenantTable.secure("content_versions", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        """)
