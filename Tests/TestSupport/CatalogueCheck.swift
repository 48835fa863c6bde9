public import PostgresStore

/// Looks through a database's catalogue for holes in the wall between tenants (design §9).
public enum CatalogueCheck {
    /// - Parameters:
    ///   - database: as superuser or owner, so that nothing is hidden.
    ///   - globalTables: look-up tables that may be found without a tenant, and hold only what leads to one; they need no row-level
    ///     security, and their keys may leave the tenant out.
    /// - Returns: a sentence for each tenant table without forced row-level security, and for each of its unique or foreign keys that
    ///   lacks `tenant_id`; empty if all is well. A tenant table is one with a column `tenant_id`.
    ///
    /// A primary key of another table that is meant to be global has to be listed too: a table without `tenant_id` that is not listed
    /// is a violation itself.
    public static func violations(in database: Database, globalTables: Set<String> = []) async throws -> [String] {
        let listed = globalTables.union(["schema_migrations"]).sorted()
        let tables = try await database.query(
            """
            SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                   EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy,
                   EXISTS (SELECT 1 FROM pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS has_tenant
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname <> ALL (\(listed))
            ORDER BY c.relname
            """)
        var found: [String] = []
        for row in tables {
            let name: String = try row.decode("name")
            guard try row.decode("has_tenant", as: Bool.self) else {
                found.append("\(name): has no tenant_id and is not listed as global")
                continue
            }
            if try !row.decode("forced", as: Bool.self) { found.append("\(name): row-level security is not forced") }
            if try !row.decode("has_policy", as: Bool.self) { found.append("\(name): has no policy") }
        }
        // Exclusion constraints stand in pg_index too; foreign keys only among the constraints.
        let keys = try await database.query(
            """
            WITH tenant_tables AS (
                SELECT c.oid, c.relname, a.attnum FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname <> ALL (\(listed))
            )
            SELECT t.relname::text AS name, i.indexrelid::regclass::text AS key, 'unique' AS kind
            FROM tenant_tables t JOIN pg_index i ON i.indrelid = t.oid
            WHERE i.indisunique AND NOT (t.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
            UNION ALL
            SELECT t.relname::text, f.conname::text, 'foreign key'
            FROM tenant_tables t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
            WHERE NOT (t.attnum = ANY (f.conkey))
              AND (SELECT relname FROM pg_class WHERE oid = f.confrelid) <> ALL (\(listed))
            ORDER BY 1, 2
            """)
        for row in keys {
            let (name, key, kind): (String, String, String) = (
                try row.decode("name"), try row.decode("key"), try row.decode("kind")
            )
            found.append("\(name): \(kind) \(key) lacks tenant_id")
        }
        return found
    }
}
