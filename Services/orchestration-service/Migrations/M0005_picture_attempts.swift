import PostgresStore

/// The attempt rows of pictures: what is known of a call that costs money and cannot be repeated.
let m0005PictureAttempts = Migration(
    number: 5, name: "picture_attempts",
    sql: """
        CREATE TABLE picture_attempts (
            tenant_id uuid NOT NULL,
            run_id uuid NOT NULL,
            number smallint NOT NULL CHECK (number BETWEEN 1 AND 9),
            state text NOT NULL CHECK (state IN ('calling', 'unconfirmed', 'unusable', 'answered', 'kept')),
            ticket_id uuid NOT NULL,
            latency_ms integer NOT NULL DEFAULT 0,
            is_settled boolean NOT NULL DEFAULT false,
            address text,
            asset_id uuid,
            -- The bytes on their way into content-center; gone once they are an asset there.
            picture bytea CHECK (octet_length(picture) <= 8388608),
            created_at timestamptz NOT NULL DEFAULT app_now(),
            updated_at timestamptz NOT NULL DEFAULT app_now(),
            PRIMARY KEY (tenant_id, run_id, number),
            CHECK ((state = 'kept') = (asset_id IS NOT NULL))
        );
        ALTER TABLE picture_attempts ALTER picture SET STORAGE EXTERNAL;
        \(TenantTable.secure("picture_attempts", app: DatabaseRoles.app))
        """)
