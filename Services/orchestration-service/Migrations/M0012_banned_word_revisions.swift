import PostgresStore

/// How often each tenant's banned words have changed: the version of the events that tell of it.
let m0012BannedWordRevisions = Migration(
    number: 12, name: "banned_word_revisions",
    sql: """
        CREATE TABLE banned_word_revisions (
            tenant_id uuid NOT NULL PRIMARY KEY,
            revision bigint NOT NULL CHECK (revision > 0)
        );
        \(TenantTable.secure(
            "banned_word_revisions", app: DatabaseRoles.app, system: DatabaseRoles.system, systemPrivileges: "SELECT"))
        CREATE TRIGGER banned_word_revisions_of_living_tenant BEFORE INSERT ON banned_word_revisions
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_tenant();

        -- Whose words were never told of is learnt before a tenant is known; the words themselves are the tenant's.
        CREATE POLICY banned_words_system ON banned_words FOR SELECT TO "\(DatabaseRoles.system)" USING (true);
        GRANT SELECT (tenant_id) ON banned_words TO "\(DatabaseRoles.system)";
        """)
