"""content-center with a bucket instead of a folder: its presigned URLs used by curl and requests, the stand-in checked with boto3."""

import contextlib
import hashlib
import os
import pathlib
import socket
import subprocess
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.awsrequest
import botocore.config
import botocore.exceptions
import botocore.httpsession
import pytest
import requests

from provocations.pictures import png
from support import assert_problem, eventually
from uploads import SparseFile, memory, send_part

ACCESS_KEY, SECRET, BUCKET = "AKIASANDBOX", "sandbox-secret", "marketing"


def client(stack, secret: str = SECRET):
    return boto3.client(
        "s3", endpoint_url=stack.url("sandbox", "/s3"), region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret, config=botocore.config.Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1},
            request_checksum_calculation="when_required", response_checksum_validation="when_required"))


@contextlib.contextmanager
def content_center(stack, directory):
    """A second content-center on the same database, with a bucket; how to call it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # The running one's own settings.
    lines = open(f"/proc/{stack.pid('content-center')}/environ", "rb").read().split(b"\0")
    environment = dict(line.decode().split("=", 1) for line in lines if b"=" in line)
    executable = os.readlink(f"/proc/{stack.pid('content-center')}/exe")
    environment |= {
        "PORT": str(port), "OBJECT_LISTENER_PORT": "0", "OBJECT_DIRECTORY": str(directory), "MEDIA_WORKERS": "0",
        "S3_BUCKET": BUCKET, "S3_ENDPOINT": stack.url("sandbox", "/s3"), "S3_ACCESS_KEY_ID": ACCESS_KEY, "S3_SECRET_ACCESS_KEY": SECRET,
    }
    process = subprocess.Popen([executable], env=environment, stdout=subprocess.DEVNULL)

    def ready() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def call(method: str, path: str, tenant: str, **options) -> requests.Response:
        token = stack.context_token("gateway-bff", "content-center", tenant)
        headers = {"Authorization": f"Bearer {token}"} | options.pop("headers", {})
        return requests.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, **{"timeout": 40} | options)

    try:
        eventually(ready, bool, "content-center with a bucket")
        call.pid = process.pid
        yield call
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def store(stack, tmp_path_factory):
    with content_center(stack, tmp_path_factory.mktemp("objects")) as call:
        yield call


def presign(store, tenant: str, **fields) -> dict:
    answer = store("POST", "/v1/assets/presign", tenant, json={"filename": "cover.png", "contentType": "image/png", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(presigned: dict, body: bytes, url: str | None = None, **headers) -> requests.Response:
    return requests.put(url or presigned["uploadUrl"], data=body, headers=presigned["headers"] | headers, timeout=20)


def upload(store, tenant: str, body: bytes, **fields) -> dict:
    presigned = presign(store, tenant, **fields)
    answer = put(presigned, body)
    assert answer.status_code == 200, answer.text
    answer = store("POST", f"/v1/assets/{presigned['assetId']}/complete", tenant)
    assert answer.status_code == 200, answer.text
    return answer.json()


def keys(body: str) -> str:
    return body.split("<Code>")[1].split("</Code>")[0]


def test_boto3_and_the_stand_in_agree(stack):
    good, body = client(stack), os.urandom(50_000)
    good.put_object(Bucket=BUCKET, Key="文件 夹/a+b.bin", Body=body, ContentType="application/x-test")
    found = good.get_object(Bucket=BUCKET, Key="文件 夹/a+b.bin")
    assert (found["Body"].read(), found["ContentType"]) == (body, "application/x-test")
    assert good.head_object(Bucket=BUCKET, Key="文件 夹/a+b.bin")["ContentLength"] == len(body)
    url = good.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "文件 夹/a+b.bin"}, ExpiresIn=60)
    assert requests.get(url, timeout=10).content == body
    forged = client(stack, "another-secret").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "文件 夹/a+b.bin"})
    refused = requests.get(forged, timeout=10)
    assert (refused.status_code, keys(refused.text)) == (403, "SignatureDoesNotMatch")
    with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
        client(stack, "another-secret").get_object(Bucket=BUCKET, Key="文件 夹/a+b.bin")


def test_an_upload_goes_to_the_bucket_and_comes_back(stack, store):
    tenant, body = str(uuid.uuid4()), png(uuid.uuid4().bytes[:3])
    asset = upload(store, tenant, body, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    assert asset["state"] == "ready"
    kept = client(stack).get_object(Bucket=BUCKET, Key=f"kept/{asset['id'][-2:]}/{asset['id']}")["Body"].read()
    assert kept == body
    with pytest.raises(botocore.exceptions.ClientError, match="404"):
        client(stack).head_object(Bucket=BUCKET, Key=f"arrived/{asset['id']}")
    answer = store("GET", f"/v1/assets/{asset['id']}/download-url", tenant, params={"attachment": "true"}).json()
    shown = requests.get(answer["url"], timeout=10)
    assert (shown.content, shown.headers["Content-Type"]) == (body, "image/png")
    assert "cover.png" in shown.headers["Content-Disposition"]
    output = subprocess.run(["curl", "-sS", "-f", "-r", "1-3", answer["url"]], capture_output=True, timeout=20, check=True).stdout
    assert output == b"PNG"
    assert store("DELETE", f"/v1/assets/{asset['id']}", tenant).status_code == 204
    assert keys(requests.get(answer["url"], timeout=10).text) == "NoSuchKey"


def test_presigned_urls_are_worth_what_was_signed(stack, store):
    tenant, body = str(uuid.uuid4()), png(uuid.uuid4().bytes[:3])
    presigned = presign(store, tenant, size=len(body))
    assert keys(put(presigned, body, **{"Content-Type": "text/html"}).text) == "SignatureDoesNotMatch"
    assert keys(put(presigned, body + b"0").text) == "SignatureDoesNotMatch"
    other = presigned["uploadUrl"].replace(presigned["assetId"], str(uuid.uuid4()))
    assert keys(put(presigned, body, other).text) == "SignatureDoesNotMatch"
    assert requests.get(presigned["uploadUrl"], timeout=10).status_code == 403
    parts = urllib.parse.urlsplit(presigned["uploadUrl"])
    query = dict(urllib.parse.parse_qsl(parts.query))
    for name, value in (("X-Amz-Expires", "604800"), ("X-Amz-Date", "20260101T000000Z"), ("X-Amz-Signature", "0" * 64)):
        changed = parts._replace(query=urllib.parse.urlencode(query | {name: value}, quote_via=urllib.parse.quote)).geturl()
        assert put(presigned, body, changed).status_code == 403, name
    assert put(presigned, body).status_code == 200
    asset = store("POST", f"/v1/assets/{presigned['assetId']}/complete", tenant).json()
    url = store("GET", f"/v1/assets/{asset['id']}/download-url", tenant).json()["url"]
    assert requests.get(url, timeout=10).status_code == 200
    assert requests.get(url.replace("image%2Fpng", "text%2Fhtml"), timeout=10).status_code == 403
    assert requests.put(url, data=body, timeout=10).status_code == 403


def test_what_is_refused_is_gone_from_the_bucket(stack, store):
    tenant = str(uuid.uuid4())
    presigned = presign(store, tenant)
    assert_problem(store("POST", f"/v1/assets/{presigned['assetId']}/complete", tenant), 409, "asset.not_uploaded")
    assert put(presigned, b"no picture").status_code == 200
    assert_problem(store("POST", f"/v1/assets/{presigned['assetId']}/complete", tenant), 422, "asset.refused", {"/contentType"})
    for place in (f"arrived/{presigned['assetId']}", f"kept/{presigned['assetId'][-2:]}/{presigned['assetId']}"):
        with pytest.raises(botocore.exceptions.ClientError, match="404"):
            client(stack).head_object(Bucket=BUCKET, Key=place)


def test_the_same_bytes_are_in_the_bucket_once(stack, store):
    tenant, body = str(uuid.uuid4()), png(uuid.uuid4().bytes[:3])
    first, second = upload(store, tenant, body), upload(store, tenant, body)
    with pytest.raises(botocore.exceptions.ClientError, match="404"):
        client(stack).head_object(Bucket=BUCKET, Key=f"kept/{second['id'][-2:]}/{second['id']}")
    assert store("DELETE", f"/v1/assets/{first['id']}", tenant).status_code == 204
    url = store("GET", f"/v1/assets/{second['id']}/download-url", tenant).json()["url"]
    assert requests.get(url, timeout=10).content == body


# Uploads in parts.

PART = 5 << 20


def movie(size: int) -> bytes:
    """An MPEG-4 of random bytes, by its first ones."""
    head = (20).to_bytes(4, "big") + b"ftypisom" + bytes([0, 0, 2, 0]) + b"isom" + (size - 20).to_bytes(4, "big") + b"mdat"
    return head + os.urandom(size - len(head))


def begin(store, tenant: str, body: bytes, **headers) -> tuple[str, list[dict]]:
    """The upload's path and where its parts go."""
    announced = store("POST", "/v1/assets/multipart", tenant, json={
        "filename": "a.mp4", "contentType": "video/mp4", "size": len(body), "partSize": PART,
        "sha256": hashlib.sha256(body).hexdigest()}, headers=headers)
    assert announced.status_code == 201, announced.text
    path = f"/v1/assets/{announced.json()['assetId']}"
    return path, store("GET", f"{path}/part-urls", tenant).json().get("parts")


