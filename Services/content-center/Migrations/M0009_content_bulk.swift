import Jobs
import PostgresStore

/// Work on many contents at once, and what resembles what.
let m0009ContentBulk = Migration(
    number: 9, name: "content_bulk",
    sql: """
        \(Jobs.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))

        -- The fingerprint of each content's newest text, made when somebody first asks what resembles it.
        CREATE TABLE content_fingerprints (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            version integer NOT NULL,
            PRIMARY KEY (tenant_id, content_id),
            FOREIGN KEY (tenant_id, content_id) REFERENCES contents (tenant_id, id) ON DELETE CASCADE
        );
        \(TenantTable.secure("content_fingerprints", app: DatabaseRoles.app))
        -- Two texts that share a band probably share much. Equality of bigint is leakproof, so the index serves under row-level security.
        CREATE TABLE content_fingerprint_bands (
            tenant_id uuid NOT NULL,
            content_id uuid NOT NULL,
            band bigint NOT NULL,
            PRIMARY KEY (tenant_id, band, content_id),
            FOREIGN KEY (tenant_id, content_id) REFERENCES content_fingerprints (tenant_id, content_id) ON DELETE CASCADE
        );
        CREATE INDEX content_fingerprint_bands_of_content ON content_fingerprint_bands (tenant_id, content_id);
        \(TenantTable.secure("content_fingerprint_bands", app: DatabaseRoles.app))
        """)
