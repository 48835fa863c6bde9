import Messaging
import PostgresStore

/// What `TitleGeneration` knows of a tenant, and the trace that every new draft leaves.
let m0001TitleGeneration = Migration(
    number: 1, name: "title_generation",
    sql: """
        \(PlatformSchema.v1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        \(Outbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        \(Inbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))

        -- Words that the tenant wants to see spelt exactly so.
        CREATE TABLE brand_words (
            tenant_id uuid NOT NULL,
            word text NOT NULL CHECK (char_length(word) BETWEEN 1 AND 400),
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, word)
        );
        \(TenantTable.secure("brand_words", app: DatabaseRoles.app))

        -- Words that the tenant never wants to see.
        CREATE TABLE banned_words (
            tenant_id uuid NOT NULL,
            word text NOT NULL CHECK (char_length(word) BETWEEN 1 AND 400),
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, word)
        );
        \(TenantTable.secure("banned_words", app: DatabaseRoles.app))

        -- One row per content.draft.created.v1, by event id.
        CREATE TABLE content_activity (
            tenant_id uuid NOT NULL,
            event_id uuid NOT NULL,
            content_id uuid NOT NULL,
            kind text NOT NULL,
            version integer NOT NULL,
            title text NOT NULL,
            operation_id uuid,
            occurred_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, event_id)
        );
        CREATE INDEX content_activity_by_time ON content_activity (tenant_id, occurred_at, event_id);
        CREATE INDEX content_activity_by_content ON content_activity (tenant_id, content_id);
        \(TenantTable.secure("content_activity", app: DatabaseRoles.app))
        """)
