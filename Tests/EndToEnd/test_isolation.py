"""Two tenants: nothing of one is visible to the other, over any route, with any token, by SQL."""

import re
import uuid

import psycopg
import pytest
import requests
import yaml

from support import DATABASES, REPOSITORY, SERVICES, assert_problem, eventually, stream_events

# Look-up tables that lead to a tenant before one is known (design §9, "Tenancy").
GLOBAL_TABLES = {"outbox"}
INNER_ROUTES = [
    ("gateway-bff", "orchestration-service", "POST", "/v1/titles"),
    ("orchestration-service", "agent-center", "POST", "/v1/titles"),
    ("gateway-bff", "agent-center", "GET", "/v1/prompts"),
    ("gateway-bff", "agent-center", "POST", "/v1/experiments"),
    ("orchestration-service", "content-center", "POST", "/v1/contents"),
    ("gateway-bff", "content-center", "GET", "/v1/contents"),
    ("gateway-bff", "content-center", "GET", f"/v1/contents/{uuid.uuid4()}"),
    ("gateway-bff", "content-center", "PATCH", f"/v1/contents/{uuid.uuid4()}"),
    ("gateway-bff", "content-center", "GET", f"/v1/contents/{uuid.uuid4()}/versions"),
    ("gateway-bff", "content-center", "GET", "/v1/search"),
    ("gateway-bff", "content-center", "POST", "/v1/materials"),
    ("orchestration-service", "content-center", "GET", "/v1/materials/recommended"),
    ("gateway-bff", "content-center", "GET", f"/v1/accounts/{uuid.uuid4()}/material"),
    ("orchestration-service", "content-center", "GET", "/v1/search/vectors/pending"),
    ("orchestration-service", "content-center", "PUT", "/v1/search/vectors"),
    ("orchestration-service", "content-center", "POST", "/v1/search/semantic"),
]


@pytest.fixture(scope="module")
def draft(member) -> dict:
    return member.draft(topic="只属于一家的选题", count=2)


def test_somebody_elses_id_is_not_found_on_every_public_route(member, stranger, draft):
    path = f"/api/contents/{draft['contentId']}"
    unknown = f"/api/contents/{uuid.uuid4()}"
    for method, suffix, options in (
        ("GET", "", {}), ("GET", "/versions", {}), ("PATCH", "", {"json": {"title": "抢来的"}, "headers": {"If-Match": '"1"'}}),
    ):
        foreign = assert_problem(stranger.request(method, path + suffix, **options), 404)
        missing = assert_problem(stranger.request(method, unknown + suffix, **options), 404)
        # Not even the wording tells an existing id from one that never was.
        assert {key: foreign[key] for key in ("code", "title")} == {key: missing[key] for key in ("code", "title")}
    assert member.request("GET", path).json()["title"] != "抢来的"


def test_lists_and_streams_show_only_ones_own(member, stranger, draft):
    listed = stranger.request("GET", "/api/contents", params={"limit": 100}).json()["items"]
    assert draft["contentId"] not in {item["id"] for item in listed}
    own = stranger.draft(topic="另一家的选题", count=1)["contentId"]
    for event in stream_events(stranger, last_event_id=0):
        assert event.data["tenantid"] == stranger.tenant
        if event.data.get("subject") == own:
            break


def test_an_idempotency_key_belongs_to_its_tenant(member, stranger):
    key = f"shared-{uuid.uuid4()}"
    first, second = member.titles("同一个键", key=key), stranger.titles("同一个键", key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in second.headers
    assert first.json()["contentId"] != second.json()["contentId"]


@pytest.mark.parametrize("caller, callee, method, path", INNER_ROUTES)
def test_inner_routes_take_only_a_good_context(stack, member, caller, callee, method, path):
    other = next(service for service in SERVICES if service not in (caller, callee))
    good = {"caller": caller, "callee": callee, "tenant": member.tenant}
    refused = {
        "meant for another service": stack.context_token(**{**good, "callee": other}),
        "expired": stack.context_token(**good, issued=-300),
        "valid for too long": stack.context_token(**good, lifetime=3600),
        "not yet valid": stack.context_token(**good, issued=600),
        "signed by another service": stack.context_token(**good, signer=other),
        "of an unknown caller": stack.context_token(**{**good, "caller": "nobody"}, signer=caller),
        "without a tenant": stack.context_token(**{**good, "tenant": ""}),
        "not a token": "nonsense",
        "unsigned": stack.context_token(**good).rsplit(".", 1)[0] + ".",
        "of the public kind": member.login["accessToken"],
    }
    for name, token in refused.items():
        answer = stack.inner(caller, callee, method, path, member.tenant, token=token, json={})
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text}"
    assert_problem(requests.request(method, stack.url(callee, path), json={}, timeout=10), 401)
    assert stack.inner(caller, callee, method, path, member.tenant, json={}).status_code not in (401, 403)


