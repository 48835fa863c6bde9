import PostgresStore

/// What media jobs make for contents of kind `video`.
let m0033ContentVideos = Migration(
    number: 33, name: "content_videos",
    sql: """
        -- The content that shows what the job makes; it may be gone since.
        ALTER TABLE media_jobs ADD content_id uuid;
        CREATE INDEX media_jobs_of_content ON media_jobs (tenant_id, content_id, id) WHERE content_id IS NOT NULL;
        """)
