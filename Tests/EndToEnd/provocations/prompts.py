import threading
import uuid

from . import AS_JSON, TOO_LARGE

OWN = """---
scene: slogan-zh
language: zh
description: 口号
variables:
  brand: text(20) required 品牌
---
写口号。"""


def provoke(stack, member) -> None:
    name = f"slogan-{uuid.uuid4().hex[:8]}"
    provoke_versions(stack, member, name)
    provoke_labels(member, name)
    provoke_experiments(stack, member, name)


def refusals(member, method: str, url: str) -> None:
    """What any body can be wrong in."""
    assert member.request(method, url, data=TOO_LARGE, headers=AS_JSON).status_code == 413
    for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
        assert member.request(method, url, data=wrong, headers=kind).status_code == status, url


def provoke_versions(stack, member, name: str) -> None:
    url = f"/api/prompts/{name}"
    assert member.request("GET", url).status_code == 404
    assert member.request("GET", f"{url}/versions").status_code == 404
    made = member.request("POST", f"{url}/versions", json={"text": OWN, "note": "一"})
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"{url}/versions/1"
    assert member.request("GET", made.headers["Location"]).json()["text"] == made.json()["text"]
    assert member.request("POST", f"{url}/versions", json={"text": OWN.replace("写口号", "写短口号")}).status_code == 201
    refusals(member, "POST", f"{url}/versions")
    assert member.request("POST", "/api/prompts/Slogan/versions", json={"text": OWN}).status_code == 422
    for path, params, status in (
        ("/api/prompts", {}, 200), ("/api/prompts", {"limit": 0}, 422), (url, {}, 200), (f"{url}/versions", {}, 200),
        (f"{url}/versions", {"cursor": "x"}, 422), (f"{url}/versions/9", {}, 404), (f"{url}/diff", {"from": 1, "to": 2}, 200),
        (f"{url}/diff", {"from": 1, "to": 9}, 404), (f"{url}/diff", {"from": 1}, 422),
    ):
        assert member.request("GET", path, params=params).status_code == status, path
    preview = f"{url}/versions/1/preview"
    assert member.request("POST", preview, json={"values": {"brand": "小白"}}).status_code == 200
    assert member.request("POST", f"{url}/versions/9/preview", json={}).status_code == 404
    refusals(member, "POST", preview)
    provoke_quota(stack, member, url)


def provoke_quota(stack, member, url: str) -> None:
    """More prompts than a tenant may have; those of this test go away again."""
    with stack.administrator("agent") as connection:
        connection.execute(
            "INSERT INTO prompts (tenant_id, name, last_version) SELECT %s, 'quota-' || n, 1 FROM generate_series(1, 500) n",
            (member.tenant,))
    try:
        assert member.request("POST", f"/api/prompts/x-{uuid.uuid4().hex[:8]}/versions", json={"text": OWN}).status_code == 409
    finally:
        with stack.administrator("agent") as connection:
            connection.execute("DELETE FROM prompts WHERE tenant_id = %s AND name LIKE 'quota-%%'", (member.tenant,))


def provoke_labels(member, name: str) -> None:
    url = f"/api/prompts/{name}/labels/production"
    for path in (url, f"{url}/history"):
        assert member.request("GET", path).status_code == 404
    assert member.request("PUT", url, json={"version": 1}).status_code == 200
    assert member.request("PUT", url, json={"version": 2}).status_code == 428
    assert member.request("PUT", url, json={"version": 2}, headers={"If-Match": '"9"'}).status_code == 412
    assert member.request("PUT", url, json={"version": 2, "expectedVersion": 1}).status_code == 200
    assert member.request("PUT", f"/api/prompts/no-{uuid.uuid4().hex[:8]}/labels/canary", json={"version": 1}).status_code == 404
    refusals(member, "PUT", url)
    shown = member.request("GET", url)
    assert shown.headers["ETag"] == '"2"'
    assert member.request("GET", f"{url}/history").status_code == 200
    assert member.request("GET", f"{url}/history", params={"limit": 0}).status_code == 422
    rollback = f"/api/prompts/{name}/rollback"
    refusals(member, "POST", rollback)
    assert member.request("POST", rollback, json={"expectedVersion": 1}).status_code == 412
    assert member.request("POST", rollback).json()["version"] == 1
    assert member.request("POST", rollback).status_code == 409
    assert member.request("POST", f"/api/prompts/no-{uuid.uuid4().hex[:8]}/rollback").status_code == 404
    assert member.request("DELETE", url).status_code == 409
    canary = f"/api/prompts/{name}/labels/canary"
    assert member.request("PUT", canary, json={"version": 1}).status_code == 200
    assert member.request("DELETE", canary, headers={"If-Match": "x"}).status_code == 422
    assert member.request("DELETE", canary, headers={"If-Match": '"9"'}).status_code == 412
    assert member.request("DELETE", canary, headers={"If-Match": '"1"'}).status_code == 204
    assert member.request("DELETE", canary).status_code == 404


