"""The other half of schemathesis: every status code that a document promises was really answered by the running services during
these tests, and every one they answered is promised. Read from the services' own metrics; runs after the tests that provoke them."""

import re

import pytest
import requests
import yaml

from support import REPOSITORY, SERVICES, assert_problem

SAMPLE = re.compile(
    r'^http_server_request_duration_seconds_count\{method="(?P<method>[A-Z]+)",route="(?P<route>/[^"]*)",status="(?P<status>\d+)[^"]*"\} (?P<count>\S+)')
# Answers of trouble and of overload: provoked by the kill storm and by the gateway's own tests, not at will.
NOT_AT_WILL = {"429", "503", "504"}
METHODS = {"get", "post", "patch", "put", "delete"}


def documented(service: str) -> dict[str, set[str]]:
    document = yaml.safe_load((REPOSITORY / "openapi" / f"{service}.yaml").read_text(encoding="utf-8"))
    return {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, item in document["paths"].items() for method, operation in item.items() if method in METHODS
    }


def answered(stack, service: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in requests.get(stack.url(service, "/metrics"), timeout=5).text.splitlines():
        if (sample := SAMPLE.match(line)) and float(sample["count"]) > 0:
            found.setdefault(f"{sample['method']} {sample['route']}", set()).add(sample["status"])
    return found


@pytest.fixture(scope="module", autouse=True)
def provoked(stack, member):
    """What no other test has a reason to do."""
    for service, callee, path, method in (
        ("agent-center", "orchestration-service", "/v1/titles", "POST"), ("gateway-bff", "agent-center", "/v1/titles", "POST"),
        ("gateway-bff", "content-center", "/v1/contents", "POST"),
    ):
        inner = {"data": b"a" * 3_000_000, "headers": {"Content-Type": "application/json"}}
        assert_problem(stack.inner(service, callee, method, path, member.tenant, **inner), 413)
        assert_problem(stack.inner(service, callee, method, path, member.tenant, data=b"x"), 415)


@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_documented(stack, service):
    document = documented(service)
    undocumented = {
        f"{route} {status}" for route, statuses in answered(stack, service).items()
        for status in statuses - document.get(route, set())
    }
    # A client that hangs up has no answer to find documented.
    assert {entry for entry in undocumented if not entry.endswith(" 499")} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_documented_answer_was_given(stack, service):
    seen = answered(stack, service)
    promised = {
        f"{route} {status}" for route, statuses in documented(service).items()
        for status in statuses - NOT_AT_WILL - seen.get(route, set())
    }
    assert promised == set()
