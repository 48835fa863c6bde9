import threading
import uuid

from support import eventually

from . import AS_JSON, TOO_LARGE

SCRIPT = {"kind": "script", "title": "嫌贵怎么答", "text": "先问对比的是哪一项。"}
SEEN = {"If-Match": '"1"'}


def provoke(stack, member) -> None:
    for call in (lambda method, path, **options: member.request(method, f"/api{path}", **options),
                 lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1{path}", member.tenant,
                                                             **options)):
        provoke_one(call)
        provoke_reviews(call)
        for path in ("/materials", "/materials/recommended"):
            assert call("GET", path).status_code == 200
            assert call("GET", path, params={"limit": 0}).status_code == 422
    for path in ("/materials", "/materials/{id}/approve", "/materials/{id}/reject", "/materials/{id}/outcomes"):
        double_click(stack, member, path)


def provoke_one(call) -> None:
    made = call("POST", "/materials", json=SCRIPT)
    assert made.status_code == 201, made.text
    path, missing = f"/materials/{made.json()['id']}", f"/materials/{uuid.uuid4()}"
    refusals(call, "POST", "/materials")
    refusals(call, "PATCH", path)
    refusals(call, "POST", f"{path}/outcomes")
    assert call("GET", path).status_code == 200
    assert call("PATCH", path, json={"title": "新"}).status_code == 428
    assert call("PATCH", path, json={"title": "新"}, headers={"If-Match": '"9"'}).status_code == 412
    assert call("PATCH", path, json={"title": "新"}, headers=SEEN).status_code == 200
    assert call("POST", f"{path}/outcomes", json={"outcome": "sent"}).status_code == 200
    assert call("GET", f"{path}/outcomes").status_code == 200
    assert call("DELETE", path).status_code == 204
    assert call("POST", f"{path}/restore").status_code == 200
    for method, suffix, body in (("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/restore", None),
                                 ("GET", "/outcomes", None), ("POST", "/outcomes", {"outcome": "won"}), ("POST", "/approve", {}),
                                 ("POST", "/reject", {"note": "无"})):
        assert call(method, missing + suffix, json=body, headers=SEEN).status_code == 404


def provoke_reviews(call) -> None:
    path = f"/materials/{call('POST', '/materials', json=SCRIPT).json()['id']}"
    for action in ("approve", "reject"):
        refusals(call, "POST", f"{path}/{action}")
        assert call("POST", f"{path}/{action}", json={"note": "看过了"}).status_code == 428
        assert call("POST", f"{path}/{action}", json={"note": "看过了"}, headers={"If-Match": '"9"'}).status_code == 412
    for tag, action, status in ((1, "approve", 200), (2, "approve", 409), (2, "reject", 200), (3, "reject", 409)):
        answer = call("POST", f"{path}/{action}", json={"note": "看过了"}, headers={"If-Match": f'"{tag}"'})
        assert answer.status_code == status, answer.text


def refusals(call, method: str, path: str) -> None:
    assert call(method, path, data=TOO_LARGE, headers=AS_JSON | SEEN).status_code == 413
    for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
        assert call(method, path, data=wrong, headers=kind | SEEN).status_code == status, path


def double_click(stack, member, path: str) -> None:
    """Two clicks while nobody can write a material: the second finds the first under way."""
    made = member.request("POST", "/api/materials", json=SCRIPT).json()["id"]
    body = {"materials": SCRIPT, "outcomes": {"outcome": "sent"}}.get(path.rsplit("/", 1)[-1], {"note": "看过了"})
    headers, statuses = {"Idempotency-Key": str(uuid.uuid4()), **SEEN}, []

    def click() -> None:
        statuses.append(member.request("POST", "/api" + path.format(id=made), json=body, headers=headers).status_code)

    with stack.administrator("content") as connection, connection.transaction():
        connection.execute("LOCK TABLE materials IN EXCLUSIVE MODE")
        first = threading.Thread(target=click)
        first.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        eventually(lambda: stack.rows("content", waiting)[0][0], lambda count: count >= 1, "the first click waits")
        click()
    first.join()
    assert sorted(statuses) in ([200, 409], [201, 409]), statuses
