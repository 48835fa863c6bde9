import PostgresStore

/// The functions of the search index. They are the owner's (`SECURITY DEFINER`): under row-level security `@>` and `%` may not use an
/// index for `app`, since neither is leakproof (1 against 90 ms over 100,000 documents). So the owner, which no server works as, may read
/// these tables, and the functions take the tenant from where the policies take it, the transaction's setting.
///
/// In the functions `(tenant_id = …) IS TRUE` is the wall between tenants and no way into an index: a generic plan would sometimes come by
/// the tenant and read all of its documents. The way in is always a token, whose hash the tenant is part of.
enum SearchFunctions {
    static let v1 = """
        -- As many documents of a tenant as one segment holds. A query begins with the newest segment and goes on while it has not found
        -- enough, so that common words cost the same however many documents there are.
        CREATE FUNCTION search_segment_size() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 32768 $$;

        -- The tenant and the segment are part of each token's hash: what others have written is not even looked at.
        CREATE FUNCTION search_seed(tenant uuid, segment integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT hashtextextended(tenant::text, segment) $$;

        -- (Hashes may change with a major version of PostgreSQL: reindex then.)
        CREATE FUNCTION search_terms(tokens text[], seed bigint) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT coalesce(array_agg(hashtextextended(token, seed)), '{}') FROM unnest(tokens) AS token $$;

        -- The segment that a new document goes into. Now and then somebody looks whether it is full and opens the next; a few documents
        -- more or less in one do not matter, so nobody waits for anybody.
        CREATE FUNCTION search_segment() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
        DECLARE
            tenant uuid := app_tenant();
            size integer := search_segment_size();
            current integer := coalesce((SELECT max(segment) FROM search_segments WHERE tenant_id = tenant), 0);
        BEGIN
            IF random() * size < 128 AND (SELECT count(*) FROM (
                SELECT FROM search_documents WHERE tenant_id = tenant AND segment = current LIMIT size) AS filled) >= size
            THEN
                current := current + 1;
                INSERT INTO search_segments (tenant_id, segment) VALUES (tenant, current) ON CONFLICT DO NOTHING;
            END IF;
            RETURN current;
        END $$;

        \(contents)

        -- What the tenant's vocabulary knows of words: whether it has them, or longer ones, or similar ones.
        CREATE FUNCTION search_vocabulary(asked text[])
        RETURNS TABLE (word text, is_word boolean, is_beginning boolean, near text[])
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        #variable_conflict use_column
        DECLARE
            tenant uuid := app_tenant();
        BEGIN
            PERFORM set_limit(0.2);
            RETURN QUERY
            SELECT a.word,
                   EXISTS (SELECT FROM search_words w WHERE w.tenant_id = tenant AND w.word = a.word),
                   EXISTS (SELECT FROM search_words w WHERE w.tenant_id = tenant AND w.word >= a.word AND w.word < a.word || chr(1114111)),
                   ARRAY(SELECT w.word FROM search_words w
                         WHERE w.word % a.word AND (w.tenant_id = tenant) IS TRUE AND length(a.word) >= 4
                         ORDER BY similarity(w.word, a.word) DESC, w.word LIMIT 20)
            FROM unnest(asked) AS a (word);
        END $$;
        """

    /// As v1, and the score has up to 0.1 of a full match for how well a content has done (see PerformanceScore).
    static let v2 =
        contents
        .replacing("CREATE FUNCTION search_contents(", with: "CREATE OR REPLACE FUNCTION search_contents(")
        .replacing("/ 7776000.0))::integer,", with: "/ 7776000.0))::integer + d.performance,")

    /// As v2, and what is only said counts for half of what is written.
    static let v3 =
        v2
        .replacing(
            "(1000 * (s.anywhere + 0.8 * s.titled) / total)",
            with: "(1000 * (s.anywhere + 0.8 * s.titled - 0.5 * s.spoken) / total)"
        )
        .replacing(
            "= ANY (d.terms)), 0) AS titled",
            with: """
                = ANY (d.terms)), 0) AS titled,
                                       coalesce(sum(u.weight) FILTER (
                                           WHERE hashtextextended(u.token, search_seed(tenant, d.segment)) = ANY (d.spoken)), 0) AS spoken
                """)

    /// As v3, for less: how rare a token is is counted in one segment, the newest full one, and not in two; and where a hundred documents
    /// have all tokens, nobody looks for those that have some.
    static let v4 =
        v3
        .replacing(
            "sample := (SELECT count(*) FROM search_documents d WHERE d.tenant_id = tenant AND d.segment >= last_segment - 1);",
            with: """
                sample := CASE WHEN last_segment > 0 THEN search_segment_size()
                               ELSE (SELECT count(*) FROM search_documents d WHERE d.tenant_id = tenant AND d.segment = 0) END;
                """
        )
        .replacing(
            "FROM generate_series(greatest(last_segment - 1, 0), last_segment) AS s (segment)",
            with: "FROM (VALUES (greatest(last_segment - 1, 0))) AS s (segment)"
        )
        .replacing(
            "budget integer := 30000;",
            with: "budget integer := 30000;\n        enough integer := CASE WHEN newest THEN 1 ELSE least(most, 100) END;"
        )
        .replacing(
            "AND cardinality(ids) < (CASE WHEN newest THEN 1 ELSE most END) THEN", with: "AND cardinality(ids) < enough THEN"
        )
        .replacing(
            "WHILE upper >= 0 AND cardinality(ids) < most AND budget > 0 LOOP",
            with: "WHILE upper >= 0 AND cardinality(ids) < (CASE WHEN newest THEN most ELSE enough END) AND budget > 0 LOOP")

