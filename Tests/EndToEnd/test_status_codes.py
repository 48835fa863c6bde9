"""The other half of schemathesis: every status code that a document promises was really answered by the running services, and every
one they answered is promised. Read from the services' own metrics, after the tests that provoke answers; what those have no reason
to do is provoked here and, area by area, in provocations/."""

import re
import uuid

import pytest
import requests
import yaml

import provocations
from provocations import TOO_LARGE
from support import REPOSITORY, SERVICES, Member, eventually

SAMPLE = re.compile(
    r'^http_server_request_duration_seconds_count\{method="(?P<method>[A-Z]+)",route="(?P<route>/[^"]*)",status="(?P<status>\d+)[^"]*"\} (?P<count>\S+)')
# Answers of trouble and of overload: provoked by the kill storm and by the gateway's own tests, not at will.
NOT_AT_WILL = {"429", "502", "503", "504"}
# Anybody may send too much to any route, also to one that takes no body; a body's is documented where one belongs, a head's once for all.
TOO_MUCH = {"413", "431"}
METHODS = {"get", "post", "patch", "put", "delete"}
CALLERS = {"orchestration-service": "gateway-bff", "agent-center": "orchestration-service", "content-center": "orchestration-service"}


def operations(service: str) -> dict[str, dict]:
    document = yaml.safe_load((REPOSITORY / "openapi" / f"{service}.yaml").read_text(encoding="utf-8"))
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items() for method, operation in item.items() if method in METHODS
    }


def documented(service: str) -> dict[str, set[str]]:
    return {route: set(operation["responses"]) for route, operation in operations(service).items()}


def answered(stack, service: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in requests.get(stack.url(service, "/metrics"), timeout=5).text.splitlines():
        if (sample := SAMPLE.match(line)) and float(sample["count"]) > 0:
            found.setdefault(f"{sample['method']} {sample['route']}", set()).add(sample["status"])
    return found


@pytest.fixture(scope="module")
def viewer(stack, member) -> Member:
    """May look, but not write."""
    user, email = str(uuid.uuid4()), f"viewer-{uuid.uuid4().hex[:8]}@example.com"
    add_user(stack, user, email, member.tenant, ["viewer"])
    return Member(stack, email, member.password).sign_in()


@pytest.fixture(scope="module")
def outsider(stack, member) -> Member:
    """A member whose role grants nothing."""
    user, email = str(uuid.uuid4()), f"outsider-{uuid.uuid4().hex[:8]}@example.com"
    add_user(stack, user, email, member.tenant, ["retired_role"])
    return Member(stack, email, member.password).sign_in()


def add_user(stack, user: str, email: str, tenant: str, roles: list[str]) -> None:
    with stack.administrator("gateway") as connection:
        connection.execute(
            "INSERT INTO users (id, email, password_hash) SELECT %s, %s, password_hash FROM users WHERE email = %s",
            (user, email, stack.env["DEMO_EMAIL"]))
        connection.execute("INSERT INTO memberships (tenant_id, user_id, roles) VALUES (%s, %s, %s)", (tenant, user, roles))


@pytest.fixture(scope="module", autouse=True)
def provoked(stack, member, viewer, outsider):
    draft = member.draft(topic="状态码", count=1)
    for service, caller in CALLERS.items():
        for route, operation in operations(service).items():
            if "Operations" not in operation["tags"]:
                provoke_inner(stack, member.tenant, caller, service, route, operation, draft["contentId"])
    for route, operation in operations("gateway-bff").items():
        if "403" in operation["responses"]:
            method, path = route.split()
            body = {} if method == "GET" else {"json": {}}
            assert outsider.request(method, filled(path, draft["contentId"]), **body).status_code == 403, route
            if operation.get("security") != []:
                answer = requests.request(method, stack.url("gateway-bff") + filled(path, draft["contentId"]), timeout=10, **body)
                assert answer.status_code == 401, route
    assert viewer.titles().status_code == 403
    for area in provocations.AREAS:
        area.provoke(stack, member)


def filled(path: str, identifier: str) -> str:
    """The path with its parameters: ids get one that exists somewhere, others a word."""
    return re.sub(r"\{(\w+)\}", lambda name: identifier if name[1].lower().endswith("id") else "1", path)


def provoke_inner(stack, tenant: str, caller: str, service: str, route: str, operation: dict,
                  content_id: str) -> None:
    """What any caller can do wrong."""
    method, path = route.split()
    path = filled(path, content_id)
    stack.inner(caller, service, method, path, tenant, json={"topic": "防晒"})
    stack.inner(caller, service, method, path, tenant, params={"limit": "0"})
    stack.inner(caller, service, method, path, tenant, token="nonsense", json={})
    stack.inner("delivery-connector-douyin", service, method, path, tenant, json={})
    stack.inner(caller, service, method, path.replace(content_id, str(uuid.uuid4())), tenant, json={"title": "x"},
                headers={"If-Match": '"1"'})
    if method != "GET":
        as_json = {"Content-Type": "application/json", "If-Match": '"1"'}
        for body in (b"not json", b"{}", b'{"colour": 1}'):
            stack.inner(caller, service, method, path, tenant, data=body, headers=as_json)
        stack.inner(caller, service, method, path, tenant, data=b"a=b", headers={"Content-Type": "text/plain"})
        if "application/json" not in operation.get("requestBody", {}).get("content", {"application/json": {}}):
            return
        assert stack.inner(caller, service, method, path, tenant, data=TOO_LARGE, headers=as_json).status_code == 413, route


def undocumented(document: dict[str, set[str]], seen: dict[str, set[str]]) -> set[str]:
    # A client that hangs up has no answer to find documented.
    return {f"{route} {status}" for route, statuses in seen.items() for status in statuses - document.get(route, set()) - TOO_MUCH - {"499"}}


def unseen(document: dict[str, set[str]], seen: dict[str, set[str]]) -> set[str]:
    return {
        f"{route} {status}" for route, statuses in document.items()
        for status in statuses - NOT_AT_WILL - seen.get(route, set())
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_documented(stack, service):
    assert undocumented(documented(service), answered(stack, service)) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_documented_answer_was_given(stack, service):
    eventually(
        lambda: unseen(documented(service), answered(stack, service)), lambda left: left == set(),
        f"documented answers of {service} that nobody saw", seconds=2)


def test_a_wrong_status_or_route_is_noticed(stack):
    """A document that lacks a status that was answered, has one that never is, or lacks a whole route."""
    service, route = "content-center", "GET /v1/contents/{id}"
    right, seen = documented(service), answered(stack, service)
    assert "404" in seen[route]
    without = right | {route: right[route] - {"404"}}
    assert undocumented(without, seen) - undocumented(right, seen) == {f"{route} 404"}
    more = right | {route: right[route] | {"418"}}
    assert unseen(more, seen) - unseen(right, seen) == {f"{route} 418"}
    del right[route]
    assert {f"{route} 200", f"{route} 404"} <= undocumented(right, seen)
