"""What the logs say, and what they keep to themselves."""

import json
import uuid

from support import SERVICES, eventually


def lines(stack, service: str, request_id: str) -> list[dict]:
    text = (stack.directory / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")
    return [json.loads(line) for line in text.splitlines() if request_id in line]


def test_the_gateway_keeps_an_access_log(stack, member):
    request_id = f"access-{uuid.uuid4().hex}"
    assert member.request("GET", "/api/contents", headers={"X-Request-Id": request_id}).headers["X-Request-Id"] == request_id
    (line,) = eventually(lambda: lines(stack, "gateway-bff", request_id), bool, "the access log's line")
    assert {"time", "level", "service", "message", "traceId", "requestId"} <= line.keys()
    assert line["status"] == 200 and line["method"] == "GET" and line["route"] == "/api/contents"
    assert line["tenant"] == member.tenant


def test_a_clients_strange_request_id_is_replaced(member):
    answer = member.request("GET", "/api/contents", headers={"X-Request-Id": "no spaces; please"})
    assert answer.headers["X-Request-Id"] != "no spaces; please"


def test_every_line_is_json_and_no_secret_is_in_it(stack, member):
    secrets = [value for value in stack.secrets.values()] + [stack.env["DEMO_PASSWORD"], member.login["accessToken"]]
    for service in SERVICES:
        text = (stack.directory / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            assert isinstance(json.loads(line), dict), f"{service}: {line[:200]}"
        for secret in secrets:
            assert secret not in text, f"{service} logs a secret"