    /// As v4, and only contents that have all of some labels. Each label is a token of the documents that have it, see SearchLabels, so
    /// that the index finds those that have it. It stands beside v4, which servers of before call.
    static let v5 =
        v4
        .replacing("newest boolean, most integer)", with: "newest boolean, most integer, labels text[])")
        .replacing(
            "search_terms(wanted, search_seed(tenant, s.segment))",
            with: "search_terms(wanted || labels, search_seed(tenant, s.segment))"
        )
        .replacing(
            "ARRAY[hashtextextended(u.token, search_seed(tenant, upper))] AND",
            with: """
                (ARRAY[hashtextextended(u.token, search_seed(tenant, upper))]
                                || CASE WHEN labels = '{}' THEN '{}'::bigint[] ELSE search_terms(labels, search_seed(tenant, upper)) END) AND
                """
        ) + """

            REVOKE ALL ON FUNCTION search_contents(\(parametersOfV5)) FROM PUBLIC;
            GRANT EXECUTE ON FUNCTION search_contents(\(parametersOfV5)) TO \(DatabaseRoles.app);
            """

    /// As v5, over assets: they have no status, no completeness, no group, and nothing that they have brought.
    static let assets = [
        ("CREATE OR REPLACE FUNCTION search_contents(", "CREATE FUNCTION search_assets("),
        ("FUNCTION search_contents(\(parametersOfV5))", "FUNCTION search_assets(\(parametersOfAssets))"),
        ("of_kind text, of_status text, of_completeness text, of_group uuid,", "of_kind text,"),
        ("kind text, status text, completeness text, token_weights", "kind text, token_weights"),
        ("d.kind, d.status, d.completeness, weights", "d.kind, weights"), (isShown, isAssetShown), (" + d.performance", ""),
        (
            "IF tenant IS NULL OR cardinality(tokens) = 0 THEN RETURN; END IF;",
            """
            IF tenant IS NULL OR cardinality(tokens) = 0
                        OR NOT EXISTS (SELECT FROM search_documents d WHERE d.tenant_id = tenant)
                    THEN RETURN; END IF;
            """
        ), ("search_documents", "search_asset_documents"), ("search_segments", "search_asset_segments"),
    ].reduce(v5) { $0.replacing($1.0, with: $1.1) }

    private static let parametersOfAssets = """
        text[], text[], integer[], text, timestamptz, timestamptz, timestamptz, boolean, integer, text[]
        """

    private static let isAssetShown = """
        (d.tenant_id = tenant) IS TRUE AND (of_kind IS NULL OR d.kind = of_kind)
          AND (since IS NULL OR d.created_at >= since) AND (until IS NULL OR d.created_at < until)
        """

    private static let parametersOfV5 = """
        text[], text[], integer[], text, text, text, uuid, timestamptz, timestamptz, timestamptz, boolean, integer, text[]
        """

    private static let isShown = """
        (d.tenant_id = tenant) IS TRUE
          AND (of_kind IS NULL OR d.kind = of_kind) AND (of_status IS NULL OR d.status = of_status)
          AND (of_completeness IS NULL OR d.completeness = of_completeness) AND (of_group IS NULL OR d.group_id = of_group)
          AND (since IS NULL OR d.created_at >= since) AND (until IS NULL OR d.created_at < until)
        """

