"""content-center with a bucket instead of a folder: its presigned URLs used by curl and requests, the stand-in checked with boto3."""

import hashlib
import os
import socket
import subprocess
import urllib.parse
import uuid

import boto3
import botocore.config
import botocore.exceptions
import pytest
import requests

from provocations.pictures import png
from support import assert_problem, eventually

ACCESS_KEY, SECRET, BUCKET = "AKIASANDBOX", "sandbox-secret", "marketing"


def client(stack, secret: str = SECRET):
    return boto3.client(
        "s3", endpoint_url=stack.url("sandbox", "/s3"), region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret, config=botocore.config.Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1},
            request_checksum_calculation="when_required", response_checksum_validation="when_required"))


@pytest.fixture(scope="module")
def store(stack, tmp_path_factory):
    """A second content-center on the same database, with a bucket; how to call it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # The running one's own settings.
    lines = open(f"/proc/{stack.pid('content-center')}/environ", "rb").read().split(b"\0")
    environment = dict(line.decode().split("=", 1) for line in lines if b"=" in line)
    executable = os.readlink(f"/proc/{stack.pid('content-center')}/exe")
    environment |= {
        "PORT": str(port), "OBJECT_LISTENER_PORT": "0", "OBJECT_DIRECTORY": str(tmp_path_factory.mktemp("objects")),
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
        return requests.request(
            method, f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=40, **options)

    try:
        eventually(ready, bool, "content-center with a bucket")
        yield call
    finally:
        process.terminate()
        process.wait(30)


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
    parts = store("POST", "/v1/assets/multipart", tenant, json={"filename": "a.mp4", "contentType": "video/mp4", "size": 9})
    assert_problem(parts, 409, "asset.parts_unsupported")


def test_the_same_bytes_are_in_the_bucket_once(stack, store):
    tenant, body = str(uuid.uuid4()), png(uuid.uuid4().bytes[:3])
    first, second = upload(store, tenant, body), upload(store, tenant, body)
    with pytest.raises(botocore.exceptions.ClientError, match="404"):
        client(stack).head_object(Bucket=BUCKET, Key=f"kept/{second['id'][-2:]}/{second['id']}")
    assert store("DELETE", f"/v1/assets/{first['id']}", tenant).status_code == 204
    url = store("GET", f"/v1/assets/{second['id']}/download-url", tenant).json()["url"]
    assert requests.get(url, timeout=10).content == body
