"""Bad input gets a precise refusal and changes nothing (design law 10)."""

import json
import socket
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests

from support import assert_problem


@dataclass
class Bad:
    body: bytes
    status: int
    code: str | None = None
    pointers: frozenset[str] | None = None
    media_type: str = "application/json"


def fields(status: int = 422, pointers: set[str] | None = None, **values) -> Bad:
    body = json.dumps({"topic": "防晒", **values}, ensure_ascii=False).encode()
    return Bad(body, status, "request.invalid", frozenset(pointers) if pointers is not None else None)


BAD_TITLES = {
    "no body": Bad(b"", 400),
    "not JSON": Bad(b"topic=sunscreen", 400, "request.malformed_json"),
    "half of it": Bad(b'{"topic": "sun', 400, "request.malformed_json", frozenset({"/topic"})),
    "two documents": Bad(b'{"topic": "a"} {}', 400, "request.malformed_json"),
    "a list": Bad(b"[]", 422, "request.invalid", frozenset({""})),
    "a string": Bad(b'"topic"', 422, "request.invalid", frozenset({""})),
    "null": Bad(b"null", 422, "request.invalid", frozenset({""})),
    "no topic": Bad(b"{}", 422, "request.invalid", frozenset({"/topic"})),
    "empty topic": fields(topic="", pointers={"/topic"}),
    "topic of null": fields(topic=None, pointers={"/topic"}),
    "topic a number": fields(topic=7, pointers={"/topic"}),
    "501 characters": fields(topic="晒" * 501, pointers={"/topic"}),
    "501 family emoji": fields(topic="👨‍👩‍👧‍👦" * 501, pointers={"/topic"}),
    "one character of 5,000 code points": fields(topic="a" + "\u0301" * 5000, pointers={"/topic"}),
    "control character": fields(topic="防\u0007晒", pointers={"/topic"}),
    "count 0": fields(count=0, pointers={"/count"}),
    "count 21": fields(count=21, pointers={"/count"}),
    "count 2.5": fields(count=2.5, pointers={"/count"}),
    "count 1e400": Bad(b'{"topic": "a", "count": 1e400}', 422, "request.invalid", frozenset({"/count"})),
    "count a string": fields(count="5", pointers={"/count"}),
    "unknown platform": fields(platform="myspace", pointers={"/platform"}),
    "unknown member": fields(colour="red", pointers={"/colour"}),
    "eleven selling points": fields(sellingPoints=["轻"] * 11, pointers={"/sellingPoints"}),
    "a number among keywords": fields(keywords=["防晒", 3], pointers={"/keywords/1"}),
    "51 banned words": fields(bannedWords=[f"词{number}" for number in range(51)], pointers={"/bannedWords"}),
    "everything at once": fields(topic="", count=0, platform="x", pointers={"/topic", "/count", "/platform"}),
    "same member twice": Bad(b'{"topic": "a", "topic": "b"}', 422, "request.invalid", frozenset({"/topic"})),
    "same member twice, escaped": Bad(b'{"topic": "a", "\\u0074opic": "b"}', 422, "request.invalid", frozenset({"/topic"})),
    "U+0000": Bad(b'{"topic": "a\\u0000b"}', 422, "request.invalid", frozenset({"/topic"})),
    "lone surrogate": Bad(b'{"topic": "\\ud800"}', 422, "request.invalid", frozenset({"/topic"})),
    "nested too deep": Bad(b'{"topic":' + b"[" * 100 + b"]" * 100 + b"}", 422, "request.invalid", frozenset({"/topic" + "/0" * 63})),
    "nested absurdly deep": Bad(b"[" * 30_000, 422, "request.invalid", frozenset({"/0" * 64})),
    "invalid UTF-8": Bad(b'{"topic": "\xff\xfe"}', 422, "request.invalid", frozenset({"/topic"})),
    "UTF-16": Bad('{"topic": "防晒"}'.encode("utf-16"), 400, "request.malformed_json"),
    "byte order mark": Bad(b'\xef\xbb\xbf{"topic": "a"}', 400, "request.malformed_json"),
    "XML": Bad(b"<topic/>", 415, "request.unsupported_media_type", media_type="application/xml"),
    "form": Bad(b"topic=a", 415, media_type="application/x-www-form-urlencoded"),
    "no media type": Bad(b'{"topic": "a"}', 415, media_type=""),
    "100 kB": Bad(b'{"topic": "' + b"a" * 100_000 + b'"}', 422, "request.invalid", frozenset({"/topic"})),
    "700 kB": Bad(b'{"topic": "' + b"a" * 700_000 + b'"}', 413, "request.too_large"),
    "10 MB": Bad(b'{"topic": "' + b"a" * 10_000_000 + b'"}', 413, "request.too_large"),
}


def stored(stack) -> list[int]:
    return [
        stack.rows(database, f"SELECT count(*) FROM {table}")[0][0]
        for database, table in (("content", "content_versions"), ("agent", "ai_usage_ledger"), ("orchestration", "content_activity"))
    ]


