import threading
import uuid

import requests

from . import AS_JSON, TOO_LARGE


def provoke(stack, member) -> None:
    answer = stack.inner("orchestration-service", "agent-center", "POST", "/v1/titles", member.tenant, json={
        "topic": "防晒", "platform": "douyin", "sellingPoints": [], "keywords": [], "bannedWords": [], "brandWords": [],
        "count": 1, "maxLength": 30, "model": "auto"})
    assert answer.status_code == 200, answer.text
    assert member.request(
        "POST", "/api/titles", json={"topic": "状态码", "count": 1}, headers={"Prefer": "respond-async"}).status_code == 202
    for body in (b"not json", b'{"colour": 1}'):
        member.request("POST", "/api/titles", data=body, headers=AS_JSON)
    assert member.request("POST", "/api/titles", data=TOO_LARGE, headers=AS_JSON).status_code == 413
    provoke_in_flight(stack, member)


def provoke_in_flight(stack, member) -> None:
    """The same key twice at once, while the model takes its time."""
    topic, key, statuses = f"慢{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), []
    slow = {"fault": "none", "match": topic, "latencyMs": 2000}
    requests.post(stack.url("sandbox", "/__control/config"), json=slow, timeout=5).raise_for_status()
    threads = [threading.Thread(target=lambda: statuses.append(member.titles(topic, key=key).status_code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409]
