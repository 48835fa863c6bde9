"""Uploads over the five processes: announced at the gateway, sent straight to the object listener, completed, downloaded."""

import concurrent.futures
import hashlib
import os
import pathlib
import socket
import subprocess
import time
import urllib.parse
import uuid

import pytest
import requests

from provocations.pictures import png
from support import assert_problem, eventually
from uploads import SparseFile, complete, download_url, memory, presign, put, send_part, upload


def mp4(size: int) -> bytes:
    """As long as wanted, and an MPEG-4 by its first bytes."""
    head = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + (size - 24).to_bytes(4, "big") + b"mdat"
    return head + os.urandom(size - len(head))


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("video") / "发布会.mp4"
    path.write_bytes(mp4(40 << 20))
    return path


def test_curl_uploads_and_downloads(member, video, tmp_path):
    """curl asks with `Expect: 100-continue` before it sends so much."""
    digest = hashlib.sha256(video.read_bytes()).hexdigest()
    presigned = presign(member, video.name, "video/mp4", size=video.stat().st_size, sha256=digest, scope="project_789")
    sent = subprocess.run(
        ["curl", "-sS", "-f", "-T", str(video), "-H", "Content-Type: video/mp4", "-w", "%{http_code}", presigned["uploadUrl"]],
        capture_output=True, text=True, timeout=60, check=False)
    assert (sent.returncode, sent.stdout) == (0, "200"), sent.stderr
    asset = complete(member, presigned["assetId"]).json()
    assert (asset["state"], asset["sha256"], asset["scope"]) == ("ready", digest, "project_789")

    url, whole, resumed = download_url(member, asset["id"]), tmp_path / "whole", tmp_path / "resumed"
    subprocess.run(["curl", "-sS", "-f", "-o", str(whole), url], timeout=60, check=True)
    assert hashlib.sha256(whole.read_bytes()).hexdigest() == digest
    resumed.write_bytes(video.read_bytes()[:12_345_678])
    subprocess.run(["curl", "-sS", "-f", "-C", "-", "-o", str(resumed), url], timeout=60, check=True)
    assert resumed.read_bytes() == whole.read_bytes()
    head = requests.head(url, timeout=10)
    assert (head.headers["Content-Length"], head.headers["Content-Type"]) == (str(40 << 20), "video/mp4")


def test_curl_hears_a_refusal_before_it_sends(member, video):
    presigned = presign(member, "a.mp4", "video/mp4", size=100)
    sent = subprocess.run(
        ["curl", "-sS", "-T", str(video), "-H", "Content-Type: video/mp4", "-w", "\n%{http_code} %{size_upload}", presigned["uploadUrl"]],
        capture_output=True, text=True, timeout=60, check=False)
    body, _, status = sent.stdout.rpartition("\n")
    assert "object.wrong_size" in body
    assert status == "403 0"


def test_every_signed_element_counts(member):
    asset = upload(member, png(uuid.uuid4().bytes[:3]))
    other = upload(member, png(uuid.uuid4().bytes[:3]))
    url = download_url(member, asset["id"], attachment="true")
    assert requests.get(url, timeout=10).status_code == 200
    parts = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qsl(parts.query)
    assert [name for name, _ in query] == ["type", "expires", "name", "signature"]

    def changed(path: str = parts.path, pairs=tuple(query)) -> int:
        return requests.get(parts._replace(path=path, query=urllib.parse.urlencode(pairs)).geturl(), timeout=10).status_code

    assert changed() == 200
    foreign = urllib.parse.urlsplit(download_url(member, other["id"])).path
    assert changed(path=foreign) == 403
    for index, (name, value) in enumerate(query):
        for replacement in (value[:-1] + ("0" if value[-1] != "0" else "1"), ""):
            assert changed(pairs=[*query[:index], (name, replacement), *query[index + 1:]]) == 403, name
        assert changed(pairs=[*query[:index], *query[index + 1:]]) == 403, name
    assert changed(pairs=[*query, ("size", "1")]) == 403
    assert requests.put(url, data=b"x", headers={"Content-Type": "image/png"}, timeout=10).status_code == 403
    assert_problem(requests.get(url.replace("signature=", "signature=0"), timeout=10), 403, "object.signature_invalid")


def test_the_object_listener_serves_nothing_else(stack):
    base = stack.env["OBJECTS_URL"]
    for path in ("/", "/healthz", "/readyz", "/metrics", "/v1/assets", "/objects", f"/objects/{uuid.uuid4()}/", "/objects/../../etc/passwd"):
        assert requests.get(base + path, timeout=10).status_code == 404, path
    assert requests.get(f"{base}/objects/{uuid.uuid4()}", timeout=10).status_code == 403
    preflight = requests.options(f"{base}/objects/{uuid.uuid4()}", headers={"Origin": "https://console.example"}, timeout=10)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"