def piece(body: bytes, part: dict) -> bytes:
    return body[(part["partNumber"] - 1) * PART:][:part["size"]]


def send(part: dict, bytes_: bytes, url: str | None = None) -> requests.Response:
    return requests.put(url or part["uploadUrl"], data=bytes_, headers=part["headers"], timeout=20)


def arrived(store, tenant: str, path: str) -> list[int]:
    return [part["partNumber"] for part in store("GET", f"{path}/parts", tenant).json()["parts"]]


def uploads(stack) -> set[str]:
    return {upload["Key"] for upload in client(stack).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])}


def test_boto3_and_the_stand_in_agree_about_parts(stack):
    good, key = client(stack), f"parts/{uuid.uuid4()}"

    def begin_one() -> str:
        return good.create_multipart_upload(Bucket=BUCKET, Key=key, ContentType="video/mp4")["UploadId"]

    def put_part(upload: str, number: int, body: bytes) -> dict:
        tag = good.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        return {"PartNumber": number, "ETag": tag}

    def complete(upload: str, parts: list[dict]):
        return good.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    upload = begin_one()
    first, second = os.urandom(PART), os.urandom(10)
    parts = [put_part(upload, 1, first), put_part(upload, 2, second)]
    listed = good.list_parts(Bucket=BUCKET, Key=key, UploadId=upload, MaxParts=1)
    assert (listed["IsTruncated"], [part["Size"] for part in listed["Parts"]]) == (True, [PART])
    for wrong, code in ((parts[::-1], "InvalidPartOrder"), ([parts[0] | {"ETag": '"0"'}], "InvalidPart"), ([], "MalformedXML")):
        with pytest.raises(botocore.exceptions.ClientError, match=code):
            complete(upload, wrong)
    assert complete(upload, parts)["ETag"].endswith('-2"')
    assert good.get_object(Bucket=BUCKET, Key=key)["Body"].read() == first + second
    small = begin_one()
    with pytest.raises(botocore.exceptions.ClientError, match="EntityTooSmall"):
        complete(small, [put_part(small, 1, b"small"), put_part(small, 2, b"last")])
    good.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=small)
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchUpload"):
        put_part(small, 1, b"late")


