import uuid

from support import Member, eventually

from . import AS_JSON, TOO_LARGE, click_twice


def provoke(stack, member) -> None:
    provoke_exports(stack, member)
    for what in ("exports", "erasure"):
        someone = fresh_tenant(stack, member)
        body = {"json": {"confirmation": f"erase {someone.tenant}"}} if what == "erasure" else {}
        click_twice(stack, someone, f"/api/tenant/{what}", "LOCK TABLE jobs IN EXCLUSIVE MODE", **body)
    for erased in (True, False):
        # A tenant for each, since one is erased once.
        someone = fresh_tenant(stack, member)
        provoke_erasure(stack, someone, erased)


def fresh_tenant(stack, member) -> Member:
    """A member of a tenant that nobody else needs."""
    tenant, user, email = str(uuid.uuid4()), str(uuid.uuid4()), f"owner-{uuid.uuid4().hex[:8]}@example.com"
    with stack.administrator("gateway") as connection:
        connection.execute("INSERT INTO tenants (id, name) VALUES (%s, '告别')", (tenant,))
        connection.execute(
            "INSERT INTO users (id, email, password_hash) SELECT %s, %s, password_hash FROM users WHERE email = %s",
            (user, email, stack.env["DEMO_EMAIL"]))
        connection.execute(
            "INSERT INTO memberships (tenant_id, user_id, roles) VALUES (%s, %s, %s)", (tenant, user, ["tenant_admin"]))
    return Member(stack, email, member.password).sign_in()


def ways(stack, member):
    return (lambda method, path, **options: member.request(method, f"/api/tenant{path}", **options),
            lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1/tenant{path}", member.tenant,
                                                        **options))


def provoke_exports(stack, member) -> None:
    someone = fresh_tenant(stack, member)
    orders = someone.request("POST", "/api/tenant/exports", headers={"Idempotency-Key": "a b"})
    assert (orders.status_code, orders.json()["code"]) == (400, "idempotency.malformed_key")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    once = someone.request("POST", "/api/tenant/exports", headers=key)
    assert once.status_code == 202, once.text
    assert someone.request("POST", "/api/tenant/exports", headers=key, json={"other": "body"}).status_code == 422
    path = f"/api/tenant/exports/{once.json()['id']}"
    eventually(lambda: someone.request("GET", path).json()["state"], lambda state: state == "succeeded", "the first export ends")
    for call in ways(stack, someone):
        ordered = call("POST", "/exports")
        assert ordered.status_code == 202, ordered.text
        path = f"/exports/{ordered.json()['id']}"
        eventually(lambda: call("GET", path).json()["state"], lambda state: state == "succeeded", "the export ends")
        assert call("POST", f"{path}/cancel").json()["state"] == "succeeded"
        newest = call("GET", "/exports", params={"limit": 1}).json()
        assert [export["id"] for export in newest["items"]] == [ordered.json()["id"]]
        older = call("GET", "/exports", params={"limit": 1, "cursor": newest["nextCursor"]}).json()
        assert len(older["items"]) == 1 and older["items"][0]["id"] < ordered.json()["id"]
        assert call("GET", "/exports", params={"cursor": "x"}).status_code == 422
        for method, suffix in (("GET", ""), ("POST", "/cancel")):
            assert call(method, f"/exports/{uuid.uuid4()}{suffix}").status_code == 404
        assert call("GET", "/storage").status_code == 200
        with stack.administrator("content") as connection:
            job = connection.execute(
                "INSERT INTO jobs (tenant_id, id, kind, payload, max_attempts) VALUES (%s, gen_random_uuid(), 'tenant.export', '{}', 1)"
                " RETURNING id", (someone.tenant,)).fetchone()[0]
            assert call("POST", "/exports").status_code == 409
            connection.execute("DELETE FROM jobs WHERE id = %s", (job,))


def provoke_erasure(stack, someone, through_gateway: bool) -> None:
    call, other = ways(stack, someone) if through_gateway else reversed(ways(stack, someone))
    assert call("GET", "/erasure").status_code == 404
    assert call("POST", "/erasure", data=TOO_LARGE, headers=AS_JSON).status_code == 413
    for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
        assert call("POST", "/erasure", data=wrong, headers=kind).status_code == status
    order = {"confirmation": f"erase {someone.tenant}"}
    assert call("POST", "/erasure", json=order).status_code == 202
    assert call("POST", "/erasure", json=order).status_code == 409
    assert other("POST", "/erasure", json=order).status_code == 409
    eventually(lambda: call("GET", "/erasure").json()["state"], lambda state: state == "succeeded", "the erasure ends")
