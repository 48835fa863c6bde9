import threading
import uuid

from support import eventually

from . import AS_JSON, TOO_LARGE


def provoke(stack, member) -> None:
    for call in (lambda method, path, **options: member.request(method, f"/api{path}", **options),
                 lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1{path}", member.tenant,
                                                             **options)):
        content = member.draft(topic="批量", count=1)["contentId"]
        ordered = call("POST", "/contents/bulk", json={"action": "tag", "ids": [content], "tags": ["批量"]})
        assert ordered.status_code == 202, ordered.text
        job = f"/content-jobs/{ordered.json()['id']}"
        eventually(lambda: call("GET", job).json()["state"], lambda state: state == "succeeded", "the job ends")
        assert call("POST", f"{job}/cancel").status_code == 200
        for method, suffix in (("GET", ""), ("POST", "/cancel")):
            assert call(method, f"/content-jobs/{uuid.uuid4()}{suffix}").status_code == 404
        assert call("POST", "/contents/bulk", data=TOO_LARGE, headers=AS_JSON).status_code == 413
        for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
            assert call("POST", "/contents/bulk", data=wrong, headers=kind).status_code == status
        assert call("GET", f"/contents/{content}/similar").status_code == 200
        assert call("GET", f"/contents/{content}/similar", params={"limit": 0}).status_code == 422
        assert call("GET", f"/contents/{uuid.uuid4()}/similar").status_code == 404
    double_click(stack, member)


def double_click(stack, member) -> None:
    """Two clicks while no job can be added: the second finds the first under way."""
    key, statuses = str(uuid.uuid4()), []

    def click() -> None:
        answer = member.request("POST", "/api/contents/bulk", json={"action": "delete", "ids": [key]}, headers={"Idempotency-Key": key})
        statuses.append(answer.status_code)

    with stack.administrator("content") as connection, connection.transaction():
        connection.execute("LOCK TABLE jobs IN EXCLUSIVE MODE")
        first = threading.Thread(target=click)
        first.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        eventually(lambda: stack.rows("content", waiting)[0][0], lambda count: count >= 1, "the first click waits")
        click()
    first.join()
    assert sorted(statuses) == [202, 409], statuses