def test_boto3_pages_through_the_stand_in_s_lists(stack):
    good, prefix = client(stack), f"pages/{uuid.uuid4()}/"
    begun = [(key, good.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]) for key in sorted([f"{prefix}{n}" for n in (1, 2, 2, 3)])]
    # As S3 says: by key, then by id, each page behind the markers of the one before.
    pages = list(good.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, Prefix=prefix, PaginationConfig={"PageSize": 2}))
    assert [len(page["Uploads"]) for page in pages] == [2, 2]
    assert [(upload["Key"], upload["UploadId"]) for page in pages for upload in page["Uploads"]] == sorted(begun)
    key, upload = begun[0]
    for number in (4, 2, 9):
        good.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=b"part")
    pages = list(good.get_paginator("list_parts").paginate(Bucket=BUCKET, Key=key, UploadId=upload, PaginationConfig={"PageSize": 2}))
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[2, 4], [9]]
    # Whoever asks for more gets a thousand.
    assert good.list_parts(Bucket=BUCKET, Key=key, UploadId=upload, MaxParts=5_000)["MaxParts"] == 1_000
    for key, upload in begun:
        good.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)


def test_parts_come_in_any_order_by_any_client_and_after_an_interruption(stack, store, tmp_path):
    tenant, body = str(uuid.uuid4()), movie(2 * PART + 1_000)
    path, parts = begin(store, tenant, body)
    assert [part["size"] for part in parts] == [PART, PART, 1_000]
    # botocore's own transport, without its signing: the address is all that it has.
    request = botocore.awsrequest.AWSRequest("PUT", parts[2]["uploadUrl"], headers=parts[2]["headers"], data=piece(body, parts[2]))
    assert botocore.httpsession.URLLib3Session().send(request.prepare()).status_code == 200
    # curl is cut off in the middle of a part: none of it counts.
    file = tmp_path / "part"
    file.write_bytes(piece(body, parts[0]))
    curl = ["curl", "-sS", "-f", "-H", "Content-Type: video/mp4", "-T", str(file)]
    cut = subprocess.run([*curl, "--limit-rate", "1M", "--max-time", "0.5", parts[0]["uploadUrl"]], capture_output=True, timeout=20)
    assert cut.returncode == 28, cut.stderr
    assert arrived(store, tenant, path) == [3]
    assert_problem(store("POST", f"{path}/complete", tenant), 409, "asset.not_uploaded")
    # Resumed with fresh addresses of the same upload.
    parts = store("GET", f"{path}/part-urls", tenant).json()["parts"]
    subprocess.run([*curl, parts[0]["uploadUrl"]], capture_output=True, timeout=20, check=True)
    assert send(parts[1], os.urandom(PART)).status_code == 200
    assert send(parts[1], piece(body, parts[1])).status_code == 200
    assert arrived(store, tenant, path) == [1, 2, 3]
    # Several who complete at once find the same asset.
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: store("POST", f"{path}/complete", tenant), range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409} and any(answer.status_code == 200 for answer in answers)
    asset = store("POST", f"{path}/complete", tenant).json()
    assert (asset["state"], asset["sha256"]) == ("ready", hashlib.sha256(body).hexdigest())
    url = store("GET", f"{path}/download-url", tenant).json()["url"]
    request = botocore.awsrequest.AWSRequest("GET", url, headers={"Range": f"bytes={PART - 2}-{PART + 1}"})
    assert botocore.httpsession.URLLib3Session().send(request.prepare()).content == body[PART - 2:PART + 2]
    assert f"arrived/{asset['id']}" not in uploads(stack)


