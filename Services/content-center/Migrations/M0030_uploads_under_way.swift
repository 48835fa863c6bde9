import PostgresStore

/// Uploads that nobody goes on with: they take nobody's room, and whoever removes one lists its object first.
let m0030UploadsUnderWay = Migration(
    number: 30, name: "uploads_under_way",
    sql: """
        -- When somebody last asked where to send it, within some minutes.
        ALTER TABLE content_assets ADD upload_asked_at timestamptz;
        GRANT INSERT ON asset_garbage TO \(DatabaseRoles.system);
        """)
