import PostgresStore

/// What is stored of a text has changed: fingerprints of before are made anew when somebody asks.
let m0029FingerprintMethod = Migration(
    number: 29, name: "fingerprint_method",
    sql: """
        ALTER TABLE content_fingerprints
            ADD method smallint NOT NULL DEFAULT 1,
            -- The version whose text the bands are of, as the method has them.
            ADD marked_version integer;
        -- Servers from before this move `version` alone and take the marks away, also while others make the same fingerprint.
        CREATE FUNCTION content_fingerprint_unmarked() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.marked_version := NULL;
                RETURN NEW;
            END
        $$;
        GRANT EXECUTE ON FUNCTION content_fingerprint_unmarked() TO \(DatabaseRoles.app);
        CREATE TRIGGER content_fingerprint_unmarked BEFORE UPDATE OF version ON content_fingerprints
            FOR EACH ROW WHEN (NEW.marked_version IS NOT DISTINCT FROM OLD.marked_version)
            EXECUTE FUNCTION content_fingerprint_unmarked();
        """)
