import uuid

from support import Member

from . import AS_JSON, TOO_LARGE

ROUTES = {"routes": [{"provider": "openai", "model": "gpt-4o-mini"}]}
RATES = {"promptNano": "1", "cachedPromptNano": "1", "completionNano": "1"}


def provoke(stack, member) -> None:
    platform = administrator(stack, member)
    later = {"validFrom": "2036-01-01T00:00:00Z"}
    model = {"provider": "openai", "model": "gpt-4o"}
    calls = [
        ("PUT", "providers/house", {"dialect": "openai", "baseUrl": "http://127.0.0.1:9", "key": "k", "enabled": False}, 204),
        ("DELETE", "providers/house", None, 204),
        ("PUT", "providers/openai/key", {"key": "k"}, 204),
        ("DELETE", "providers/openai/key", None, 204),
        ("PUT", "models/openai/spare", {"capabilities": [], "contextTokens": 1000}, 204),
        ("DELETE", "models/openai/spare", None, 204),
        ("POST", "aliases", model | later | {"name": f"name-{uuid.uuid4().hex[:8]}"}, 201),
        ("POST", "prices", model | {"validFrom": f"{2100 + uuid.uuid4().int % 7000}-01-01T00:00:00Z", "rates": RATES, "source": "测试"}, 201),
        ("PUT", "policies/nowhere", ROUTES, 200),
        ("DELETE", "policies/nowhere", None, 204),
        ("PUT", "policies/nowhere?scope=platform", ROUTES, 200),
        ("DELETE", "policies/nowhere?scope=platform", None, 204),
    ]
    for method in ("PUT", "DELETE"):
        elsewhere = platform.request(method, "/api/ai/policies/nowhere?scope=world", json=ROUTES if method == "PUT" else None)
        assert elsewhere.status_code == 422, elsewhere.text
    assert platform.request("GET", "/api/ai/catalogue").status_code == 200
    for path, body in (("providers/OpenAI", calls[0][2]), ("models/openai/GPT-4o", {"capabilities": [], "contextTokens": 1000})):
        assert platform.request("PUT", f"/api/ai/{path}", json=body).status_code == 409
    for method, path, body, status in calls:
        url = f"/api/ai/{path}"
        answer = platform.request(method, url, json=body)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        if path == "aliases":
            named = f"/api/ai/aliases/{answer.json()['id']}"
        if method == "DELETE":
            assert platform.request(method, url).status_code == 404
            continue
        if method == "POST":
            assert platform.request(method, url, json=body).status_code == 409
        else:
            # Names in paths are short.
            assert platform.request(method, f"/api/ai/{path.split('/')[0]}/{'x' * 65}" + ("/key" if "key" in path else "/y" if "models" in path else ""),
                                    json=body).status_code == 404
        for wrong, expected in ((b"not json", 400), (b'{"colour": 1}', 422)):
            assert platform.request(method, url, data=wrong, headers=AS_JSON).status_code == expected
        assert platform.request(method, url, data=TOO_LARGE, headers=AS_JSON).status_code == 413
        assert platform.request(method, url, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert [platform.request("DELETE", named).status_code for _ in range(2)] == [204, 404]


def administrator(stack, member) -> Member:
    """Of the platform; the demo's own user administers a tenant only."""
    user, email = str(uuid.uuid4()), f"platform-{uuid.uuid4().hex[:8]}@example.com"
    with stack.administrator("gateway") as connection:
        connection.execute(
            "INSERT INTO users (id, email, password_hash) SELECT %s, %s, password_hash FROM users WHERE email = %s",
            (user, email, stack.env["DEMO_EMAIL"]))
        connection.execute(
            "INSERT INTO memberships (tenant_id, user_id, roles) VALUES (%s, %s, %s)", (member.tenant, user, ["system_admin"]))
    return Member(stack, email, member.password).sign_in()