def test_a_part_s_address_is_worth_that_part(stack, store):
    tenant, body = str(uuid.uuid4()), movie(PART + 10)
    path, parts = begin(store, tenant, body)
    _, others = begin(store, tenant, body)
    split = urllib.parse.urlsplit(parts[0]["uploadUrl"])
    query = dict(urllib.parse.parse_qsl(split.query))
    other = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(others[0]["uploadUrl"]).query))["uploadId"]
    for name, value in (("partNumber", "2"), ("uploadId", other), ("X-Amz-Expires", "604800"), ("X-Amz-Signature", "0" * 64)):
        url = split._replace(query=urllib.parse.urlencode(query | {name: value}, quote_via=urllib.parse.quote)).geturl()
        assert send(parts[0], piece(body, parts[0]), url).status_code == 403, name
    assert keys(send(parts[0], piece(body, parts[0]) + b"0").text) == "SignatureDoesNotMatch"
    assert keys(send(parts[0], piece(body, parts[0]), parts[0]["uploadUrl"].replace(path[-36:], str(uuid.uuid4()))).text) == "SignatureDoesNotMatch"
    # Neither a list of the parts nor their completion is to be had with it.
    assert requests.get(parts[0]["uploadUrl"], timeout=10).status_code == 403
    assert requests.post(parts[0]["uploadUrl"], timeout=10).status_code == 403
    expiring = client(stack).generate_presigned_url(
        "upload_part", Params={"Bucket": BUCKET, "Key": f"arrived/{path[-36:]}", "UploadId": query["uploadId"], "PartNumber": 1}, ExpiresIn=1)
    late = eventually(
        lambda: requests.put(expiring, data=b"late", timeout=10), lambda answer: answer.status_code == 403, "the address expires")
    assert "Request has expired" in late.text


def test_a_repeated_order_opens_nothing_once_the_upload_is_complete(stack, store):
    tenant, body, operation = str(uuid.uuid4()), movie(PART + 10), {"X-Operation-Id": str(uuid.uuid4())}
    path, parts = begin(store, tenant, body, **operation)
    assert begin(store, tenant, body, **operation)[0] == path
    for part in parts:
        assert send(part, piece(body, part)).status_code == 200
    assert store("POST", f"{path}/complete", tenant).status_code == 200
    assert begin(store, tenant, body, **operation)[0] == path
    assert f"arrived/{path[-36:]}" not in uploads(stack)


def test_an_error_inside_a_200_is_an_error(stack, store):
    tenant, body = str(uuid.uuid4()), movie(PART + 10)
    path, parts = begin(store, tenant, body)
    for part in parts:
        assert send(part, piece(body, part)).status_code == 200
    fault = {"fault": "s3-error-inside-200", "profile": "s3", "path": path[-36:], "count": 1}
    requests.post(stack.url("sandbox", "/__control/config"), json=fault, timeout=5).raise_for_status()
    failed = store("POST", f"{path}/complete", tenant)
    assert failed.status_code >= 500, failed.text
    assert store("GET", path, tenant).json()["state"] == "pending"
    assert store("POST", f"{path}/complete", tenant).json()["state"] == "ready"