@pytest.mark.parametrize("caller, callee", [
    ("gateway-bff", "orchestration-service"), ("orchestration-service", "agent-center"), ("orchestration-service", "content-center")])
def test_no_inner_route_is_open(stack, member, caller, callee):
    """Whatever the document lists, so that a new route cannot be forgotten here."""
    good = {"caller": caller, "callee": callee, "tenant": member.tenant}
    refused = {
        "meant for another service": stack.context_token(**{**good, "callee": "delivery-connector-douyin"}),
        "expired": stack.context_token(**good, issued=-300),
        "signed by another service": stack.context_token(**good, signer="delivery-connector-douyin"),
    }
    document = yaml.safe_load((REPOSITORY / "openapi" / f"{callee}.yaml").read_text(encoding="utf-8"))
    routes = [
        (method.upper(), re.sub(r"\{\w+\}", str(uuid.uuid4()), path)) for path, item in document["paths"].items()
        for method, operation in item.items() if method in ("get", "post", "put", "patch", "delete") and "Operations" not in operation["tags"]
    ]
    assert routes
    open_to = {
        f"{method} {path}: {name}" for method, path in routes for name, token in refused.items()
        if stack.inner(caller, callee, method, path, member.tenant, token=token, json={}).status_code != 401
    }
    assert open_to == set()


def test_an_arrow_that_does_not_exist_is_refused(stack, member):
    answer = stack.inner("delivery-connector-douyin", "content-center", "GET", "/v1/contents", member.tenant)
    assert_problem(answer, 403, "auth.arrow_missing")


def test_a_tenant_header_or_field_means_nothing(stack, stranger, member, draft):
    path = f"/v1/contents/{draft['contentId']}"
    headers = {"X-Tenant-Id": member.tenant, "tenant": member.tenant}
    for params, status in (({}, 404), ({"tenantId": member.tenant}, 422)):
        answer = stack.inner("gateway-bff", "content-center", "GET", path, stranger.tenant, headers=headers, params=params)
        assert answer.status_code == status, answer.text


def tenant_tables(stack, database: str) -> list[str]:
    return [name for (name,) in stack.rows(database, """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'tenant_id' AND NOT a.attisdropped
            AND NOT c.relispartition
        ORDER BY 1""") if name not in GLOBAL_TABLES]


@pytest.mark.parametrize("database", DATABASES)
def test_sql_as_app_sees_one_tenant_and_without_one_nothing(stack, member, stranger, draft, database):
    # The last of the databases that a draft leaves rows in.
    activity = ("SELECT 1 FROM content_activity WHERE content_id = %s", (draft["contentId"],))
    eventually(lambda: stack.rows("orchestration", *activity), bool, "the draft's activity", seconds=30)
    tables, filled = tenant_tables(stack, database), set()
    with stack.as_role(database, "app") as connection:
        for table in tables:
            granted = connection.execute("SELECT has_table_privilege(%s, 'SELECT')", (table,)).fetchone()[0]
            if not granted:
                continue
            for tenant in (None, member.tenant, stranger.tenant):
                with connection.transaction():
                    if tenant is not None:
                        connection.execute("SELECT set_config('app.tenant', %s, true)", (tenant,))
                    seen = {str(row[0]) for row in connection.execute(f'SELECT DISTINCT tenant_id FROM "{table}"')}
                assert seen <= ({tenant} if tenant else set()), f"{table} as {tenant}"
                filled |= seen
    # Empty tables show nothing to anybody. The connector has no table of its own yet: this fails with its first one.
    assert member.tenant in filled or (database, tables) == ("connector", ["inbox"]), f"{database}: only rows of {filled}"


