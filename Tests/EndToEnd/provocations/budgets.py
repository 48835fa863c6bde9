import uuid

from . import AS_JSON, TOO_LARGE
from .writers import BRIEF


def provoke(stack, member) -> None:
    budget = {"name": "没人用的场景", "scope": "scene", "subject": f"scene-{uuid.uuid4().hex}", "period": "day",
              "zone": "Asia/Shanghai", "limitCalls": 5}
    made = member.request("POST", "/api/ai/budgets", json=budget)
    assert made.status_code == 201, made.text
    assert member.request("POST", "/api/ai/budgets", json=budget).status_code == 409
    path, tag = f"/api/ai/budgets/{made.json()['id']}", made.headers["ETag"]
    setting = {"name": "没人用的场景", "limitCalls": 6}
    assert member.request("GET", path).headers["ETag"] == tag
    assert member.request("PUT", path, json=setting).status_code == 428
    assert member.request("PUT", path, json=setting, headers={"If-Match": '"9"'}).status_code == 412
    changed = member.request("PUT", path, json=setting, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert member.request("DELETE", path).status_code == 428
    assert member.request("DELETE", path, headers={"If-Match": tag}).status_code == 412
    assert member.request("DELETE", path, headers={"If-Match": "x"}).status_code == 422
    assert member.request("DELETE", path, headers={"If-Match": changed.headers["ETag"]}).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": setting} if method == "PUT" else {}
        assert member.request(method, path, headers={"If-Match": '"1"'}, **body).status_code == 404
    assert member.request("GET", "/api/ai/budgets", params={"limit": 0}).status_code == 422
    assert member.request("GET", "/api/ai/budgets").status_code == 200
    provoke_usage(member)
    provoke_erased(stack, member)
    for method, path in (("POST", "/api/ai/budgets"), ("PUT", path), ("PUT", "/api/ai/settings")):
        for wrong, status in ((b"not json", 400), (b'{"colour": 1}', 422)):
            answer = member.request(method, path, data=wrong, headers=AS_JSON | {"If-Match": '"1"'})
            assert answer.status_code == status, f"{method} {path}: {answer.text}"
        assert member.request(method, path, data=TOO_LARGE, headers=AS_JSON).status_code == 413
        assert member.request(method, path, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


def provoke_usage(member) -> None:
    assert member.request("GET", "/api/ai/usage").status_code == 200
    assert member.request("GET", "/api/ai/usage", params={"zone": "Mars/Olympus"}).status_code == 422
    records = member.request("GET", "/api/ai/usage/records", params={"limit": 1})
    assert records.status_code == 200, records.text
    assert member.request("GET", "/api/ai/usage/records", params={"limit": 0}).status_code == 422
    operation = f"/api/ai/usage/records/{records.json()['items'][0]['operationId']}"
    assert member.request("GET", operation).status_code == 200
    assert member.request("DELETE", f"{operation}/texts").status_code == 200
    nowhere = f"/api/ai/usage/records/{uuid.uuid4()}"
    assert member.request("GET", nowhere).status_code == 404
    assert member.request("DELETE", f"{nowhere}/texts").status_code == 404
    assert member.request("DELETE", "/api/ai/usage/texts", params={"user": str(uuid.uuid4())}).json() == {"erased": 0}
    assert member.request("DELETE", "/api/ai/usage/texts").status_code == 422
    assert member.request("PUT", "/api/ai/settings", json={"retentionDays": 30}).status_code == 200
    assert member.request("GET", "/api/ai/settings").json() == {"retentionDays": 30}


def provoke_erased(stack, member) -> None:
    """A repeat of what was done and has lost its text."""
    titles = {key: value for key, value in BRIEF.items() if key != "rules"} | {"count": 1, "maxLength": 30}
    calls = [
        ("orchestration-service", "agent-center", "/v1/titles", titles), ("orchestration-service", "agent-center", "/v1/copies", BRIEF),
        ("orchestration-service", "agent-center", "/v1/image-texts", BRIEF | {"slots": 1}),
        ("orchestration-service", "agent-center", "/v1/video-scripts", BRIEF | {"scriptType": "vlog", "durationSeconds": 20}),
        ("gateway-bff", "orchestration-service", "/v1/titles", {"topic": "防晒", "count": 1}),
    ]
    for caller, callee, path, body in calls:
        operation = str(uuid.uuid4())
        first = stack.inner(caller, callee, "POST", path, member.tenant, json=body, headers={"X-Operation-Id": operation})
        assert first.status_code in (200, 201), first.text
        assert member.request("DELETE", f"/api/ai/usage/records/{operation}/texts").json() == {"erased": 1}
        again = stack.inner(caller, callee, "POST", path, member.tenant, json=body, headers={"X-Operation-Id": operation})
        assert (again.status_code, again.json()["code"]) == (409, "operation.answer_erased"), again.text
