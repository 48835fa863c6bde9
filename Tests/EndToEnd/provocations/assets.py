import hashlib
import uuid

import requests

from . import AS_JSON, TOO_LARGE
from .pictures import png


def provoke(stack, member) -> None:
    faces = (
        ("/v1", lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, path, member.tenant, **options)),
        ("/api", member.request),
    )
    shown = show_in_a_content(stack, member.tenant, png(uuid.uuid4().bytes[:3]))
    for prefix, call in faces:
        provoke_face(prefix + "/assets", call)
        provoke_quota(stack, member.tenant, prefix + "/assets", call)
        # What a content shows stays.
        assert call("DELETE", f"{prefix}/assets/{shown}").status_code == 409
    for path in ("/assets/presign", "/assets/multipart"):
        for body, headers in ((b"not json", AS_JSON), (b"a=b", {"Content-Type": "text/plain"}), (TOO_LARGE, AS_JSON)):
            statuses = {call("POST", prefix + path, data=body, headers=headers).status_code for prefix, call in faces}
            assert len(statuses) == 1 and statuses <= {400, 413, 415}, statuses


def provoke_face(base: str, call) -> None:
    def presign(**fields) -> requests.Response:
        return call("POST", f"{base}/presign", json={"filename": "cover.png", "contentType": "image/png"} | fields)

    assert presign(filename="../a.png").status_code == 422
    announced = presign()
    assert announced.status_code == 201, announced.text
    path = f"{base}/{announced.json()['assetId']}"
    assert call("POST", f"{path}/complete").status_code == 409
    assert call("GET", f"{path}/download-url").status_code == 409
    picture = png(uuid.uuid4().bytes[:3])
    assert requests.put(announced.json()["uploadUrl"], data=picture, headers=announced.json()["headers"], timeout=10).status_code == 200
    completed = call("POST", f"{path}/complete")
    assert completed.status_code == 200, completed.text
    assert completed.json()["sha256"] == hashlib.sha256(picture).hexdigest()
    assert call("GET", path).status_code == 200
    assert call("GET", f"{path}/download-url").status_code == 200
    assert call("GET", f"{path}/download-url", params={"expiresIn": 1}).status_code == 422
    assert call("GET", base, params={"kind": "image"}).status_code == 200
    assert call("GET", base, params={"limit": 0}).status_code == 422

    provoke_parts(base, call)
    refused = presign().json()
    requests.put(refused["uploadUrl"], data=b"no picture", headers=refused["headers"], timeout=10)
    assert call("POST", f"{base}/{refused['assetId']}/complete").status_code == 422
    assert call("DELETE", path).status_code == 204
    for method, suffix in (("GET", ""), ("DELETE", ""), ("GET", "/download-url"), ("POST", "/complete")):
        assert call(method, f"{base}/{uuid.uuid4()}{suffix}").status_code == 404


def show_in_a_content(stack, tenant: str, picture: bytes) -> str:
    """The id of a picture that a content shows."""
    def call(method: str, path: str, **options) -> requests.Response:
        return stack.inner("orchestration-service", "content-center", method, path, tenant, **options)

    kept = call("POST", "/v1/assets", data=picture, headers={"Content-Type": "image/png"}).json()["id"]
    slot = {"caption": "", "alt": "", "prompt": "a cat", "assetId": kept}
    body = {"topic": "状态码", "platform": "xiaohongshu", "title": "图", "text": "正文", "hashtags": [], "slots": [slot]}
    draft = {"step": "image_text", "kind": "image_text", "title": "图", "body": body, "source": {"kind": "human"}}
    made = call("POST", "/v1/contents", json=draft, headers={"X-Operation-Id": str(uuid.uuid4())})
    assert made.status_code == 201, made.text
    return kept


def provoke_parts(base: str, call) -> None:
    announced = call("POST", f"{base}/multipart", json={"filename": "a.mp4", "contentType": "video/mp4", "size": 6 << 20})
    assert announced.status_code == 201, announced.text
    path = f"{base}/{announced.json()['assetId']}"
    assert call("POST", f"{base}/multipart", json={"filename": "a.mp4", "contentType": "video/mp4"}).status_code == 422
    urls = call("GET", f"{path}/part-urls")
    assert (urls.status_code, len(urls.json()["parts"])) == (200, 1)
    assert call("GET", f"{path}/part-urls", params={"from": 0}).status_code == 422
    assert call("GET", f"{path}/parts").json()["parts"] == []
    single = call("POST", f"{base}/presign", json={"filename": "a.png", "contentType": "image/png"}).json()["assetId"]
    for suffix in ("parts", "part-urls"):
        assert call("GET", f"{base}/{single}/{suffix}").status_code == 409
        assert call("GET", f"{base}/{uuid.uuid4()}/{suffix}").status_code == 404
    assert call("GET", f"{base}/usage").status_code == 200
    assert call("DELETE", path).status_code == 204


def provoke_quota(stack, tenant: str, base: str, call) -> None:
    with stack.administrator("content") as connection:
        connection.execute("INSERT INTO asset_quotas (tenant_id, bytes) VALUES (%s, 0)", (tenant,))
        try:
            for path, size in (("presign", {}), ("multipart", {"size": 1})):
                answer = call("POST", f"{base}/{path}", json={"filename": "a.png", "contentType": "image/png", **size})
                assert (answer.status_code, answer.json()["code"]) == (409, "asset.quota_exceeded")
        finally:
            connection.execute("DELETE FROM asset_quotas WHERE tenant_id = %s", (tenant,))
