import json
import threading
import uuid

from support import eventually

from . import AS_JSON, TOO_LARGE

ACTIONS = ("submit", "withdraw", "approve", "request-changes", "hold", "release")


def provoke(stack, member) -> None:
    provoke_moves(stack, member)
    provoke_comments(stack, member)


def provoke_moves(stack, member) -> None:
    content = member.draft(topic="审批", count=1)["contentId"]
    path, inner = f"/api/contents/{content}", f"/v1/contents/{content}"
    for action in ACTIONS:
        refusals(member, f"{path}/{action}", f"/api/contents/{uuid.uuid4()}/{action}")
        conditions(lambda **options: member.request("POST", f"{path}/{action}", json={"note": "看过了"}, **options))
        conditions(lambda **options: stack.inner("gateway-bff", "content-center", "POST", f"{inner}/{action}", member.tenant,
                                                 json={"note": "看过了"}, **options))
    seen = {"If-Match": '"1"'}
    for ways in (lambda action: member.request("POST", f"{path}/{action}", json={"note": "看过了"}, headers=seen),
                 lambda action: stack.inner("gateway-bff", "content-center", "POST", f"{inner}/{action}", member.tenant,
                                            json={"note": "看过了"}, headers=seen)):
        for action, status in (("release", 409), ("withdraw", 409), ("approve", 409), ("request-changes", 409), ("submit", 200),
                               ("submit", 409), ("withdraw", 200), ("submit", 200), ("hold", 200), ("hold", 409), ("release", 200),
                               ("approve", 200), ("request-changes", 200)):
            assert ways(action).status_code == status, action
    for url in (f"{path}/reviews",):
        assert member.request("GET", url).status_code == 200
        assert member.request("GET", url, params={"limit": 0}).status_code == 422
    assert member.request("GET", f"/api/contents/{uuid.uuid4()}/reviews").status_code == 404
    assert stack.inner("gateway-bff", "content-center", "GET", f"{inner}/reviews", member.tenant).status_code == 200


def refusals(member, url: str, missing: str) -> None:
    """What any body and any id can be wrong in."""
    seen = {"If-Match": '"1"'}
    assert member.request("POST", url, data=TOO_LARGE, headers=AS_JSON | seen).status_code == 413
    for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
        assert member.request("POST", url, data=wrong, headers=kind | seen).status_code == status, url
    assert member.request("POST", missing, json={"note": "无", "text": "无"} if missing.endswith("comments") else {"note": "无"},
                          headers=seen).status_code in (404, 422)


def conditions(call) -> None:
    assert call().status_code == 428
    assert call(headers={"If-Match": '"99"'}).status_code == 412


def provoke_comments(stack, member) -> None:
    content = member.draft(topic="批注", count=1)["contentId"]
    path = f"/api/contents/{content}/comments"
    refusals(member, path, f"/api/contents/{uuid.uuid4()}/comments")
    assert member.request("POST", f"/api/contents/{uuid.uuid4()}/comments", json={"text": "无"}).status_code == 404
    for method, suffix in (("DELETE", ""), ("POST", "/resolve"), ("POST", "/reopen")):
        for caller in (lambda m, p: member.request(m, f"/api{p}"),
                       lambda m, p: stack.inner("gateway-bff", "content-center", m, f"/v1{p}", member.tenant)):
            assert caller(method, f"/contents/{content}/comments/{uuid.uuid4()}{suffix}").status_code == 404
    assert member.request("GET", f"/api/contents/{uuid.uuid4()}/comments").status_code == 404
    assert member.request("GET", path, params={"limit": 0}).status_code == 422
    for call in (lambda m, p, **o: member.request(m, f"/api{p}", **o),
                 lambda m, p, **o: stack.inner("gateway-bff", "content-center", m, f"/v1{p}", member.tenant, **o)):
        made = call("POST", f"/contents/{content}/comments", json={"text": "短一点", "pointer": "/title"})
        assert made.status_code == 201, made.text
        comment = f"/contents/{content}/comments/{made.json()['id']}"
        assert call("GET", f"/contents/{content}/comments").status_code == 200
        assert call("POST", f"{comment}/resolve").status_code == 200
        assert call("POST", f"{comment}/reopen").status_code == 200
        assert call("DELETE", comment).status_code == 204
    twice_at_once(stack, member, content, path, {"text": "双击"})


def twice_at_once(stack, member, content: str, path: str, body: dict) -> None:
    """A double click while the content's row is locked: the second finds the first under way."""
    headers, statuses = {"Idempotency-Key": str(uuid.uuid4())}, []

    def click() -> None:
        statuses.append(member.request("POST", path, data=json.dumps(body), headers=headers | AS_JSON).status_code)

    with stack.administrator("content") as connection, connection.transaction():
        connection.execute("SELECT 1 FROM contents WHERE id = %s FOR UPDATE", (content,))
        connection.execute("SELECT 1 FROM content_versions WHERE content_id = %s FOR UPDATE", (content,))
        first = threading.Thread(target=click)
        first.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        eventually(lambda: stack.rows("content", waiting)[0][0], lambda count: count >= 1, "the first click waits")
        click()
    first.join()
    assert sorted(statuses) == [201, 409], statuses
