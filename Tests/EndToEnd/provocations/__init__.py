"""Answers that no other test has a reason to provoke, one module per area of the API. Each has `provoke(stack, member)`."""

import importlib
import pkgutil
import threading
import uuid

import requests

TOO_LARGE = b'{"topic": "' + b"a" * 3_000_000 + b'"}'
AS_JSON = {"Content-Type": "application/json"}



def double_click(stack, member, path: str, body: dict) -> None:
    """The same request twice at once: the second finds the first under way."""
    topic, key, statuses = f"慢{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), []
    slow = {"fault": "none", "match": topic, "latencyMs": 2000}
    requests.post(stack.url("sandbox", "/__control/config"), json=slow, timeout=5).raise_for_status()

    def click() -> None:
        statuses.append(member.request("POST", path, json=body | {"topic": topic}, headers={"Idempotency-Key": key}).status_code)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409]


AREAS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]