def provoke_experiments(stack, member, name: str) -> None:
    good = {"prompt": name, "arms": [{"name": "a", "version": 1}, {"name": "b", "version": 2}]}
    refusals(member, "POST", "/api/experiments")
    made = member.request("POST", "/api/experiments", json=good)
    assert made.status_code == 201, made.text
    url, nowhere = made.headers["Location"], f"/api/experiments/{uuid.uuid4()}"
    provoke_in_flight(stack, member, good)
    assert member.request("GET", "/api/experiments").status_code == 200
    assert member.request("GET", "/api/experiments", params={"state": "tired"}).status_code == 422
    for method, end in (("GET", ""), ("GET", "/results"), ("POST", "/start"), ("POST", "/stop"), ("POST", "/outcomes")):
        body = {"json": {"subject": "x", "kind": "accepted"}} if end == "/outcomes" else {}
        assert member.request(method, nowhere + end, **body).status_code == 404, end
    outcome = {"subject": "user-1", "kind": "accepted"}
    assert member.request("POST", f"{url}/outcomes", json=outcome).status_code == 409
    assert member.request("POST", f"{url}/stop").status_code == 409
    key = str(uuid.uuid4())
    for path, text, status in ((url, "k" * 256, 400), (nowhere, key, 404), (url, key, 422)):
        assert member.request("POST", f"{path}/start", headers={"Idempotency-Key": text}).status_code == status
    assert member.request("POST", f"{url}/start").status_code == 200
    refusals(member, "POST", f"{url}/outcomes")
    refusals(member, "POST", f"{url}/stop")
    operation = expose(stack, member.tenant, url.rsplit("/", 1)[1])
    outcome = {"operationId": operation, "kind": "accepted", "value": 0.5}
    assert member.request("POST", f"{url}/outcomes", json=outcome).status_code == 201
    assert member.request("POST", f"{url}/outcomes", json=outcome).status_code == 200
    assert member.request("GET", url).json()["state"] == "running"
    arms = member.request("GET", f"{url}/results").json()["arms"]
    assert [arm["exposures"] for arm in arms] == [1, 0]
    assert member.request("POST", f"{url}/stop", json={"final": True}).json()["state"] == "finished"
    assert member.request("POST", f"{url}/start").status_code == 409


def expose(stack, tenant: str, experiment: str) -> str:
    """A call of the experiment, as the ledger holds it: no flow uses a tenant's own prompt."""
    operation, digest = str(uuid.uuid4()), b"\x01" * 32
    with stack.administrator("agent") as connection:
        connection.execute(
            """INSERT INTO ai_usage_ledger (tenant_id, operation_id, step, flow, task, scene, subject, provider, model_name, prompt_tokens,
                cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, is_estimated, latency_ms, attempts,
                experiment_id, experiment_arm, prompt_version, prompt_sha256, completion_sha256, degraded, created_at)
            VALUES (%s, %s, 's', 'F', 'copy', 's', 'user-1', 'openai', 'm', 1, 0, 1, 0, 1, 0, 'USD', false, 1, '[]', %s, 'a', 'p@1', %s, %s,
                false, app_now())""", (tenant, operation, experiment, digest, digest))
    return operation


def provoke_in_flight(stack, member, good: dict) -> None:
    """The same key twice at once, while the table is held."""
    key, statuses = str(uuid.uuid4()), []

    def create() -> None:
        statuses.append(member.request("POST", "/api/experiments", json=good, headers={"Idempotency-Key": key}).status_code)

    with stack.administrator("agent") as connection, connection.transaction():
        connection.execute("LOCK TABLE prompt_experiments IN EXCLUSIVE MODE")
        first = threading.Thread(target=create)
        first.start()
        # The second one waits for nothing but the first one's claim.
        second = threading.Thread(target=create)
        second.start()
        while not statuses and first.is_alive() and second.is_alive():
            second.join(0.05)
            first.join(0.05)
    first.join()
    second.join()
    assert sorted(statuses) == [201, 409]
