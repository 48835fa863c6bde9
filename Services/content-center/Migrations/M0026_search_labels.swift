import PostgresStore

/// A search takes the filters of the list: also by space, topic and tag.
///
/// Servers of before serve on after this while versions roll, and write documents as they know them. So nothing is listed here to be taken
/// in anew: they would consume it. Each document tells what its writer knew, and the indexer finds what knew less than itself.
let m0026SearchLabels = Migration(
    number: 26, name: "search_labels",
    sql: """
        \(SearchFunctions.v5)

        -- What the writer of a document knew, and who looked last whether a document has a word: 0 before this, 1 with labels among the
        -- tokens, and words that are forgotten. (The indexes are made in 28: what is here needs the tables for itself, and is short.)
        ALTER TABLE search_documents ADD reading smallint NOT NULL DEFAULT 0;
        ALTER TABLE search_words ADD reading smallint NOT NULL DEFAULT 0;

        -- A writer says it for its transaction. One that does not is of before, whatever the document was until now.
        CREATE FUNCTION search_note_reading() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.reading := coalesce(nullif(current_setting('search.reading', true), '')::smallint, 0);
            RETURN NEW;
        END $$;
        GRANT EXECUTE ON FUNCTION search_note_reading() TO \(DatabaseRoles.app);
        CREATE TRIGGER search_documents_reading BEFORE INSERT OR UPDATE OF terms ON search_documents
            FOR EACH ROW EXECUTE FUNCTION search_note_reading();

        -- Whoever keeps the index finds what is to be read anew, of all tenants.
        CREATE POLICY search_documents_system ON search_documents FOR SELECT TO \(DatabaseRoles.system) USING (true);
        GRANT SELECT (tenant_id, id, reading) ON search_documents TO \(DatabaseRoles.system);
        CREATE POLICY search_words_system ON search_words FOR SELECT TO \(DatabaseRoles.system) USING (true);
        GRANT SELECT (tenant_id, reading) ON search_words TO \(DatabaseRoles.system);

        -- For search_forget.
        CREATE POLICY search_words_owner_forgets ON search_words FOR DELETE TO CURRENT_USER USING (true);
        CREATE POLICY search_words_owner_checks ON search_words FOR UPDATE TO CURRENT_USER USING (true);
        """)