def test_sql_as_app_cannot_take_a_foreign_row(stack, stranger, draft):
    with stack.as_role("content", "app") as connection, connection.transaction():
        connection.execute("SELECT set_config('app.tenant', %s, true)", (stranger.tenant,))
        assert connection.execute("UPDATE contents SET title = 'x' WHERE id = %s", (draft["contentId"],)).rowcount == 0
        assert connection.execute("SELECT 1 FROM contents WHERE id = %s", (draft["contentId"],)).fetchone() is None


def test_sql_as_app_cannot_write_for_another_tenant(stack, member, stranger):
    with stack.as_role("gateway", "app") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        with connection.transaction():
            connection.execute("SELECT set_config('app.tenant', %s, true)", (stranger.tenant,))
            connection.execute("INSERT INTO stream_heads (tenant_id, last_seq) VALUES (%s, 1)", (str(uuid.uuid4()),))


@pytest.mark.parametrize("database", DATABASES)
def test_roles_cannot_step_around_row_level_security(stack, database):
    rows = stack.rows(database, """
        SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname LIKE %s""", (f"{database}\\_%",))
    assert {name for name, *_ in rows} == {f"{database}_{role}" for role in ("owner", "app", "system")}
    assert all(not any(powers) for _, *powers in rows)


@pytest.mark.parametrize("database", DATABASES)
def test_catalogue_every_tenant_table_forces_row_level_security_and_keys_begin_with_the_tenant(stack, database):
    assert catalogue_breaches(stack, database) == []


def test_the_catalogue_test_finds_a_careless_table(stack):
    with stack.administrator("connector") as connection:
        connection.execute("CREATE TABLE careless (tenant_id uuid, name text UNIQUE)")
        try:
            found = catalogue_breaches(stack, "connector")
        finally:
            connection.execute("DROP TABLE careless")
    assert found == ["careless does not force row-level security", "careless: careless_name_key lacks tenant_id"]


def test_the_catalogue_test_finds_a_careless_partition(stack):
    with stack.administrator("connector") as connection:
        connection.execute("CREATE TABLE parted (tenant_id uuid PRIMARY KEY) PARTITION BY HASH (tenant_id)")
        connection.execute("ALTER TABLE parted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0)")
        connection.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)")
        connection.execute("GRANT SELECT ON parted TO connector_app, connector_system")
        try:
            assert catalogue_breaches(stack, "connector") == []
            connection.execute("GRANT SELECT ON parted_0 TO connector_app")
            connection.execute("GRANT UPDATE (tenant_id) ON parted_1 TO connector_system")
            connection.execute("GRANT DELETE ON parted_1 TO PUBLIC")
            found = catalogue_breaches(stack, "connector")
        finally:
            connection.execute("DROP TABLE parted")
    assert found == [
        "parted_0 can be reached past its parent: connector_app has SELECT",
        "parted_1 can be reached past its parent: PUBLIC has DELETE",
        "parted_1 can be reached past its parent: connector_system has UPDATE",
    ]


def catalogue_breaches(stack, database: str) -> list[str]:
    breaches = []
    for table in tenant_tables(stack, database):
        ((enabled, forced),) = stack.rows(
            database, "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", (table,))
        if not (enabled and forced):
            breaches.append(f"{table} does not force row-level security")
        keys = stack.rows(database, """
            SELECT con.conname, con.contype::text, array_agg(a.attname::text)
            FROM pg_constraint con JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = ANY (con.conkey)
            WHERE con.conrelid = %s::regclass AND con.contype IN ('p', 'u', 'f') GROUP BY 1, 2
            UNION ALL
            SELECT i.relname, 'u', array_agg(a.attname::text)
            FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
            WHERE x.indrelid = %s::regclass AND x.indisunique
                AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid) GROUP BY 1""", (table, table))
        breaches += sorted(f"{table}: {name} lacks tenant_id" for name, _, columns in keys if "tenant_id" not in columns)
    return breaches + partition_breaches(stack, database)


def partition_breaches(stack, database: str) -> list[str]:
    """A partition asked by its own name knows nothing of its parent's policies: nobody but the owner may ask it."""
    held = stack.rows(database, """
        SELECT c.relname, CASE held.grantee WHEN 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END, held.privilege_type
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
        CROSS JOIN LATERAL (SELECT (aclexplode(c.relacl)).* UNION SELECT (aclexplode(a.attacl)).*) held
        WHERE c.relkind IN ('r', 'p') AND c.relispartition AND held.grantee <> c.relowner""")
    return sorted({f"{name} can be reached past its parent: {grantee} has {privilege}" for name, grantee, privilege in held})
