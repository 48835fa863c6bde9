import uuid

from uploads import upload

from . import AS_JSON, TOO_LARGE, click_twice, refusals
from .pictures import png


def provoke(stack, member) -> None:
    provoke_exports(stack, member)
    reply = {"kind": "reply_template", "title": "询价", "body": {"scene": "询价", "text": "您好", "variables": []}}
    assert member.request("POST", "/api/contents", json=reply).status_code == 201
    refusals(member.request, "POST", "/api/contents")
    click_twice(stack, member, "/api/contents", "LOCK TABLE contents IN SHARE MODE", json=reply)
    first, second = (member.draft(topic="状态码", count=1)["contentId"] for _ in range(2))
    provoke_conflict(stack, member.tenant, [first, second])
    provoke_versions(stack, member)
    provoke_restored(stack, member)
    inner = f"/v1/contents/{first}"
    stack.inner("gateway-bff", "content-center", "GET", inner, member.tenant, headers={"If-None-Match": '"2"'})
    for version in ('"99"', '"2"'):
        stack.inner("gateway-bff", "content-center", "PATCH", inner, member.tenant, json={"title": "改"},
                    headers={"If-Match": version})
    path = f"/api/contents/{first}"
    member.request("GET", f"/api/contents/{uuid.uuid4()}/versions")
    member.request("GET", f"{path}/versions", params={"limit": 0})
    headers = AS_JSON | {"If-Match": '"1"'}
    for body in (b"not json", b'{"colour": 1}'):
        member.request("PATCH", path, data=body, headers=headers)
    assert member.request("PATCH", path, data=TOO_LARGE, headers=headers).status_code == 413
    member.request("PATCH", path, data=b"x", headers={"Content-Type": "text/plain", "If-Match": '"1"'})


def provoke_versions(stack, member) -> None:
    """A flow that writes the next version whole."""
    draft = member.draft(topic="状态码", count=1)["contentId"]
    body = {"topic": "状态码", "platform": "douyin",
            "candidates": [{"title": "状态码也能写得好看", "reasons": ["人工改写"], "formula": "manual"}]}
    version = {"step": "again", "kind": "title_set", "body": body, "source": {"kind": "human"}}
    copy = {"topic": "状态码", "platform": "douyin", "text": "正文", "hashtags": []}

    def write(content: str, seen: str | None, operation: str | None = None, **changes) -> int:
        headers = {"X-Operation-Id": operation or str(uuid.uuid4())} | ({"If-Match": seen} if seen else {})
        return stack.inner("orchestration-service", "content-center", "POST", f"/v1/contents/{content}/versions", member.tenant,
                           json=version | changes, headers=headers).status_code

    operation = str(uuid.uuid4())
    assert write(draft, '"1"', operation) == 200
    assert write(draft, '"1"') == 412
    assert write(draft, None) == 428
    assert write(draft, '"2"', kind="copy", body=copy) == 422
    assert write(str(uuid.uuid4()), '"1"') == 404
    other = member.draft(topic="状态码", count=1)["contentId"]
    assert write(other, '"1"', operation) == 409


def provoke_restored(stack, member) -> None:
    """An older version that is the newest again; what it showed may be gone."""
    picture = upload(member, png(uuid.uuid4().bytes[:3]))["id"]
    slot = {"caption": "图", "alt": "图", "prompt": "图", "assetId": picture}
    body = {"topic": "状态码", "platform": "xiaohongshu", "title": "图", "text": "正文", "hashtags": [], "slots": [slot]}

    def draft() -> str:
        made = member.request("POST", "/api/contents", json={"kind": "image_text", "title": "图", "body": body})
        assert made.status_code == 201, made.text
        del slot["assetId"]
        edited = member.request("PATCH", f"/api/contents/{made.json()['id']}", json={"body": {"slots": [slot]}}, headers={"If-Match": '"1"'})
        assert edited.status_code == 200, edited.text
        slot["assetId"] = picture
        return made.json()["id"]

    first, second = draft(), draft()
    for call in (lambda m, p, **o: member.request(m, f"/api{p}", **o),
                 lambda m, p, **o: stack.inner("gateway-bff", "content-center", m, f"/v1{p}", member.tenant, **o)):
        path = f"/contents/{first}/versions/1"
        assert call("GET", path).json()["version"] == 1
        for wrong in (f"/contents/{first}/versions/9", f"/contents/{uuid.uuid4()}/versions/1"):
            assert call("GET", wrong).status_code == 404
            assert call("POST", f"{wrong}/restore", headers={"If-Match": '"2"'}).status_code == 404
        assert call("POST", f"{path}/restore").status_code == 428
        assert call("POST", f"{path}/restore", headers={"If-Match": '"99"'}).status_code == 412
    malformed = member.request("POST", f"/api/contents/{first}/versions/1/restore", headers={"Idempotency-Key": "a b", "If-Match": '"2"'})
    assert malformed.status_code == 400, malformed.text
    operation = {"X-Operation-Id": str(uuid.uuid4()), "If-Match": '"2"'}
    again = [stack.inner("gateway-bff", "content-center", "POST", f"/v1/contents/{content}/versions/1/restore", member.tenant,
                         headers=operation).status_code for content in (first, second)]
    assert again == [200, 409]
    click_twice(
        stack, member, f"/api/contents/{second}/versions/1/restore", "SELECT FROM contents WHERE id = %s FOR UPDATE", (second,),
        headers={"If-Match": '"2"'})
    # Both show it again: it goes only once neither does.
    for content in (first, second):
        version = member.request("GET", f"/api/contents/{content}").json()["version"]
        del slot["assetId"]
        member.request("PATCH", f"/api/contents/{content}", json={"body": {"slots": [slot]}}, headers={"If-Match": f'"{version}"'})
        slot["assetId"] = picture
    assert member.request("DELETE", f"/api/assets/{picture}").status_code == 204
    for call in (lambda p, **o: member.request("POST", f"/api{p}", **o),
                 lambda p, **o: stack.inner("gateway-bff", "content-center", "POST", f"/v1{p}", member.tenant, **o)):
        version = member.request("GET", f"/api/contents/{first}").json()["version"]
        refused = call(f"/contents/{first}/versions/1/restore", headers={"If-Match": f'"{version}"'})
        assert refused.status_code == 422, refused.text


def provoke_conflict(stack, tenant: str, contents: list[str]) -> None:
    """One operation that edits two contents."""
    operation = str(uuid.uuid4())
    statuses = [
        stack.inner("orchestration-service", "content-center", "PATCH", f"/v1/contents/{content}", tenant,
                    json={"title": f"冲突{uuid.uuid4().hex[:6]}"},
                    headers={"If-Match": '"1"', "X-Operation-Id": operation}).status_code
        for content in contents
    ]
    assert statuses == [200, 409]


def provoke_exports(stack, member) -> None:
    content = member.draft(topic="导出", count=1)["contentId"]
    answer = member.request("GET", f"/api/contents/{content}/export")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/markdown")
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''%E5%AF%BC%E5%87%BA.md")
    for format in ("srt", "docx"):
        assert member.request("GET", f"/api/contents/{content}/export", params={"format": format}).status_code == 422
    member.request("GET", f"/api/contents/{uuid.uuid4()}/export")
