import uuid

from . import click_twice, refusals


def provoke(stack, member) -> None:
    ways = (lambda method, path, **options: member.request(method, f"/api{path}", **options),
            lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1{path}", member.tenant, **options))
    for call in ways:
        provoke_spaces(call)
        provoke_contents(stack, member, call)
    # Somebody else is just taking the name.
    name = f"双击{uuid.uuid4().hex[:8]}"
    click_twice(
        stack, member, "/api/spaces", "INSERT INTO content_spaces (tenant_id, id, name, created_by) VALUES (%s, %s, %s, 'x')",
        (member.tenant, str(uuid.uuid4()), name), json={"name": name})


def provoke_spaces(call) -> None:
    name = f"空间{uuid.uuid4().hex[:8]}"
    made = call("POST", "/spaces", json={"name": name})
    assert made.status_code == 201, made.text
    space = f"/spaces/{made.json()['id']}"
    assert call("POST", "/spaces", json={"name": name}).status_code == 409
    refusals(call, "POST", "/spaces")
    refusals(call, "PATCH", space)
    assert call("GET", "/spaces").status_code == 200
    assert call("GET", "/spaces", params={"limit": 0}).status_code == 422
    assert call("GET", space).status_code == 200
    other = call("POST", "/spaces", json={"name": name + "二"}).json()["id"]
    assert call("PATCH", f"/spaces/{other}", json={"name": name}).status_code == 409
    assert call("PATCH", f"/spaces/{other}", json={"description": "说明"}).status_code == 200
    assert call("DELETE", f"/spaces/{other}").status_code == 204
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert call(method, f"/spaces/{uuid.uuid4()}", json=body).status_code == 404


def provoke_contents(stack, member, call) -> None:
    content = member.draft(topic="归档", count=1)["contentId"]
    path, missing = f"/contents/{content}", f"/contents/{uuid.uuid4()}"
    space = call("POST", "/spaces", json={"name": f"空间{uuid.uuid4().hex[:8]}"}).json()["id"]
    assert call("PATCH", f"{path}/labels", json={"spaceId": space, "tags": ["夏季"]}).status_code == 200
    assert call("DELETE", f"/spaces/{space}").status_code == 409
    refusals(call, "PATCH", f"{path}/labels")
    assert call("PATCH", f"{path}/labels", json={"tags": []}, headers={"If-Match": '"9"'}).status_code == 412
    assert call("PATCH", f"{missing}/labels", json={}).status_code == 404
    assert call("GET", f"{path}/diff", params={"from": 1, "to": 1}).status_code == 200
    assert call("GET", f"{path}/diff", params={"from": 1, "to": 9}).status_code == 404
    assert call("GET", f"{path}/diff", params={"from": 1}).status_code == 422
    for url in ("/publish-status", "/publish-status/history"):
        assert call("GET", path + url).status_code == 200
        assert call("GET", path + url, params={"limit": 0}).status_code == 422
        assert call("GET", missing + url).status_code == 404
    with stack.administrator("content") as connection:
        connection.execute("UPDATE contents SET status = 'publishing' WHERE id = %s", (content,))
        assert call("DELETE", path).status_code == 409
        connection.execute("UPDATE contents SET status = 'published' WHERE id = %s", (content,))
    assert call("DELETE", path).status_code == 204
    assert call("DELETE", path).status_code == 404
    assert call("POST", f"{path}/restore").status_code == 200
    assert call("POST", f"{missing}/restore").status_code == 404
