import uuid

from . import click_twice, refusals

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
        made = member.request("POST", "/api/materials", json=SCRIPT).json()["id"]
        if path.endswith("/outcomes"):
            assert member.request("POST", f"/api/materials/{made}/approve", headers=SEEN).status_code == 200
        body = {"materials": SCRIPT, "outcomes": {"outcome": "sent"}}.get(path.rsplit("/", 1)[-1], {"note": "看过了"})
        click_twice(
            stack, member, "/api" + path.format(id=made), "LOCK TABLE materials IN EXCLUSIVE MODE", headers=SEEN, json=body)


def provoke_one(call) -> None:
    made = call("POST", "/materials", json=SCRIPT)
    assert made.status_code == 201, made.text
    path, missing = f"/materials/{made.json()['id']}", f"/materials/{uuid.uuid4()}"
    refusals(call, "POST", "/materials", **SEEN)
    refusals(call, "PATCH", path, **SEEN)
    refusals(call, "POST", f"{path}/outcomes", **SEEN)
    assert call("GET", path).status_code == 200
    assert call("PATCH", path, json={"title": "新"}).status_code == 428
    assert call("PATCH", path, json={"title": "新"}, headers={"If-Match": '"9"'}).status_code == 412
    assert call("PATCH", path, json={"title": "新"}, headers=SEEN).status_code == 200
    assert call("POST", f"{path}/outcomes", json={"outcome": "sent"}).status_code == 409
    assert call("POST", f"{path}/approve", headers={"If-Match": '"2"'}).status_code == 200
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
        refusals(call, "POST", f"{path}/{action}", **SEEN)
        assert call("POST", f"{path}/{action}", json={"note": "看过了"}).status_code == 428
        assert call("POST", f"{path}/{action}", json={"note": "看过了"}, headers={"If-Match": '"9"'}).status_code == 412
    for tag, action, status in ((1, "approve", 200), (2, "approve", 409), (2, "reject", 200), (3, "reject", 409)):
        answer = call("POST", f"{path}/{action}", json={"note": "看过了"}, headers={"If-Match": f'"{tag}"'})
        assert answer.status_code == status, answer.text
