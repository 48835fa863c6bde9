import uuid

from . import AS_JSON, TOO_LARGE, double_click


def provoke(stack, member) -> None:
    bodies = {
        "image-texts": {"topic": "状态码", "slots": 1},
        "video-scripts": {"topic": "状态码", "scriptType": "vlog", "durationSeconds": 15},
    }
    provoke_pictures(stack, member)
    for noun, body in bodies.items():
        path, key = f"/api/{noun}", str(uuid.uuid4())
        assert member.request("POST", path, json=body, headers={"Prefer": "respond-async"}).status_code == 202
        assert member.request("POST", path, json=body, headers={"Idempotency-Key": key}, timeout=60).status_code in (201, 202)
        provoke_reuse(stack, member.tenant, noun, body)
        double_click(stack, member, path, body)
        for data in (b"not json", b'{"colour": 1}'):
            member.request("POST", path, data=data, headers=AS_JSON)
        assert member.request("POST", path, data=TOO_LARGE, headers=AS_JSON).status_code == 413
        member.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"})


def provoke_pictures(stack, member) -> None:
    """An order for the first picture: of a content that has it, of one that is no image-text, and of none."""
    made = member.request("POST", "/api/image-texts", json={"topic": "补图", "slots": 1}).json()
    content = made["contentId"]
    path = f"/api/contents/{content}/pictures"
    assert member.request("POST", path, json={"slots": [1]}).status_code == 422
    assert member.request("POST", f"/api/contents/{uuid.uuid4()}/pictures", json={"slots": [1]}).status_code == 404
    titles = member.draft(topic="状态码", count=1)["contentId"]
    assert member.request("POST", f"/api/contents/{titles}/pictures", json={"slots": [1]}).status_code == 409
    assert member.request("POST", path, json={"slots": [1]}, headers={"Prefer": "respond-async"}).status_code == 202
    for data in (b"not json", b'{"colour": 1}'):
        member.request("POST", path, data=data, headers=AS_JSON)
    assert member.request("POST", path, data=TOO_LARGE, headers=AS_JSON).status_code == 413
    member.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"})
    assert complete_open_slot(stack, member, content) == 200


def complete_open_slot(stack, member, content: str) -> int:
    version = member.request("GET", f"/api/contents/{content}")
    slots = version.json()["body"]["slots"]
    slots[0].pop("assetId")
    edited = member.request("PATCH", f"/api/contents/{content}", json={"body": {"slots": slots}}, headers={"If-Match": version.headers["ETag"]})
    assert edited.status_code == 200, edited.text
    return member.request("POST", f"/api/contents/{content}/pictures", json={"slots": [1]}, timeout=60).status_code


def provoke_reuse(stack, tenant: str, noun: str, body: dict) -> None:
    """One operation for two requests."""
    headers = {"X-Operation-Id": str(uuid.uuid4())}
    statuses = [
        stack.inner("gateway-bff", "orchestration-service", "POST", f"/v1/{noun}", tenant, json=body | {"topic": topic},
                    headers=headers).status_code
        for topic in ("一", "二")
    ]
    assert statuses[1] == 409, statuses
