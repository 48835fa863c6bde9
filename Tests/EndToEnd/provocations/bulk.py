import uuid

from support import eventually

from . import AS_JSON, TOO_LARGE, click_twice


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
    click_twice(
        stack, member, "/api/contents/bulk", "LOCK TABLE jobs IN EXCLUSIVE MODE", json={"action": "delete", "ids": [str(uuid.uuid4())]})
