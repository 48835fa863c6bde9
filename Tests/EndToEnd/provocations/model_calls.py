import json
import uuid

from . import AS_JSON, TOO_LARGE

TEXT = {"task": "summary", "input": "夏季通勤防晒，轻薄不油腻。"}
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "你好"}]}


def provoke(stack, member) -> None:
    provoke_route(member, "/api/ai/generate", TEXT, 422)
    provoke_route(member, "/api/openai/v1/chat/completions", CHAT, 400)
    foreign = TEXT | {"metadata": {"tenantId": str(uuid.uuid4())}}
    assert member.request("POST", "/api/ai/generate", json=foreign).status_code == 403
    missing = member.request("POST", "/api/openai/v1/chat/completions", json=CHAT | {"model": "gpt-imaginary"})
    assert missing.status_code == 404 and missing.json()["error"]["param"] == "model"
    for path, body in (("/v1/ai/generate", TEXT), ("/v1/chat/completions", CHAT)):
        answer = stack.inner("gateway-bff", "agent-center", "POST", path, member.tenant, json=body)
        assert answer.status_code == 403, "the scope is missing"
    assert_erased(stack, member)
    assert_repeat_waits(stack, member)


def assert_erased(stack, member) -> None:
    """The repeat of a kept answer whose text was erased since."""
    operation = str(uuid.uuid4())

    def call(method: str, path: str, scope: str, **options) -> int:
        token = stack.context_token("gateway-bff", "agent-center", member.tenant, scopes=(scope,))
        return stack.inner("gateway-bff", "agent-center", method, path, member.tenant, token=token, **options).status_code

    kept = {"json": TEXT, "headers": {"X-Operation-Id": operation, "Idempotency-Key": "k"}}
    assert call("POST", "/v1/ai/generate", "ai:generate", **kept) == 200
    assert call("DELETE", f"/v1/ai/usage/records/{operation}/texts", "ai:admin") == 200
    assert call("POST", "/v1/ai/generate", "ai:generate", **kept) == 409


def assert_repeat_waits(stack, member) -> None:
    """While the first is under way."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert member.request("POST", "/api/ai/generate", json=TEXT, headers=key).status_code == 200
    with stack.administrator("gateway") as connection:
        connection.execute(
            "UPDATE idempotency_keys SET state = 'in_flight', lease_until = now() + interval '1 hour' WHERE tenant_id = %s AND key = %s",
            (member.tenant, key["Idempotency-Key"]))
    assert member.request("POST", "/api/ai/generate", json=TEXT, headers=key).status_code == 409


def provoke_route(member, path: str, good: dict, refused: int) -> None:
    answer = member.request("POST", path, json=good)
    assert answer.status_code == 200, answer.text
    assert member.request("POST", path, data=b"not json", headers=AS_JSON).status_code == 400
    assert member.request("POST", path, data=json.dumps(good | {"colour": 1}), headers=AS_JSON).status_code == refused
    assert member.request("POST", path, data=TOO_LARGE, headers=AS_JSON).status_code == 413
    assert member.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
