import PostgresStore

let m0011AccountProfiles = Migration(
    number: 11, name: "account_profiles",
    sql: """
        -- Who the bound accounts are. Of an account that is bound no more only the number of its last change is kept, so that a late
        -- event does not bring it back.
        CREATE TABLE account_profiles (
            tenant_id uuid NOT NULL,
            account_id uuid NOT NULL,
            platform text NOT NULL,
            -- NULL: not bound.
            nickname text,
            bio text,
            avatar_asset_id uuid,
            follower_count bigint CHECK (follower_count >= 0),
            -- What the row says comes from this event; a greater version replaces it.
            version bigint NOT NULL,
            event_id uuid NOT NULL,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, account_id),
            CONSTRAINT account_profiles_avatar FOREIGN KEY (tenant_id, avatar_asset_id) REFERENCES content_assets (tenant_id, id)
        );
        CREATE INDEX account_profiles_by_avatar ON account_profiles (tenant_id, avatar_asset_id) WHERE avatar_asset_id IS NOT NULL;
        \(TenantTable.secure("account_profiles", app: DatabaseRoles.app))
        """)