def test_an_upload_that_nobody_completes_is_aborted(stack, store, tmp_path):
    tenant, body = str(uuid.uuid4()), movie(PART + 10)
    deleted, _ = begin(store, tenant, body)
    abandoned, parts = begin(store, tenant, body)
    assert send(parts[0], piece(body, parts[0])).status_code == 200
    assert {f"arrived/{path[-36:]}" for path in (deleted, abandoned)} <= uploads(stack)
    assert store("DELETE", deleted, tenant).status_code == 204
    assert f"arrived/{deleted[-36:]}" not in uploads(stack)
    with stack.administrator("content") as connection:
        connection.execute(
            "UPDATE content_assets SET upload_expires_at = app_now() - interval '2 days' WHERE id = %s", (abandoned[-36:],))
    # It sweeps when it starts.
    with content_center(stack, tmp_path):
        eventually(lambda: uploads(stack), lambda keys: f"arrived/{abandoned[-36:]}" not in keys, "the sweeper aborts it")
    assert store("GET", abandoned, tenant).status_code == 404


def taken(file: pathlib.Path) -> int:
    """Bytes of the disk; none where it has gone to its place meanwhile."""
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def test_five_gigabytes_reach_the_bucket_in_parts_interrupted_and_resumed(stack, tmp_path):
    """More parts than S3 lists at once; in small memory, and sparse wherever they are."""
    tenant, source = str(uuid.uuid4()), SparseFile(5 << 30)
    digest = source.sha256()
    with content_center(stack, tmp_path) as store:
        announced = store("POST", "/v1/assets/multipart", tenant, json={
            "filename": "大片.mp4", "contentType": "video/mp4", "size": source.size, "sha256": digest, "partSize": PART})
        assert announced.status_code == 201, announced.text
        path = f"/v1/assets/{announced.json()['assetId']}"
        assert announced.json()["partCount"] == 1_024
        parts = [part for first in (1, 1_001) for part in
                 store("GET", f"{path}/part-urls", tenant, params={"from": first, "count": 1_000}).json()["parts"]]

        def send_it(part: dict, **options) -> int | None:
            return send_part(part, source.pieces((part["partNumber"] - 1) * PART, part["size"]), **options)

        # Not in their order, and broken off in the middle of one.
        early = parts[:500:-1]
        assert {send_it(part) for part in early} == {200}
        assert send_it(parts[7], stop_after=2 << 20) is None
    # The process is another one; the addresses hold.
    with content_center(stack, tmp_path) as store:
        before = memory(store.pid)
        assert arrived(store, tenant, path) == [part["partNumber"] for part in early[::-1]]
        assert_problem(store("POST", f"{path}/complete", tenant), 409, "asset.not_uploaded")
        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(send_it, parts[:501])) == {200}
        assert len(arrived(store, tenant, path)) == 1_024
        peak, room = [], []
        with ThreadPoolExecutor(1) as pool:
            completing = pool.submit(store, "POST", f"{path}/complete", tenant, timeout=130)
            while not completing.done():
                peak.append(memory(store.pid))
                room.append(sum(map(taken, (tmp_path / "writing").glob("*"))))
            answer = completing.result()
        assert answer.status_code == 200, answer.text
        assert (answer.json()["size"], answer.json()["sha256"]) == (source.size, digest)
        assert max(peak) - before < 48 << 10, f"{before} kB before, {max(peak)} kB at most"
        assert max(room) < 64 << 20
        place = 777 << 20
        url = store("GET", f"{path}/download-url", tenant).json()["url"]
        shown = requests.get(url, headers={"Range": f"bytes={place}-{place + 4095}"}, timeout=10)
        assert (shown.status_code, shown.content) == (206, source.marks[place])
        assert store("DELETE", path, tenant).status_code == 204


def test_an_address_of_the_bucket_is_a_source_and_is_kept_nowhere(stack, store):
    tenant = str(uuid.uuid4())
    asset = upload(store, tenant, png(uuid.uuid4().bytes[:3]))
    url = store("GET", f"/v1/assets/{asset['id']}/download-url", tenant).json()["url"]
    forged = store("POST", "/v1/media/jobs", tenant, json={"type": "probe", "sourceUrl": url + "0"})
    assert_problem(forged, 422, None, {"/sourceUrl"})
    ordered = store("POST", "/v1/media/jobs", tenant, json={"type": "probe", "sourceUrl": url})
    assert ordered.status_code == 202, ordered.text
    ((payload,),) = stack.rows("content", "SELECT payload::text FROM jobs WHERE id = %s", (ordered.json()["jobId"],))
    assert asset["id"] in payload and "X-Amz" not in payload and "http" not in payload
