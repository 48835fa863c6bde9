import pathlib
import tempfile
import uuid

import requests

from media_files import make_picture, make_video
from support import eventually

from . import AS_JSON, TOO_LARGE, click_twice


def provoke(stack, member) -> None:
    with tempfile.TemporaryDirectory() as folder:
        video = keep(member, make_video(pathlib.Path(folder) / "a.mp4", size="320x180", seconds=1), "video/mp4")
        picture = keep(member, make_picture(pathlib.Path(folder) / "a.png"), "image/png")
    for call in (lambda method, path, **options: member.request(method, f"/api{path}", **options),
                 lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1{path}", member.tenant,
                                                             **options)):
        assert call("POST", "/media/jobs", json={"type": "transcode", "assetId": picture}).status_code == 422
        ordered = call("POST", "/media/jobs", json={"type": "transcode", "assetId": video, "params": {"cover": False}})
        assert ordered.status_code == 202, ordered.text
        job = f"/media/jobs/{ordered.json()['jobId']}"
        eventually(lambda: call("GET", job).json()["status"], lambda status: status == "succeeded", "the job ends", 60)
        assert call("GET", f"{job}/hls/master.m3u8").status_code == 200
        assert call("GET", f"{job}/hls/9p.m3u8").status_code == 404
        assert call("POST", f"{job}/cancel").status_code == 200
        assert call("GET", "/media/jobs").status_code == 200
        assert call("GET", "/media/jobs", params={"type": "sing"}).status_code == 422
        for method, suffix in (("GET", ""), ("POST", "/cancel"), ("GET", "/hls/master.m3u8")):
            assert call(method, f"/media/jobs/{uuid.uuid4()}{suffix}").status_code == 404
        assert call("POST", "/media/jobs", data=TOO_LARGE, headers=AS_JSON).status_code == 413
        for wrong, kind, status in ((b"not json", AS_JSON, 400), (b'{"colour": 1}', AS_JSON, 422), (b"x", {"Content-Type": "text/plain"}, 415)):
            assert call("POST", "/media/jobs", data=wrong, headers=kind).status_code == status
    click_twice(
        stack, member, "/api/media/jobs", "LOCK TABLE media_jobs IN EXCLUSIVE MODE", json={"type": "thumbnail", "assetId": picture})


def keep(member, path: pathlib.Path, kind: str) -> str:
    announced = member.request("POST", "/api/assets/presign", json={"filename": path.name, "contentType": kind}).json()
    requests.put(announced["uploadUrl"], data=path.read_bytes(), headers=announced["headers"], timeout=20).raise_for_status()
    member.request("POST", f"/api/assets/{announced['assetId']}/complete").raise_for_status()
    return announced["assetId"]
