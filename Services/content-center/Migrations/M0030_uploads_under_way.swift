import PostgresStore

/// Uploads that nobody goes on with take nobody's room.
let m0030UploadsUnderWay = Migration(
    number: 30, name: "uploads_under_way",
    sql: """
        -- When somebody last asked where to send it, within some minutes.
        ALTER TABLE content_assets ADD upload_asked_at timestamptz;
        """)