def test_a_hundred_uploads_at_once(member):
    def one(index: int) -> dict:
        body = mp4(200_000)
        asset = upload(member, body, f"{index}.mp4", "video/mp4", size=len(body))
        return {**asset, "expected": hashlib.sha256(body).hexdigest()}

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        assets = list(pool.map(one, range(100)))
    assert len({asset["id"] for asset in assets}) == 100
    assert all(asset["sha256"] == asset["expected"] for asset in assets)


def test_an_upload_that_breaks_off_leaves_nothing(stack, member):
    presigned = presign(member, "a.mp4", "video/mp4", size=50 << 20)
    parts = urllib.parse.urlsplit(presigned["uploadUrl"])
    writing = stack.directory / "objects/writing"
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: video/mp4\r\nContent-Length: {50 << 20}\r\n\r\n"
        connection.sendall(head.encode() + mp4(5 << 20))
        eventually(lambda: list(writing.iterdir()), bool, "the upload under way")
    eventually(lambda: list(writing.iterdir()), lambda left: not left, "what the broken upload left")
    assert_problem(complete(member, presigned["assetId"]), 409, "asset.not_uploaded")


def test_a_repeated_announcement_is_the_same_asset_signed_anew(member):
    """The address lives for an hour, the key for a day."""
    announcement, headers = {"filename": "a.png", "contentType": "image/png"}, {"Idempotency-Key": str(uuid.uuid4())}
    answers = [member.request("POST", "/api/assets/presign", json=announcement, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)
    presigned = [answer.json() for answer in answers]
    assert presigned[0]["assetId"] == presigned[1]["assetId"]
    assert put(presigned[1], png(uuid.uuid4().bytes[:3])).status_code == 200
    assert complete(member, presigned[1]["assetId"]).status_code == 200


def test_a_restart_loses_nothing(stack, member):
    kept = upload(member, png(uuid.uuid4().bytes[:3]))
    presigned, body = presign(member), png(uuid.uuid4().bytes[:3])
    assert put(presigned, body).status_code == 200
    url = download_url(member, kept["id"])
    stack.restart("content-center")
    assert requests.get(url, timeout=10).status_code == 200
    asset = eventually(lambda: complete(member, presigned["assetId"]), lambda answer: answer.status_code == 200, "the completion").json()
    assert requests.get(download_url(member, asset["id"]), timeout=10).content == body


def test_memory_stays_flat_while_a_large_file_passes(stack, member, tmp_path):
    """Sparse, so that it costs no disk; the service sees 600 MB in and out all the same."""
    path = tmp_path / "large.mp4"
    with open(path, "wb") as file:
        file.write(mp4(4096))
        file.truncate(600 << 20)
    pid = stack.pid("content-center")

    presigned, before, peak = presign(member, "large.mp4", "video/mp4", size=600 << 20), memory(pid), 0
    for direction in (["-T", str(path), "-H", "Content-Type: video/mp4", presigned["uploadUrl"]], None):
        if direction is None:
            assert complete(member, presigned["assetId"]).status_code == 200
            direction = ["-o", "/dev/null", download_url(member, presigned["assetId"])]
        with subprocess.Popen(["curl", "-sS", "-f", *direction], stdout=subprocess.DEVNULL) as curl:
            while curl.poll() is None:
                peak = max(peak, memory(pid))
                time.sleep(0.02)
            assert curl.returncode == 0
    assert peak - before < 48 << 10, f"{before} kB before, {peak} kB at most"
    assert member.request("DELETE", f"/api/assets/{presigned['assetId']}").status_code == 204


def test_another_tenant_sees_nothing(member, stranger):
    asset = upload(member, png(uuid.uuid4().bytes[:3]))
    pending = presign(member)["assetId"]
    for identifier in (asset["id"], pending):
        path = f"/api/assets/{identifier}"
        for method, suffix in (("GET", ""), ("DELETE", ""), ("GET", "/download-url"), ("POST", "/complete"), ("GET", "/content")):
            foreign = assert_problem(stranger.request(method, path + suffix), 404)
            missing = assert_problem(stranger.request(method, f"/api/assets/{uuid.uuid4()}{suffix}"), 404)
            assert (foreign["code"], foreign["title"]) == (missing["code"], missing["title"])
    listed = stranger.request("GET", "/api/assets", params={"limit": 100}).json()["items"]
    assert asset["id"] not in {item["id"] for item in listed}
    assert asset["id"] in {item["id"] for item in member.request("GET", "/api/assets", params={"limit": 100}).json()["items"]}


def test_the_same_bytes_of_two_tenants_are_two(member, stranger):
    body = png(uuid.uuid4().bytes[:3])
    mine, theirs = upload(member, body), upload(stranger, body)
    assert member.request("DELETE", f"/api/assets/{mine['id']}").status_code == 204
    assert requests.get(download_url(stranger, theirs["id"]), timeout=10).content == body


def test_five_gigabytes_in_parts_interrupted_and_resumed(stack, member):
    """In small memory, and sparse on the disk."""
    source, pid = SparseFile(5 << 30), stack.pid("content-center")
    before = memory(pid)
    announced = member.request("POST", "/api/assets/multipart", json={
        "filename": "大片.mp4", "contentType": "video/mp4", "size": source.size, "sha256": source.sha256(), "partSize": 512 << 20})
    assert announced.status_code == 201, announced.text
    upload, peak = announced.json(), 0
    assert upload["partCount"] == 10
    path = f"/api/assets/{upload['assetId']}"

    def urls() -> dict[int, dict]:
        return {part["partNumber"]: part for part in member.request("GET", f"{path}/part-urls").json()["parts"]}

    def arrived() -> list[int]:
        return [part["partNumber"] for part in member.request("GET", f"{path}/parts").json()["parts"]]

    def send(part: dict, **options) -> int | None:
        return send_part(part, source.pieces((part["partNumber"] - 1) * upload["partSize"], part["size"]), **options)

    addresses = urls()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda number: send(addresses[number]), (10, 1, 4))) == [200, 200, 200]
    peak = max(peak, memory(pid))
    assert send(addresses[2], stop_after=100 << 20) is None
    stack.restart("content-center")
    pid = stack.pid("content-center")
    assert arrived() == [1, 4, 10]
    assert_problem(complete(member, upload["assetId"]), 409, "asset.not_uploaded")
    # The addresses from before the restart still hold.
    for number in sorted(set(range(1, 11)) - set(arrived())):
        assert send(addresses[number]) == 200
        peak = max(peak, memory(pid))
    assert arrived() == list(range(1, 11))
    answer = member.request("POST", f"{path}/complete", timeout=150)
    assert answer.status_code == 200, answer.text
    peak = max(peak, memory(pid))
    assert (answer.json()["size"], answer.json()["sha256"]) == (source.size, source.sha256())
    assert peak - before < 48 << 10, f"{before} kB before, {peak} kB at most"
    kept = next((stack.directory / "objects/kept").glob(f"*/{upload['assetId']}"))
    assert kept.stat().st_blocks * 512 < 64 << 20
    place = 777 << 20
    part = requests.get(download_url(member, upload["assetId"]), headers={"Range": f"bytes={place}-{place + 4095}"}, timeout=10)
    assert (part.status_code, part.content) == (206, source.marks[place])
    assert member.request("DELETE", path).status_code == 204


