"""A tenant's data over the running processes: taken out as an archive that anybody can read, and erased for good, also when the service
is killed in the middle."""

import hashlib
import io
import json
import uuid
import zipfile

import requests

from provocations.pictures import png
from provocations.tenant import fresh_tenant
from support import assert_problem, eventually, stream_events
from uploads import upload

CONTENTS = 1200


def keep(stack, tenant: str, count: int) -> None:
    """Drafts as a flow keeps them, the later ones copied by SQL: making them is not what is tested."""
    draft = {"step": "title_set", "kind": "title_set", "title": "告别",
             "body": {"topic": "告别", "platform": "douyin", "candidates": [{"title": "再见", "score": 1, "reasons": [], "formula": "benefit"}]},
             "source": {"kind": "human"}}
    made = stack.inner("orchestration-service", "content-center", "POST", "/v1/contents", tenant, json=draft)
    assert made.status_code == 201, made.text
    with stack.administrator("content") as connection:
        connection.execute(
            """WITH copies AS (
                INSERT INTO contents (tenant_id, id, kind, status, completeness, version, title)
                SELECT tenant_id, gen_random_uuid(), kind, status, completeness, version, title FROM contents, generate_series(2, %s)
                WHERE tenant_id = %s RETURNING tenant_id, id)
            INSERT INTO content_versions (tenant_id, content_id, version, title, body, source_kind, author)
            SELECT c.tenant_id, c.id, 1, v.title, v.body, v.source_kind, v.author FROM copies c
            JOIN content_versions v ON v.tenant_id = c.tenant_id""", (count, tenant))


def keep_picture(member, name: str) -> tuple[str, bytes]:
    picture = png(uuid.uuid4().bytes[:3])
    return upload(member, picture, name)["id"], picture


def rows_left(stack, tenant: str) -> dict[str, int]:
    tables = stack.rows("content", """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'tenant_id' AND NOT a.attisdropped""")
    counts = {name: stack.rows("content", f'SELECT count(*) FROM "{name}" WHERE tenant_id = %s', (tenant,))[0][0] for (name,) in tables
              if name != "outbox"}
    return {name: count for name, count in counts.items() if count}


