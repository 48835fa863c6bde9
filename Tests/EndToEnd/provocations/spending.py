import uuid

from . import AS_JSON, TOO_LARGE

PICTURE = {"step": "image:1", "scene": "douyin-image-text-zh", "provider": "openai", "model": "gpt-image-1", "images": 1}


def provoke(stack, member) -> None:
    operation = {"X-Operation-Id": str(uuid.uuid4())}

    def post(path: str, caller: str = "orchestration-service", headers: dict = operation, **options):
        return stack.inner(caller, "agent-center", "POST", f"/v1/ai/holds{path}", member.tenant, headers=headers, **options)

    held = post("", json=PICTURE)
    assert held.status_code == 201, held.text
    assert post("", json=PICTURE).status_code == 409
    ticket = {"step": PICTURE["step"], "ticketId": held.json()["ticketId"]}
    settlement = ticket | {"images": 1, "latencyMs": 10, "promptSha256": "0" * 64}
    assert post("/settle", json=settlement | {"step": "image:2"}).status_code == 404
    assert post("/settle", json=settlement).status_code == 204
    assert post("/release", json=ticket).status_code == 204
    for path in ("", "/settle", "/release"):
        assert post(path, caller="gateway-bff", json={}).status_code == 403
        assert post(path, json={"colour": 1}).status_code == 422
        assert post(path, data=b"not json", headers=operation | AS_JSON).status_code == 400
        assert post(path, data=TOO_LARGE, headers=operation | AS_JSON).status_code == 413
        assert post(path, data=b"x", headers=operation | {"Content-Type": "text/plain"}).status_code == 415
