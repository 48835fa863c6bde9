import PostgresStore

/// What is announced counts against the quota while it is on its way.
let m0027PendingUploads = Migration(
    number: 27, name: "pending_uploads",
    sql: "CREATE INDEX content_assets_pending_of_tenant ON content_assets (tenant_id) INCLUDE (size) WHERE state = 'pending';")