def test_a_part_stays_the_part_that_was_signed(member):
    announced = member.request("POST", "/api/assets/multipart", json={
        "filename": "a.mp4", "contentType": "video/mp4", "size": 11 << 20, "partSize": 5 << 20}).json()
    path = f"/api/assets/{announced['assetId']}"
    part = member.request("GET", f"{path}/part-urls", params={"from": 2, "count": 1}).json()["parts"][0]
    assert part["partNumber"] == 2
    for old, new in (("part=2", "part=1"), (f"offset={5 << 20}", "offset=0"), (f"total={11 << 20}", "total=99"), (f"size={5 << 20}", "size=1")):
        assert old in part["uploadUrl"]
        forged = part | {"uploadUrl": part["uploadUrl"].replace(old, new)}
        assert put(forged, b"x").status_code == 403
    assert put(part, b"x").status_code == 403
    assert member.request("GET", f"{path}/parts").json()["parts"] == []
    assert member.request("DELETE", path).status_code == 204
    assert_problem(member.request("GET", f"{path}/parts"), 404)


def test_a_quota_holds(stack, member):
    used = member.request("GET", "/api/assets/usage").json()["bytes"]
    body = mp4(200_000)
    # What the tests before have announced and left counts as well: nothing could be announced any more.
    presigned = [presign(member, "a.mp4", "video/mp4") for _ in range(2)]
    with stack.administrator("content") as connection:
        connection.execute("INSERT INTO asset_quotas (tenant_id, bytes) VALUES (%s, %s)", (member.tenant, used + 300_000))
        try:
            assert [put(each, mp4(200_000)).status_code for each in presigned] == [200, 200]
            assert complete(member, presigned[0]["assetId"]).status_code == 200
            assert_problem(complete(member, presigned[1]["assetId"]), 409, "asset.quota_exceeded")
            refused = member.request("POST", "/api/assets/presign", json={
                "filename": "a.mp4", "contentType": "video/mp4", "size": len(body)})
            assert_problem(refused, 409, "asset.quota_exceeded")
            assert member.request("DELETE", f"/api/assets/{presigned[0]['assetId']}").status_code == 204
            # There is room again, and what was sent is still there.
            assert complete(member, presigned[1]["assetId"]).status_code == 200
        finally:
            connection.execute("DELETE FROM asset_quotas WHERE tenant_id = %s", (member.tenant,))
