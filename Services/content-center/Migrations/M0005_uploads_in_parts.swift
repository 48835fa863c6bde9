import PostgresStore

/// Uploads that come in parts.
let m0005UploadsInParts = Migration(
    number: 5, name: "uploads_in_parts",
    sql: """
        -- All parts but the last have this size.
        ALTER TABLE content_assets ADD part_size bigint CHECK (part_size >= 1);
        """)
