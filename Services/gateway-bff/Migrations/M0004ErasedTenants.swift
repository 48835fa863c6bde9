import PostgresStore

extension Migration {
    /// When a tenant was erased: what happened until then is told no more. Events that told of it go, not only by their age.
    static let m0004ErasedTenants = Migration(
        number: 4, name: "erased_tenants",
        sql: """
            ALTER TABLE stream_heads ADD COLUMN erased_at timestamptz;
            GRANT DELETE ON stream_events TO gateway_app;
            """)
}
