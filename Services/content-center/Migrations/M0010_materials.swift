import PostgresStore

let m0010Materials = Migration(
    number: 10, name: "materials",
    sql: """
        -- The closing materials (成交素材库). The counts and the rank follow material_outcomes in the same transaction.
        CREATE TABLE materials (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('case', 'price_list', 'testimonial', 'script', 'file')),
            title text NOT NULL,
            body text,
            stages text[] NOT NULL,
            industries text[] NOT NULL,
            products text[] NOT NULL,
            objections text[] NOT NULL,
            -- The roles that see it; empty = all.
            audience text[] NOT NULL,
            customer_facing boolean NOT NULL,
            status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'approved', 'rejected')),
            review_note text,
            reviewed_by text,
            reviewed_at timestamptz,
            expires_at timestamptz,
            -- The end of which a warning has been given.
            warned_for timestamptz,
            version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
            created_by text NOT NULL,
            updated_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT app_now(),
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            deleted_at timestamptz,
            -- Which operation made it, and which changed it last: the repeat of a request finds it by these.
            operation_id uuid,
            last_operation_id uuid,
            sent integer NOT NULL DEFAULT 0,
            opened integer NOT NULL DEFAULT 0,
            won integer NOT NULL DEFAULT 0,
            last_won_at timestamptz,
            rank bigint NOT NULL,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT materials_operation UNIQUE (tenant_id, operation_id)
        );
        CREATE INDEX materials_by_rank ON materials (tenant_id, rank, id) WHERE deleted_at IS NULL;
        CREATE INDEX materials_ends ON materials (expires_at) WHERE status = 'approved' AND deleted_at IS NULL;
        CREATE INDEX materials_in_bin ON materials (deleted_at) WHERE deleted_at IS NOT NULL;
        \(TenantTable.secure("materials", app: DatabaseRoles.app))
        -- The sweeper finds those whose end is near, and what has lain in the bin for long.
        CREATE POLICY materials_system ON materials TO \(DatabaseRoles.system)
            USING (deleted_at IS NOT NULL OR (status = 'approved' AND expires_at IS NOT NULL)) WITH CHECK (false);
        GRANT SELECT, DELETE ON materials TO \(DatabaseRoles.system);

        -- An asset that a material has is not deleted, also while the material lies in the bin.
        CREATE TABLE material_assets (
            tenant_id uuid NOT NULL,
            material_id uuid NOT NULL,
            position integer NOT NULL,
            asset_id uuid NOT NULL,
            PRIMARY KEY (tenant_id, material_id, position),
            FOREIGN KEY (tenant_id, material_id) REFERENCES materials (tenant_id, id) ON DELETE CASCADE,
            CONSTRAINT material_assets_asset FOREIGN KEY (tenant_id, asset_id) REFERENCES content_assets (tenant_id, id)
        );
        CREATE INDEX material_assets_by_asset ON material_assets (tenant_id, asset_id);
        \(TenantTable.secure("material_assets", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT, DELETE"))

        -- What became of materials: each event counts once for each outcome; never changed afterwards.
        CREATE TABLE material_outcomes (
            tenant_id uuid NOT NULL,
            material_id uuid NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('sent', 'opened', 'won')),
            event_id uuid NOT NULL,
            customer_ref text,
            conversation_ref text,
            recorded_by text NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, material_id, outcome, event_id),
            FOREIGN KEY (tenant_id, material_id) REFERENCES materials (tenant_id, id) ON DELETE CASCADE
        );
        CREATE INDEX material_outcomes_of_conversation ON material_outcomes (tenant_id, conversation_ref, material_id)
            WHERE conversation_ref IS NOT NULL;
        \(TenantTable.secure("material_outcomes", app: DatabaseRoles.app, appPrivileges: "SELECT, INSERT"))
        """)
