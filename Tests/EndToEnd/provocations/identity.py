import uuid

import requests

from . import AS_JSON, TOO_LARGE, click_twice


def provoke(stack, member) -> None:
    login = stack.url("gateway-bff", "/api/auth/login")
    for body in (b"not json", b'{"colour": 1}'):
        member.request("POST", "/api/auth/login", data=body, headers=AS_JSON)
    assert member.request("POST", "/api/auth/login", data=TOO_LARGE, headers=AS_JSON).status_code == 413
    requests.post(login, data=b"x", headers={"Content-Type": "text/plain"}, timeout=10)
    provoke_api_keys(stack, member)


def provoke_api_keys(stack, member) -> None:
    made = member.request("POST", "/api/api-keys", json={"name": "状态码", "scopes": ["contents:read"]})
    assert made.status_code == 201, made.text
    path = f"/api/api-keys/{made.json()['id']}"
    assert member.request("GET", path).status_code == 200
    assert member.request("GET", "/api/api-keys").status_code == 200
    assert member.request("GET", "/api/api-keys", params={"limit": 0}).status_code == 422
    for method in ("GET", "DELETE"):
        assert member.request(method, f"/api/api-keys/{uuid.uuid4()}").status_code == 404
    assert member.request("DELETE", path).status_code == 204
    for body, status in ((b"not json", 400), (b'{"colour": 1}', 422)):
        assert member.request("POST", "/api/api-keys", data=body, headers=AS_JSON).status_code == status
    assert member.request("POST", "/api/api-keys", data=TOO_LARGE, headers=AS_JSON).status_code == 413
    assert member.request("POST", "/api/api-keys", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    key = str(uuid.uuid4())
    first = member.request("POST", "/api/api-keys", json={"name": "一", "scopes": ["ai:generate"]}, headers={"Idempotency-Key": key})
    again = member.request("POST", "/api/api-keys", json={"name": "一", "scopes": ["ai:generate"]}, headers={"Idempotency-Key": key})
    assert again.headers["Idempotent-Replayed"] == "true" and "key" not in again.json() and "key" in first.json()
    click_twice(
        stack, member, "/api/api-keys", "LOCK TABLE api_keys IN EXCLUSIVE MODE", database="gateway",
        json={"name": "二", "scopes": ["ai:generate"]})