@pytest.mark.parametrize("name", BAD_TITLES)
def test_bad_titles_are_refused_and_leave_nothing(stack, member, name):
    bad = BAD_TITLES[name]
    before = stored(stack)
    headers = {"Content-Type": bad.media_type, "Idempotency-Key": str(uuid.uuid4())}
    answer = member.request("POST", "/api/titles", data=bad.body, headers=headers)
    problem = assert_problem(answer, bad.status, bad.code, set(bad.pointers) if bad.pointers is not None else None)
    assert problem["retryable"] is False
    assert stored(stack) == before


def test_500_characters_are_welcome(member):
    assert member.titles("晒" * 500, count=1).status_code == 201
    assert member.titles("👨‍👩‍👧‍👦" * 40, count=1).status_code == 201


def test_the_largest_brief_is_welcome_in_any_spelling(member):
    """Every text as long as the rules allow: eight code points a character, each escaped as two halves."""
    character = "\U00020000" + "\U0001d165" * 7
    brief = {
        "topic": character * 500, "audience": character * 200, "sellingPoints": [character * 200] * 10, "tone": character * 100,
        "keywords": [character * 50] * 10, "count": 1,
        "bannedWords": [(chr(0x20001 + n) + "\U0001d165" * 7) * 50 for n in range(50)]}
    body = json.dumps(brief).encode()
    assert len(body) > 550_000
    answer = member.request("POST", "/api/titles", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text[:500]


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic ZGVtbzpkZW1v", "bearer-token", "Bearer " + "x" * 5000,
])
def test_missing_or_broken_tokens(stack, header):
    headers = {} if header is None else {"Authorization": header}
    answer = requests.post(stack.url("gateway-bff", "/api/titles"), json={"topic": "防晒"}, headers=headers, timeout=10)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_changed_token_is_refused(stack, member):
    head, payload, signature = member.login["accessToken"].split(".")
    for token in (f"{head}.{payload}.{signature[:-4]}AAAA", f"{head}.{payload}A.{signature}", f"{head}.{payload}."):
        answer = requests.get(stack.url("gateway-bff", "/api/contents"), headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert_problem(answer, 401)


def test_wrong_password_and_unknown_user_look_the_same(stack):
    answers = [
        requests.post(stack.url("gateway-bff", "/api/auth/login"), json={"email": email, "password": "wrong"}, timeout=20)
        for email in (f"nobody-{uuid.uuid4()}@example.com", f"nobody-{uuid.uuid4()}@example.com")
    ]
    problems = [assert_problem(answer, 401, "auth.invalid_credentials") for answer in answers]
    assert problems[0]["title"] == problems[1]["title"]


@pytest.mark.parametrize("path", [
    "/api/contents/not-a-uuid", "/api/contents/%00", "/api/contents/..%2f..%2fetc%2fpasswd", "/api/contents/" + "a" * 3000,
    "/api/contents/0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d2", "/api/nothing", "/api/contents/%ff%fe", "/API/contents",
])
def test_malformed_and_unknown_paths_are_not_found(stack, member, path):
    # requests would tidy the path; the wire shows it as it is.
    with raw_connection(stack) as connection:
        token = member.login["accessToken"]
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode())
        head = read_head(connection)
    assert head.split()[1] in (b"404", b"400"), head


@pytest.mark.parametrize("query, pointer", [
    ({"limit": "0"}, "?limit"), ({"limit": "101"}, "?limit"), ({"limit": "x"}, "?limit"), ({"kind": "poem"}, "?kind"),
    ({"status": "lost"}, "?status"), ({"cursor": "AAAA"}, "?cursor"), ({"colour": "red"}, "?colour"),
])
def test_bad_queries(member, query, pointer):
    assert_problem(member.request("GET", "/api/contents", params=query), 422, "request.invalid", {pointer})


def test_wrong_method_names_the_right_ones(stack, member):
    answer = member.request("DELETE", "/api/titles")
    assert_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


def test_enormous_headers(stack):
    answer = requests.get(stack.url("gateway-bff", "/healthz"), headers={"X-Big": "x" * 200_000}, timeout=10)
    assert answer.status_code in (400, 431)


@pytest.mark.parametrize("head", [
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00", "GET\r\n\r\n",
])
def test_ambiguous_and_broken_requests_are_refused(stack, head):
    with raw_connection(stack) as connection:
        connection.sendall(head.encode("latin-1"))
        answer = read_head(connection)
    assert answer == b"" or answer.split()[1][:1] in (b"4", b"5") and answer.split()[1] != b"500", answer


def raw_connection(stack) -> socket.socket:
    gateway = urlsplit(stack.url("gateway-bff"))
    connection = socket.create_connection((gateway.hostname, gateway.port), timeout=5)
    connection.settimeout(5)
    return connection


def read_head(connection: socket.socket) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data and (piece := connection.recv(4096)):
            data += piece
        connection.shutdown(socket.SHUT_WR)
    except (TimeoutError, OSError):
        pass
    return data


def test_a_client_that_says_nothing_is_let_go_of_and_harms_nobody(stack, member):
    silent = [raw_connection(stack) for _ in range(50)]
    try:
        assert member.request("GET", "/api/contents", timeout=5).status_code == 200
    finally:
        for connection in silent:
            connection.close()