def test_an_archive_anybody_can_read(stack, member, stranger):
    owner = fresh_tenant(stack, member)
    keep(stack, owner.tenant, 300)
    asset, picture = keep_picture(owner, "门头 照片.png")
    ordered = owner.request("POST", "/api/tenant/exports", headers={"Idempotency-Key": str(uuid.uuid4())})
    assert ordered.status_code == 202, ordered.text
    path = f"/api/tenant/exports/{ordered.json()['id']}"
    export = eventually(lambda: owner.request("GET", path).json(), lambda seen: seen["state"] == "succeeded", "the export ends")
    assert_problem(stranger.request("GET", path), 404)

    answer = requests.get(export["downloadUrl"], timeout=20)
    assert (answer.status_code, len(answer.content)) == (200, export["size"])
    assert hashlib.sha256(answer.content).hexdigest() == export["sha256"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.read(f"assets/{asset}/门头 照片.png") == picture
        contents = [json.loads(line) for line in archive.read("contents.jsonl").splitlines()]
        versions = [json.loads(line) for line in archive.read("content_versions.jsonl").splitlines()]
        assert (len(contents), len(versions)) == (300, 300)
        assert {version["contentId"] for version in versions} == {content["id"] for content in contents}
        assert versions[0]["body"]["candidates"][0]["title"] == "再见"
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["assets"] == {"count": 1, "bytes": len(picture)}
        sums = dict(reversed(line.split("  ", 1)) for line in archive.read("SHA256SUMS").decode().splitlines())
        assert set(sums) == set(archive.namelist()) - {"SHA256SUMS"}
        for name, expected in sums.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == expected
        for table in manifest["tables"]:
            assert sums[table["file"]["name"]] == table["file"]["sha256"]
    # The URL is good for this object alone.
    other = export["downloadUrl"].replace(ordered.json()["id"], asset)
    assert requests.get(other, timeout=5).status_code == 403


def test_an_export_survives_the_end_of_its_process(stack, member):
    owner = fresh_tenant(stack, member)
    keep(stack, owner.tenant, 300)
    asset, picture = keep_picture(owner, "门头.png")
    # What comes late in the archive is held: much of it is written when the service dies.
    with stack.administrator("content") as connection, connection.transaction():
        connection.execute("LOCK TABLE asset_folders IN ACCESS EXCLUSIVE MODE")
        export = owner.request("POST", "/api/tenant/exports").json()["id"]
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'asset_folders'::regclass AND NOT granted"
        eventually(lambda: stack.rows("content", waiting)[0][0], bool, "the export is under way")
        assert scratch(stack, export) != []
        stack.restart("content-center")
    with stack.administrator("content") as connection:
        # The dead worker's lease ends.
        connection.execute("UPDATE jobs SET lease_until = app_now() WHERE id = %s", (export,))
        connection.execute("UPDATE job_due SET due_at = app_now() WHERE job_id = %s", (export,))
    path = f"/api/tenant/exports/{export}"
    done = eventually(lambda: owner.request("GET", path).json(), lambda seen: seen["state"] == "succeeded", "the export ends")
    assert owner.request("GET", "/api/tenant/exports").json()["items"][0]["id"] == export
    with zipfile.ZipFile(io.BytesIO(requests.get(done["downloadUrl"], timeout=20).content)) as archive:
        assert archive.testzip() is None
        assert archive.read(f"assets/{asset}/门头.png") == picture
        assert len(archive.read("contents.jsonl").splitlines()) == 300
    assert scratch(stack, export) == []
    told = stack.rows("content", "SELECT count(*) FROM outbox WHERE event->>'type' = 'tenant.export.completed.v1' AND event->>'subject' = %s",
                      (export,))
    assert told == [(1,)]


def scratch(stack, export: str) -> list[str]:
    """What is left where archives are written."""
    return [each.name for each in (stack.directory.resolve() / "objects/writing").iterdir() if export in each.name]


def kept_by_agent(stack, tenant: str) -> tuple[int, int, int]:
    """Texts of calls, versions of prompts, settings."""
    return stack.rows("agent", """
        SELECT (SELECT count(*) FROM ai_completions WHERE tenant_id = %(it)s AND coalesce(answer::text, prompt, completion) IS NOT NULL),
               (SELECT count(*) FROM prompt_versions WHERE tenant_id = %(it)s),
               (SELECT count(*) FROM ai_tenant_settings WHERE tenant_id = %(it)s)""", {"it": tenant})[0]


def test_an_erasure_survives_the_end_of_its_process(stack, member):
    owner = fresh_tenant(stack, member)
    keep(stack, owner.tenant, CONTENTS)
    _, _ = keep_picture(owner, "a.png")
    storage = owner.request("GET", "/api/tenant/storage").json()
    assert (storage["contents"][0]["contents"], storage["assets"][0]["count"]) == (CONTENTS, 1)
    # What agent-center keeps: a call with its texts, a prompt, a setting.
    call = {"json": {"task": "reply", "input": "告别"}, "headers": {"Idempotency-Key": str(uuid.uuid4())}}
    called = owner.request("POST", "/api/ai/generate", **call)
    assert called.status_code == 200, called.text
    shipped = owner.request("GET", "/api/prompts/title/versions/0").json()["text"]
    assert owner.request("POST", "/api/prompts/title/versions", json={"text": shipped}).status_code == 201
    assert owner.request("PUT", "/api/ai/settings", json={"retentionDays": 9}).status_code == 200
    assert kept_by_agent(stack, owner.tenant) == (1, 1, 1)
    billed = owner.request("GET", "/api/ai/usage").json()["total"]
    order = {"confirmation": f"erase {owner.tenant}"}
    # Spaces go after the contents, and somebody holds one: half of all is done when the service dies.
    assert owner.request("POST", "/api/spaces", json={"name": "夏季"}).status_code == 201
    with stack.administrator("content") as connection, connection.transaction():
        connection.execute("SELECT 1 FROM content_spaces WHERE tenant_id = %s FOR UPDATE", (owner.tenant,))
        assert owner.request("POST", "/api/tenant/erasure", json=order).status_code == 202
        left = "SELECT (SELECT count(*) FROM contents WHERE tenant_id = %s), (SELECT count(*) FROM content_spaces WHERE tenant_id = %s)"
        eventually(lambda: stack.rows("content", left, (owner.tenant, owner.tenant))[0], lambda counts: counts == (0, 1), "half is gone", 60)
        # From the order on nothing is begun that could not be kept, and so nothing paid.
        closed = "SELECT count(*) FROM erased_tenants WHERE tenant_id = %s AND finished_at IS NULL"
        for database in ("orchestration", "agent"):
            eventually(lambda: stack.rows(database, closed, (owner.tenant,)), lambda rows: rows == [(1,)], "it is closed everywhere", 60)
        assert_problem(owner.request("POST", "/api/titles", json={"topic": "还在吗"}), 403, "tenant.erased")
        stack.restart("content-center")
    with stack.administrator("content") as connection:
        # The dead worker's lease ends.
        connection.execute("UPDATE jobs SET lease_until = app_now() WHERE tenant_id = %s", (owner.tenant,))
        connection.execute("UPDATE job_due SET due_at = app_now() WHERE tenant_id = %s", (owner.tenant,))
    erasure = eventually(
        lambda: owner.request("GET", "/api/tenant/erasure").json(), lambda seen: seen.get("state") == "succeeded", "the erasure ends")
    assert {count["name"]: count["count"] for count in erasure["counts"]}["contents"] == CONTENTS
    assert set(rows_left(stack, owner.tenant)) == {"jobs", "job_steps", "tenant_erasures"}
    assert_problem(owner.request("POST", "/api/tenant/erasure", json=order), 409, "tenant.erased_before")
    late = owner.request("POST", "/api/spaces", json={"name": "还在吗"})
    assert_problem(late, 403, "tenant.erased")
    heard = "SELECT count(*) FROM erased_tenants WHERE tenant_id = %s AND finished_at IS NOT NULL"
    for database in ("orchestration", "agent"):
        eventually(lambda: stack.rows(database, heard, (owner.tenant,)), lambda rows: rows == [(1,)], "it is erased everywhere", 60)
    # The texts are gone, the bill is not.
    assert kept_by_agent(stack, owner.tenant) == (0, 0, 0)
    assert owner.request("GET", "/api/ai/usage").json()["total"] == billed and billed["records"] == 1
    for method, path, body in (("POST", "/api/ai/generate", {"task": "reply", "input": "还在吗"}),
                               ("PUT", "/api/ai/settings", {"retentionDays": 9}), ("POST", "/api/prompts/title/versions", {"text": shipped})):
        assert_problem(owner.request(method, path, json=body), 403, "tenant.erased")
    # No model is asked for somebody who is gone.
    assert_problem(owner.request("POST", "/api/titles", json={"topic": "还在吗"}), 403, "tenant.erased")
    assert stack.rows("agent", "SELECT count(*) FROM ai_usage_ledger WHERE tenant_id = %s", (owner.tenant,)) == [(1,)]
    assert owner.request("GET", "/api/runs").json()["items"] == []
    # The stream tells of the erasure and of nothing before it.
    shown = "SELECT type FROM stream_events WHERE tenant_id = %s"
    eventually(lambda: stack.rows("gateway", shown, (owner.tenant,)), lambda rows: rows == [("tenant.content.erased.v1",)], "the stream", 60)
    # Nor does the entrance repeat a text.
    answered = "SELECT count(*) FROM idempotency_keys WHERE tenant_id = %s AND state = 'done'"
    eventually(lambda: stack.rows("gateway", answered, (owner.tenant,)), lambda rows: rows == [(0,)], "kept answers", 60)
    assert_problem(owner.request("POST", "/api/ai/generate", **call), 403, "tenant.erased")
    event = next(stream_events(owner, last_event_id=0))
    assert (event.type, event.data["data"]["erasureId"]) == ("tenant.content.erased.v1", erasure["id"])
