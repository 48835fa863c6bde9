import threading
import uuid

import requests

from . import AS_JSON, TOO_LARGE, double_click


def provoke(stack, member) -> None:
    provoke_copies(stack, member)
    provoke_regeneration(stack, member)
    for name in ("brand-words", "banned-words"):
        provoke_vocabulary(member, name)


def provoke_copies(stack, member) -> None:
    brief = {"topic": "状态码", "platforms": ["weibo"]}
    assert member.request("POST", "/api/copies", json=brief).status_code == 201
    assert member.request("POST", "/api/copies", json=brief, headers={"Prefer": "respond-async"}).status_code == 202
    for body, status in ((b"not json", 400), (b'{"colour": 1}', 422), (TOO_LARGE, 413)):
        assert member.request("POST", "/api/copies", data=body, headers=AS_JSON).status_code == status
    assert member.request("POST", "/api/copies", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    # One operation for two briefs: the gateway would refuse it, the service does too.
    operation = str(uuid.uuid4())
    statuses = [
        stack.inner("gateway-bff", "orchestration-service", "POST", "/v1/copies", member.tenant,
                    json={"topic": topic, "platforms": ["weibo"]}, headers={"X-Operation-Id": operation}).status_code
        for topic in ("一", "二")
    ]
    assert statuses == [201, 409]
    double_click(stack, member, "/api/copies", brief)


def provoke_regeneration(stack, member) -> None:
    path = f"/api/contents/{member.draft(topic='状态码', count=1)['contentId']}/regenerate"
    wish, first = {"feedback": "再短一点"}, {"If-Match": '"1"'}
    assert member.request("POST", path, json=wish, headers={"If-Match": '"9"'}).status_code == 412
    for body, status in ((b"not json", 400), (b'{"colour": 1}', 422), (TOO_LARGE, 413)):
        assert member.request("POST", path, data=body, headers=AS_JSON | first).status_code == status
    assert member.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"} | first).status_code == 415
    unknown = f"/api/contents/{uuid.uuid4()}/regenerate"
    assert member.request("POST", unknown, json=wish, headers=first).status_code == 404
    assert member.request("POST", path, json=wish, headers=first).status_code == 200
    assert member.request("POST", path, json=wish, headers={"If-Match": '"2"', "Prefer": "respond-async"}).status_code == 202
    # One operation that writes two contents anew.
    operation = str(uuid.uuid4())
    statuses = []
    for _ in range(2):
        content = member.draft(topic="状态码", count=1)["contentId"]
        statuses.append(stack.inner(
            "gateway-bff", "orchestration-service", "POST", f"/v1/contents/{content}/regenerate", member.tenant, json=wish,
            headers=first | {"X-Operation-Id": operation}).status_code)
    assert statuses == [200, 409]
    topic, key, statuses = f"慢{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), []
    content = member.draft(topic=topic, count=1)["contentId"]
    slow = {"fault": "none", "match": topic, "latencyMs": 2000}
    requests.post(stack.url("sandbox", "/__control/config"), json=slow, timeout=5).raise_for_status()

    def click() -> None:
        statuses.append(member.request(
            "POST", f"/api/contents/{content}/regenerate", json=wish, headers=first | {"Idempotency-Key": key}).status_code)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


def provoke_vocabulary(member, name: str) -> None:
    path, word = f"/api/vocabulary/{name}", f"词{uuid.uuid4().hex[:8]}"
    kept = [item["word"] for item in member.request("GET", path, params={"limit": 1000}).json()["items"]]
    assert member.request("GET", path, params={"limit": 0}).status_code == 422
    assert member.request("PUT", f"{path}/{word}").status_code == 204
    assert member.request("DELETE", f"{path}/{word}").status_code == 204
    assert member.request("DELETE", f"{path}/{word}").status_code == 404
    for method in ("PUT", "DELETE"):
        assert member.request(method, f"{path}/{'长' * 51}").status_code == 404
    for body, status in ((b"not json", 400), (b'{"colour": 1}', 422), (TOO_LARGE, 413)):
        assert member.request("PUT", path, data=body, headers=AS_JSON).status_code == status
    assert member.request("PUT", path, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    full = [f"满{number}" for number in range(200 if name == "brand-words" else 10_000)]
    assert member.request("PUT", path, json={"words": full}).json() == {"count": len(full)}
    assert member.request("PUT", f"{path}/{word}").status_code == 409
    assert member.request("PUT", path, json={"words": kept}).status_code == 200