    private static let contents = """
        -- The best matches, at most `most`: first those with all tokens in their titles, then those with all tokens anywhere, then those with
        -- the weightier part of the tokens; of each the newest. Rare tokens weigh more (as in BM25, by the newest two segments); a token
        -- in a title counts for 1.8, and the youngest documents get up to 0.15 of a full match on top.
        --   weights  those of the first page, so that the next pages see the same scores
        --   as_of    the moment from which documents' ages count
        --   newest   only those with all tokens, where there are any
        CREATE FUNCTION search_contents(
            tokens text[], phrases text[], weights integer[], of_kind text, of_status text, of_completeness text, of_group uuid,
            since timestamptz, until timestamptz, as_of timestamptz, newest boolean, most integer)
        RETURNS TABLE (id uuid, score integer, kind text, status text, completeness text, token_weights integer[])
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
        #variable_conflict use_column
        DECLARE
            tenant uuid := app_tenant();
            last_segment integer := coalesce((SELECT max(s.segment) FROM search_segments s WHERE s.tenant_id = tenant), 0);
            titled text[] := ARRAY(SELECT 't:' || u.token FROM unnest(tokens) WITH ORDINALITY AS u (token, n) ORDER BY u.n);
            -- Of postings read in the third round.
            budget integer := 30000;
            total integer;
            sample integer;
            tier integer;
            wanted text[];
            upper integer;
            lower integer;
            width integer;
            postings integer;
            fresh uuid[];
            ids uuid[] := '{}';
        BEGIN
            IF tenant IS NULL OR cardinality(tokens) = 0 THEN RETURN; END IF;
            IF weights IS NULL THEN
                sample := (SELECT count(*) FROM search_documents d WHERE d.tenant_id = tenant AND d.segment >= last_segment - 1);
                -- A token that none has (mostly where two words of the query meet) weighs what the others weigh on average.
                weights := ARRAY(
                    SELECT greatest(1, round(coalesce(f.weight, avg(f.weight) OVER (), 100)))::integer
                    FROM (
                        SELECT u.n, CASE WHEN c.df > 0 THEN 100 * ln(1 + (sample - c.df + 0.5) / (c.df + 0.5)) END AS weight
                        FROM unnest(tokens) WITH ORDINALITY AS u (token, n)
                        CROSS JOIN LATERAL (
                            SELECT least(count(*), sample) AS df
                            FROM generate_series(greatest(last_segment - 1, 0), last_segment) AS s (segment)
                            CROSS JOIN LATERAL (
                                SELECT FROM search_documents d
                                WHERE d.terms @> ARRAY[hashtextextended(u.token, search_seed(tenant, s.segment))]
                                  AND (d.tenant_id = tenant) IS TRUE
                            ) AS hit
                        ) AS c
                    ) AS f
                    ORDER BY f.n);
            END IF;
            total := greatest(1, (SELECT sum(w) FROM unnest(weights) AS w));

            FOR tier IN (CASE WHEN newest THEN 2 ELSE 1 END)..2 LOOP
                wanted := CASE tier WHEN 1 THEN titled ELSE tokens END;
                upper := last_segment;
                width := 1;
                WHILE upper >= 0 AND cardinality(ids) < most LOOP
                    lower := greatest(0, upper - width + 1);
                    fresh := ARRAY(
                        SELECT hit.id FROM generate_series(upper, lower, -1) AS s (segment)
                        CROSS JOIN LATERAL (
                            SELECT d.id FROM search_documents d
                            WHERE d.terms @> search_terms(wanted, search_seed(tenant, s.segment)) AND \(isShown)
                              AND (phrases = '{}' OR (SELECT bool_and(strpos(d.body, p) > 0) FROM unnest(phrases) AS p))
                            ORDER BY d.id DESC LIMIT most
                        ) AS hit
                        LIMIT most);
                    ids := (ids || ARRAY(SELECT i FROM unnest(fresh) AS i EXCEPT SELECT i FROM unnest(ids) AS i))[1:most];
                    upper := lower - 1;
                    width := width * 4;
                END LOOP;
            END LOOP;

            IF cardinality(tokens) > 1 AND phrases = '{}' AND cardinality(ids) < (CASE WHEN newest THEN 1 ELSE most END) THEN
                upper := last_segment;
                WHILE upper >= 0 AND cardinality(ids) < most AND budget > 0 LOOP
                    WITH hits AS MATERIALIZED (
                        SELECT hit.id, u.weight
                        FROM unnest(tokens || titled, weights || weights) AS u (token, weight)
                        CROSS JOIN LATERAL (
                            SELECT d.id FROM search_documents d
                            WHERE d.terms @> ARRAY[hashtextextended(u.token, search_seed(tenant, upper))] AND \(isShown)
                        ) AS hit
                    ), best AS (
                        SELECT h.id FROM hits h GROUP BY h.id HAVING sum(h.weight) * 4 >= total
                        ORDER BY sum(h.weight) DESC, h.id DESC LIMIT most
                    )
                    SELECT ARRAY(SELECT b.id FROM best b), (SELECT count(*) FROM hits) INTO fresh, postings;
                    ids := (ids || ARRAY(SELECT i FROM unnest(fresh) AS i EXCEPT SELECT i FROM unnest(ids) AS i))[1:most];
                    budget := budget - postings;
                    upper := upper - 1;
                END LOOP;
            END IF;

            RETURN QUERY
            SELECT d.id,
                   (1000 * (s.anywhere + 0.8 * s.titled) / total)::integer
                     + (150 * exp(-greatest(0, extract(epoch FROM as_of - d.updated_at)) / 7776000.0))::integer,
                   d.kind, d.status, d.completeness, weights
            FROM search_documents d
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(u.weight) FILTER (
                           WHERE hashtextextended(u.token, search_seed(tenant, d.segment)) = ANY (d.terms)), 0) AS anywhere,
                       coalesce(sum(u.weight) FILTER (
                           WHERE hashtextextended('t:' || u.token, search_seed(tenant, d.segment)) = ANY (d.terms)), 0) AS titled
                FROM unnest(tokens, weights) AS u (token, weight)
            ) AS s
            WHERE d.tenant_id = tenant AND d.id = ANY (ids);
        END $$;
        """
}
