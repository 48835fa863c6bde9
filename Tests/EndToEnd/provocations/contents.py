import uuid

from . import AS_JSON, TOO_LARGE, click_twice, refusals


def provoke(stack, member) -> None:
    provoke_exports(stack, member)
    reply = {"kind": "reply_template", "title": "询价", "body": {"scene": "询价", "text": "您好", "variables": []}}
    assert member.request("POST", "/api/contents", json=reply).status_code == 201
    refusals(member.request, "POST", "/api/contents")
    click_twice(stack, member, "/api/contents", "LOCK TABLE contents IN SHARE MODE", json=reply)
    first, second = (member.draft(topic="状态码", count=1)["contentId"] for _ in range(2))
    provoke_conflict(stack, member.tenant, [first, second])
    provoke_versions(stack, member)
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
