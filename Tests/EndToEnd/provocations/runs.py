import uuid


def provoke(stack, member) -> None:
    waiting, over = (write(stack, member.tenant, state) for state in ("queued", "succeeded"))
    assert member.request("GET", "/api/runs").status_code == 200
    assert member.request("GET", "/api/runs", params={"limit": 0}).status_code == 422
    assert member.request("GET", f"/api/runs/{waiting}").json()["state"] == "queued"
    assert member.request("POST", f"/api/runs/{waiting}/cancel").json()["state"] == "canceled"
    assert member.request("POST", f"/api/runs/{over}/cancel").status_code == 409
    failed, key = f"/api/runs/{write(stack, member.tenant, 'failed', 'VideoScriptGeneration')}/retry", {"Idempotency-Key": str(uuid.uuid4())}
    assert member.request("POST", failed, headers={"Idempotency-Key": "x" * 300}).status_code == 400
    assert member.request("POST", failed, headers=key).status_code == 202
    assert member.request("POST", failed, headers=key, json={"other": "body"}).status_code == 422
    done = write(stack, member.tenant, "succeeded", "VideoScriptGeneration")
    assert member.request("POST", f"/api/runs/{done}/retry").status_code == 409
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert member.request(method, f"/api/runs/{uuid.uuid4()}{path}").status_code == 404


def write(stack, tenant: str, state: str, flow: str = "Provocation") -> str:
    """A run, if not said otherwise of a flow that nobody works on; of another it fails once more for want of an input."""
    run = str(uuid.uuid4())
    with stack.administrator("orchestration") as connection:
        connection.execute(
            "INSERT INTO jobs (tenant_id, id, kind, payload, state, max_attempts) VALUES (%s, %s, %s, '{}', %s, 1)",
            (tenant, run, flow, state))
        connection.execute("INSERT INTO runs (tenant_id, id) VALUES (%s, %s)", (tenant, run))
    return run
