"""The object listener answers what its document says: every status of it, and none besides, for each method."""

import http.client
import os
import socket
import urllib.parse
import uuid

import pytest
import requests

from provocations.pictures import png
from support import Member, documented_answers, eventually
from uploads import complete, download_url, presign, put, upload

DOCUMENT = "content-center-objects"
# After six hours.
NOT_AT_WILL = {("PUT", "504")}


class Listener:
    """Every answer is looked at, and its status remembered."""

    def __init__(self):
        self.seen: set[tuple[str, str]] = set()

    def request(self, method: str, url: str, **options) -> requests.Response:
        answer = requests.request(method, url, timeout=30, **options)
        documented_answers().check(DOCUMENT, method, urllib.parse.urlsplit(url).path, answer)
        self.seen.add((method, str(answer.status_code)))
        return answer

    def status(self, method: str, url: str, **headers: str) -> int:
        """Of the head alone, byte for byte: requests mends what is not well encoded, and knows itself how long a body is."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        connection.putrequest(method, f"{parts.path}?{parts.query}")
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        self.seen.add((method, str(status)))
        return status


@pytest.fixture
def listener() -> Listener:
    return Listener()


def changed(url: str) -> str:
    return url[:-1] + ("0" if url[-1] != "0" else "1")


def look(listener: Listener, member: Member, stack) -> None:
    """GET, and HEAD just as well."""
    body = png(uuid.uuid4().bytes[:3])
    asset = upload(member, body)["id"]
    url = download_url(member, asset)
    kept = next((stack.directory / "objects/kept").glob(f"*/{asset}"))
    aside = kept.with_suffix(".aside")
    os.rename(kept, aside)
    try:
        for method in ("GET", "HEAD"):
            assert listener.request(method, url).status_code == 404
    finally:
        os.rename(aside, kept)
    for method in ("GET", "HEAD"):
        whole = listener.request(method, url)
        assert whole.status_code == 200 and whole.headers["ETag"] == f'"{asset}"'
        assert whole.content == (body if method == "GET" else b"")
        part = listener.request(method, url, headers={"Range": "bytes=1-3", "If-Range": whole.headers["ETag"]})
        assert part.status_code == 206 and part.headers["Content-Range"] == f"bytes 1-3/{len(body)}"
        assert part.content == (body[1:4] if method == "GET" else b"")
        assert listener.request(method, url, headers={"Range": "bytes=1-3", "If-Range": '"other"'}).status_code == 200
        assert listener.request(method, url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
        assert listener.request(method, url, headers={"Range": f"bytes={len(body)}-"}).status_code == 416
        assert listener.request(method, changed(url)).status_code == 403
        assert listener.status(method, url + "&a=%zz") == 422


def send(listener: Listener, member: Member) -> None:
    presigned = presign(member)
    url, headers = presigned["uploadUrl"], presigned["headers"]
    assert listener.request("PUT", url, data=b"x", headers=headers).status_code == 200
    assert listener.request("PUT", url, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 403
    assert listener.request("PUT", changed(url), data=b"x", headers=headers).status_code == 403
    assert listener.status("PUT", url + "&a=%zz", Content_Length="0", **headers) == 422
    # More than may be is refused by the length alone.
    assert listener.status("PUT", url, Content_Type=headers["Content-Type"], Content_Length=str(4 << 30)) == 413


def send_a_part_twice_at_once(listener: Listener, member: Member) -> None:
    announced = member.request("POST", "/api/assets/multipart", json={
        "filename": "a.mp4", "contentType": "video/mp4", "size": 20 << 20, "partSize": 8 << 20})
    assert announced.status_code == 201, announced.text
    part = member.request("GET", f"/api/assets/{announced.json()['assetId']}/part-urls").json()["parts"][0]
    parts = urllib.parse.urlsplit(part["uploadUrl"])
    body = bytes(part["size"])
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        head = (f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: video/mp4\r\n"
                f"Content-Length: {part['size']}\r\n\r\n")
        connection.sendall(head.encode() + body[:1000])
        eventually(
            lambda: listener.request("PUT", part["uploadUrl"], data=body, headers=part["headers"]).status_code,
            lambda status: status == 409, "the second of two is refused", seconds=60)


def test_every_documented_answer_and_no_other(stack, member, listener):
    look(listener, member, stack)
    send(listener, member)
    send_a_part_twice_at_once(listener, member)
    operations = documented_answers().documents[f"{DOCUMENT}.yaml"]["paths"]["/objects/{id}"]
    documented = {
        (method.upper(), status) for method in ("get", "head", "put") for status in operations[method]["responses"]}
    assert documented - NOT_AT_WILL == listener.seen


def test_a_url_is_what_the_document_says(member):
    """Its parameters are those of the document, and the required ones are there."""
    operations = documented_answers().documents[f"{DOCUMENT}.yaml"]["paths"]["/objects/{id}"]
    presigned = presign(member)
    assert put(presigned, png(uuid.uuid4().bytes[:3])).status_code == 200
    assert complete(member, presigned["assetId"]).status_code == 200
    for method, url in (("put", presigned["uploadUrl"]), ("get", download_url(member, presigned["assetId"], attachment="true"))):
        parameters = {
            each["name"]: each.get("required", False) for each in operations["parameters"] + operations[method]["parameters"]
            if each.get("in") == "query"}
        names = {name for name, _ in urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)}
        assert names <= parameters.keys()
        assert {name for name, required in parameters.items() if required} <= names
