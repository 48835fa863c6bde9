import PostgresStore

/// A third dialect, names that think, busy hours as data, and policies of the platform.
enum M0010ModelWire {
    /// What peak rates meant before they had hours of their own: DeepSeek's, whoever the provider was.
    private static let formerHours = #"""
        {"zone":"Asia/Shanghai","days":["mon","tue","wed","thu","fri"],
         "ranges":[{"from":"09:00","until":"12:00"},{"from":"14:00","until":"18:00"}],
         "except":["2026-10-01","2026-10-02","2026-10-05","2026-10-06","2026-10-07","2027-01-01"]}
        """#

    static let migration = Migration(
        number: 10, name: "the wire of compatible servers, peak hours, platform policies",
        sql: #"""
            ALTER TABLE model_providers DROP CONSTRAINT model_providers_dialect_check,
                ADD CONSTRAINT model_providers_dialect_check CHECK (dialect IN ('openai', 'deepseek', 'compatible'));

            ALTER TABLE model_aliases ADD COLUMN thinks boolean NOT NULL DEFAULT false;

            ALTER TABLE model_prices ADD COLUMN peak_hours jsonb CHECK (jsonb_typeof(peak_hours) = 'object');
            UPDATE model_prices SET peak_hours = '\#(formerHours)' WHERE peak_prompt_nano IS NOT NULL;
            ALTER TABLE model_prices ADD CHECK ((peak_hours IS NULL) = (peak_prompt_nano IS NULL));

            -- Like models and prices the platform's: no tenant owns them, every tenant's calls may follow them.
            CREATE TABLE platform_routing_policies (
                -- '*' = every scene
                scene      text        PRIMARY KEY,
                routes     jsonb       NOT NULL CHECK (jsonb_typeof(routes) = 'array'),
                updated_by text        NOT NULL,
                updated_at timestamptz NOT NULL DEFAULT app_now()
            );
            GRANT SELECT, INSERT, UPDATE, DELETE ON platform_routing_policies TO agent_app;
            GRANT SELECT ON platform_routing_policies TO agent_system;
            """#)
}
