"""Answers that no other test has a reason to provoke, one module per area of the API. Each has `provoke(stack, member)`."""

import importlib
import pkgutil
import threading
import uuid

import requests

from support import eventually

TOO_LARGE = b'{"topic": "' + b"a" * (3 << 20) + b'"}'
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


def click_twice(stack, member, path: str, blocking: str, parameters: tuple = (), headers: dict | None = None, database: str = "content",
                **body) -> None:
    """Two clicks while a statement of somebody else holds up what the first one writes: the second finds the first under way."""
    headers, statuses = {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})}, []

    def click() -> None:
        statuses.append(member.request("POST", path, headers=headers, **body).status_code)

    with stack.administrator(database) as connection, connection.transaction(force_rollback=True):
        connection.execute(blocking, parameters)
        first = threading.Thread(target=click)
        first.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        eventually(lambda: stack.rows(database, waiting)[0][0], lambda count: count >= 1, "the first click waits")
        click()
    first.join()
    assert len(statuses) == 2 and 409 in statuses and min(statuses) in (200, 201, 202), statuses


def refusals(call, method: str, path: str, **headers) -> None:
    """What any body can be wrong in."""
    assert call(method, path, data=TOO_LARGE, headers=AS_JSON | headers).status_code == 413
    for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
        assert call(method, path, data=wrong, headers=kind | headers).status_code == status, path


AREAS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]
