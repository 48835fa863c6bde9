import PostgresStore

/// Where contents stand in their review, what was said about them, and what changed besides their text.
let m0004ContentReview = Migration(
    number: 4, name: "content_review",
    sql: """
        -- Changes besides those of the text: version + changes is the revision. Every row begins without any.
        ALTER TABLE contents ADD changes integer NOT NULL DEFAULT 0;
        ALTER TABLE contents ADD held_from text CHECK (held_from IN ('draft', 'in_review', 'changes_requested', 'approved'));
        ALTER TABLE contents ADD CHECK ((status = 'on_hold') = (held_from IS NOT NULL));
        -- How many there had been when the version was written: the repeat of a request answers the revision of that time.
        ALTER TABLE content_versions ADD changes_before integer NOT NULL DEFAULT 0;

        -- Who moved a content where; never changed afterwards.
        CREATE TABLE content_reviews (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            revision integer NOT NULL,
            version integer NOT NULL,
            action text NOT NULL,
            from_status text NOT NULL,
            to_status text NOT NULL,
            note text,
            actor text NOT NULL,
            operation_id uuid,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, content_id, revision),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id)
        );
        -- The repeat of a request finds what it did by these. One operation may edit often.
        CREATE UNIQUE INDEX content_reviews_operation ON content_reviews (tenant_id, operation_id, content_id, action)
            WHERE action <> 'edit';
        \(TenantTable.secure("content_reviews", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))

        CREATE TABLE content_comments (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            content_id uuid NOT NULL,
            version integer NOT NULL,
            -- RFC 6901, into the version's title and body.
            pointer text,
            text text NOT NULL,
            author text NOT NULL,
            operation_id uuid,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            resolved_at timestamptz,
            resolved_by text,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, content_id, version) REFERENCES content_versions (tenant_id, content_id, version),
            CONSTRAINT content_comments_operation UNIQUE (tenant_id, operation_id, content_id),
            CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
        );
        CREATE INDEX content_comments_of_content ON content_comments (tenant_id, content_id, id);
        \(TenantTable.secure("content_comments", app: DatabaseRoles.app))
        """)
