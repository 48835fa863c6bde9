"""Media jobs where the files are in a bucket, and where the machines that do them serve nothing."""

import hashlib
import io
import re
import zipfile

import requests

from media_files import download, make_video, stream
from own_content_center import own_content_center
from support import eventually
from test_media import fetch_range, output
from test_s3 import ACCESS_KEY, BUCKET, SECRET, client


def test_jobs_read_from_a_bucket_and_write_into_it(stack, tmp_path):
    source = make_video(tmp_path / "source.mp4", size="1280x720")
    objects = tmp_path / "objects"
    bucket = {
        "S3_BUCKET": BUCKET, "S3_ENDPOINT": stack.url("sandbox", "/s3"), "S3_ACCESS_KEY_ID": ACCESS_KEY, "S3_SECRET_ACCESS_KEY": SECRET}
    with own_content_center(stack, objects) as own, own.process(MEDIA_WORKERS="2", **bucket) as service:
        asset = service.upload(source.read_bytes(), "片.mp4", "video/mp4")
        job = service.ended(service.order(type="transcode", assetId=asset, profiles=["480p"]))
        assert job["status"] == "succeeded", job
        rendition = output(job, "hls_rendition", "480p")
        assert rendition["url"].startswith(bucket["S3_ENDPOINT"]) and "X-Amz-Signature" in rendition["url"]
        file = download(rendition["url"], tmp_path / "480p.mp4")
        assert stream(file)["codec_name"] == "h264"
        # Each segment is a range of the bucket's object.
        whole = file.read_bytes()
        playlist = service("GET", f"/v1/media/jobs/{job['jobId']}/hls/480p.m3u8").text
        segments = [(int(size), int(start), url) for size, start, url in re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(http\S+)", playlist)]
        assert len(segments) == 2
        for size, start, url in segments:
            assert url.startswith(bucket["S3_ENDPOINT"])
            assert fetch_range(url, size, start) == whole[start:start + size]

        small = service.ended(service.order(type="thumbnail", assetId=asset))
        assert small["status"] == "succeeded", small
        picture = download(small["outputs"][0]["url"], tmp_path / "small.jpg")
        assert stream(picture)["width"] <= 640
        # So do the previews of what was uploaded.
        shown = eventually(lambda: service("GET", f"/v1/assets/{asset}").json(), lambda seen: "thumbnail" in seen, "the thumbnail", 120)
        assert shown["thumbnail"]["url"].startswith(bucket["S3_ENDPOINT"])

        ordered = service("POST", "/v1/tenant/exports")
        assert ordered.status_code == 202, ordered.text
        path = f"/v1/tenant/exports/{ordered.json()['id']}"
        export = eventually(lambda: service("GET", path).json(), lambda seen: seen["state"] == "succeeded", "the export ends", 120)
        archive = requests.get(export["downloadUrl"], timeout=60)
        assert export["downloadUrl"].startswith(bucket["S3_ENDPOINT"]) and archive.status_code == 200
        assert hashlib.sha256(archive.content).hexdigest() == export["sha256"]
        with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
            assert files.testzip() is None
            assert files.read(f"assets/{asset}/片.mp4") == source.read_bytes()

        # All of it is in the bucket, and nothing on this disk.
        kept = [str(name) for (name,) in own.rows("SELECT id FROM asset_objects UNION SELECT id FROM tenant_exports")]
        assert len(kept) >= 5
        for name in kept:
            assert client(stack).head_object(Bucket=BUCKET, Key=f"kept/{name[-2:]}/{name}")["ContentLength"] > 0
        assert [path for path in (objects / "kept").rglob("*") if path.is_file()] == []


def test_workers_that_serve_nothing_do_the_jobs_of_who_serves(stack, tmp_path):
    source = make_video(tmp_path / "source.mp4", size="320x180", seconds=1)
    with own_content_center(stack, tmp_path / "objects") as own:
        with own.process(MEDIA_WORKERS="0") as service:
            asset = service.upload(source.read_bytes(), "片.mp4", "video/mp4")
            job = service.order(type="cover", assetId=asset)
            with own.process(MEDIA_ONLY="true", MEDIA_WORKERS="1", OBJECT_LISTENER_PORT="0") as worker:
                over = service.ended(job)
                assert over["status"] == "succeeded", over
                assert stream(download(output(over, "cover")["url"], tmp_path / "cover.jpg"))["width"] == 320
                eventually(lambda: service("GET", f"/v1/assets/{asset}").json(), lambda seen: "thumbnail" in seen, "its previews", 120)
                worker.tenant = service.tenant
                # It knows nobody's files.
                assert worker("GET", f"/v1/assets/{asset}").status_code == 404
                assert worker("POST", "/v1/media/jobs", json={"type": "probe", "assetId": asset}).status_code == 404
            # And nobody else had done it.
            waiting = service.order(type="cover", assetId=asset)
            assert service("GET", f"/v1/media/jobs/{waiting}").json()["status"] == "queued"
