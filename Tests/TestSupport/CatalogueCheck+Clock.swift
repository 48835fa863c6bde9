public import PostgresStore

extension CatalogueCheck {
    /// Looks for instants that do not come from `app_now()`, the one clock that tests can move (design §9).
    ///
    /// - Parameter database: as superuser or owner, so that nothing is hidden.
    /// - Returns: a sentence where `app_now()` is not as ``PlatformSchema/v2`` makes it, and for every default, check, policy, trigger,
    ///   function and view that reads another clock; empty if all is well.
    public static func clockViolations(in database: Database) async throws -> [String] {
        var found: [String] = []
        let clocks = try await database.query(
            """
            SELECT p.prosrc AS source, l.lanname::text AS language, p.provolatile::text || p.proparallel::text AS kind, p.prosecdef AS borrows,
                   (SELECT count(*) FROM pg_roles r WHERE (r.rolname LIKE '%!_app' ESCAPE '!' OR r.rolname LIKE '%!_system' ESCAPE '!')
                      AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS refused
            FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.proname = 'app_now'
            """)
        if let clock = clocks.first, clocks.count == 1 {
            let source: String = try clock.decode("source")
            let (language, kind): (String, String) = (try clock.decode("language"), try clock.decode("kind"))
            let borrows: Bool = try clock.decode("borrows")
            // Stable, so that an index can serve it; parallel safe.
            if !PlatformSchema.v2.contains("$$\(source)$$") || language != "plpgsql" || kind != "ss" || borrows {
                found.append("app_now: is not the platform's clock (\(language), \(kind)): \(source)")
            }
            if try clock.decode("refused", as: Int.self) > 0 { found.append("app_now: a server's role may not call it") }
        } else {
            found.append("app_now: \(clocks.count) functions have this name")
        }
        let others = try await database.query(
            """
            WITH texts (place, text) AS (
                SELECT format('default of %s.%s', c.relname, a.attname), pg_get_expr(d.adbin, d.adrelid)
                FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
                -- The migrator's own, which is there before app_now().
                WHERE c.relname <> 'schema_migrations'
                UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
                UNION ALL SELECT 'policy ' || polname, pg_get_expr(polqual, polrelid) || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '')
                FROM pg_policy
                UNION ALL SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
                UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.proname <> 'app_now'
                    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
                UNION ALL SELECT 'view ' || viewname, definition FROM pg_views
                WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
            )
            SELECT place::text AS place, (regexp_match(text, \(otherClock), 'i'))[1] AS clock FROM texts
            WHERE text ~* \(otherClock) ORDER BY place
            """)
        for row in others {
            let (place, clock): (String, String) = (try row.decode("place"), try row.decode("clock"))
            found.append("\(place) reads \(clock)")
        }
        return found
    }

    /// A regular expression of PostgreSQL: an underscore belongs to a word, so `app_now()` is none of these.
    private static let otherClock =
        #"\m(now(?=\s*\()|(?:(?:clock|statement|transaction|current)_|local)timestamp\M|current_(?:date|time)\M|localtime\M|timeofday\M)"#
}
