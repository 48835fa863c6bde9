import Messaging
import PostgresStore

/// Where contents stand on accounts, and which events have told of it.
let m0008PublishStatus = Migration(
    number: 8, name: "publish_status",
    sql: """
        \(Inbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))

        CREATE TABLE content_publish_status (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            account_id uuid NOT NULL,
            platform text NOT NULL,
            -- What the row says comes from this event; a later task, and within a task a greater version, replaces it.
            task_id uuid NOT NULL,
            task_version bigint NOT NULL,
            event_id uuid NOT NULL,
            content_version integer NOT NULL,
            status text NOT NULL,
            item_id text,
            url text,
            reason text,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, content_id, account_id, platform),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("content_publish_status", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, UPDATE"))

        -- Every event, also those that came too late to count.
        CREATE TABLE content_publish_changes (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            account_id uuid NOT NULL,
            platform text NOT NULL,
            task_id uuid NOT NULL,
            task_version bigint NOT NULL,
            event_id uuid NOT NULL,
            content_version integer NOT NULL,
            status text NOT NULL,
            item_id text,
            url text,
            reason text,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, content_id, task_id, task_version, event_id),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("content_publish_changes", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        """)
