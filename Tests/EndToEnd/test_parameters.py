"""The query parameters and conditions that the code reads are those of the documents, both ways, for every operation of the five services.
(The gateway passes conditions on; its document is compared with those of the services in Tests/ContractTests.)

The code says itself what it reads: the refusal of an unknown parameter names the known ones, out of the very calls that read them
(Shared/HTTPCore/QueryReader.swift). An operation whose refusal names none reads none.
"""

import json
import re
import uuid
from functools import cache

import pytest
import yaml

from provocations.pictures import png
from support import REPOSITORY, SERVICES
from uploads import upload
from test_status_codes import CALLERS, filled, operations

# Whoever may do everything is refused for the parameter alone.
SCOPES = tuple(re.findall(r'= "(\w+:\w+)"', (REPOSITORY / "Services/gateway-bff/Domain/Permission.swift").read_text(encoding="utf-8")))
EXAMPLES = REPOSITORY / "openapi/examples"
UNKNOWN = "no-such-parameter"
KNOWN = re.compile(r"is not a known parameter; known: (?P<names>.*)")


@cache
def document_at(name: str) -> dict:
    """Read once: the documents are long, and the reader is slow."""
    return yaml.safe_load((REPOSITORY / "openapi" / name).read_text(encoding="utf-8"))


def documented(service: str, route: str, place: str = "query") -> set[str]:
    document = document_at(f"{service}.yaml")
    method, path = route.split()
    item = document["paths"][path]
    parameters = [resolved(each, document) for each in item.get("parameters", []) + item[method.lower()].get("parameters", [])]
    return {each["name"] for each in parameters if each["in"] == place}


def resolved(parameter: dict, document: dict) -> dict:
    if "$ref" not in parameter:
        return parameter
    file, _, place = parameter["$ref"].partition("#/")
    found = document_at(file) if file else document
    for name in place.split("/"):
        found = found[name]
    return found


def refusals(ask, method: str, path: str, query: dict[str, str], body: dict) -> dict[str, tuple[str, str]]:
    """Code and message by pointer."""
    answer = ask(method, path, params=query, headers={"Accept-Language": "en", "If-Match": '"1"'}, stream=True, **body)
    with answer:
        if answer.status_code != 422 or not answer.headers["Content-Type"].startswith("application/problem+json"):
            return {}
        return {error["pointer"]: (error["code"], error["message"]) for error in answer.json().get("errors", [])}


def asked(method: str, path: str, identifier: str) -> tuple[str, dict]:
    """Where an operation is met, and with which body."""
    place = filled(path, identifier if method == "GET" else str(uuid.uuid4()))
    # Names of prompts and labels are words; a number in their place would be refused first.
    place = place.replace("/prompts/1", "/prompts/no-such-prompt").replace("/labels/1", "/labels/production")
    return place, {} if method == "GET" else {"json": {"noSuchField": 1}}


def read(ask, route: str, identifier: str) -> set[str]:
    """The names that the operation reads, from its refusal of one that it does not. Only looks may meet something that exists: a write
    that takes no parameters must not take place."""
    method, path = route.split()
    place, body = asked(method, path, identifier)
    query = {UNKNOWN: "1"}
    told = refusals(ask, method, place, query, body)
    if told and f"?{UNKNOWN}" not in told:
        # Some ask for what is missing first.
        query |= {pointer[1:]: "1" for pointer, (code, _) in told.items() if code == "required" and pointer.startswith("?")}
        told = refusals(ask, method, place, query, body)
    match = KNOWN.fullmatch(told.get(f"?{UNKNOWN}", ("", ""))[1])
    return {name for name in match["names"].split(", ") if name} if match else set()


def differences(found: dict[str, set[str]], wanted: dict[str, set[str]]) -> list[str]:
    return sorted(
        [f"{route} reads {name}, which is not documented" for route in found for name in found[route] - wanted[route]]
        + [f"{route} documents {name}, which is not read" for route in wanted for name in wanted[route] - found[route]])


@pytest.fixture(scope="module")
def draft(member) -> str:
    return member.draft(topic="参数", count=1)["contentId"]


def asking(stack, member, service: str):
    """A function that asks the service on behalf of somebody who may do everything."""
    def ask(method: str, path: str, **options):
        if service == "gateway-bff":
            return member.request(method, path, **options)
        caller = CALLERS.get(service, "gateway-bff")
        token = stack.context_token(caller, service, member.tenant, scopes=SCOPES)
        return stack.inner(caller, service, method, path, member.tenant, token=token, **options)

    return ask


def found_and_wanted(stack, member, service: str, draft: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    ask = asking(stack, member, service)
    routes = [route for route, operation in operations(service).items() if "Operations" not in operation["tags"]]
    return {route: read(ask, route, draft) for route in routes}, {route: documented(service, route) for route in routes}


@pytest.mark.parametrize("service", SERVICES)
def test_code_and_document_name_the_same_parameters(stack, member, draft, service):
    found, wanted = found_and_wanted(stack, member, service, draft)
    wrong = differences(found, wanted)
    assert not wrong, "\n".join(wrong)
    if service != "delivery-connector-douyin":
        assert any(found.values()), "no refusal named anything: this test sees nothing"


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_refuses_what_it_does_not_read(stack, member, draft, service):
    """Also those that read nothing: a misspelt parameter is not passed over in silence."""
    ask = asking(stack, member, service)
    passed = []
    for route, operation in operations(service).items():
        if "Operations" in operation["tags"]:
            continue
        method, path = route.split()
        place, body = asked(method, path, draft)
        # What is asked for is there, so that only the unknown one is wrong.
        query = {name: "1" for name in documented(service, route) if name in ("q", "from", "to", "model")} | {UNKNOWN: "1"}
        with ask(method, place, params=query, headers={"If-Match": '"1"'}, stream=True, **body) as answer:
            refused = 400 if path.startswith("/api/openai/") else 422
            if answer.status_code != refused or UNKNOWN not in answer.text:
                passed.append(f"{route}: {answer.status_code}")
    assert passed == []


def test_a_wrong_parameter_is_noticed(stack, member, draft):
    """One that the document has and the code has not, and the other way round."""
    found, wanted = found_and_wanted(stack, member, "content-center", draft)
    wanted["GET /v1/contents"] = wanted["GET /v1/contents"] - {"kind"} | {"colour"}
    wanted["GET /v1/contents/{id}"] = {"version"}
    assert differences(found, wanted) == [
        "GET /v1/contents documents colour, which is not read", "GET /v1/contents reads kind, which is not documented",
        "GET /v1/contents/{id} documents version, which is not read",
    ]


# Conditions. Of a malformed If-Match the refusal tells that it is read, once the body is one that the operation takes; of
# If-None-Match the answer 304.
def bodies(service: str, route: str) -> list:
    """None, and the examples of what the operation takes."""
    method, path = route.split()
    content = document_at(f"{service}.yaml")["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    return [None, {}, *(json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob(f"{name}.*json")) if name)]


def read_conditions(ask, service: str, route: str, known: tuple[str, ...]) -> set[str]:
    method, path = route.split()
    if method == "GET":
        return {"If-None-Match"} if any(is_known_by_tag(ask, filled(path, identifier)) for identifier in known) else set()
    place = filled(path, str(uuid.uuid4())).replace("/prompts/1", "/prompts/no-such-prompt").replace("/labels/1", "/labels/production")
    for body in bodies(service, route):
        with ask(method, place, headers={"If-Match": "nonsense"}, json=body, stream=True) as answer:
            if answer.status_code == 422 and "If-Match" in {error["pointer"] for error in answer.json().get("errors", [])}:
                return {"If-Match"}
    return set()


def is_known_by_tag(ask, path: str) -> bool:
    with ask("GET", path, stream=True) as answer:
        tag = answer.headers.get("ETag") if answer.status_code == 200 else None
    if tag is None:
        return False
    with ask("GET", path, headers={"If-None-Match": tag}, stream=True) as answer:
        return answer.status_code == 304


def conditions(stack, member, service: str, known: tuple[str, ...]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    caller = CALLERS.get(service, "gateway-bff")
    # What these requests bring about is nobody's; only looks are the member's.
    tenants = {"GET": member.tenant}
    nobody = str(uuid.uuid4())

    def ask(method: str, path: str, **options):
        tenant = tenants.get(method, nobody)
        return stack.inner(caller, service, method, path, tenant, token=stack.context_token(caller, service, tenant, scopes=SCOPES), **options)

    routes = [route for route, operation in operations(service).items() if "Operations" not in operation["tags"]]
    wanted = {route: documented(service, route, "header") & {"If-Match", "If-None-Match"} for route in routes}
    return {route: read_conditions(ask, service, route, known) for route in routes}, wanted


@pytest.fixture(scope="module")
def known(member, draft) -> tuple[str, ...]:
    """Ids of what there is to look at."""
    subtitles = upload(member, "1\n00:00 --> 00:01\n大家好\n".encode(), "a.srt", "application/x-subrip")["id"]
    return draft, upload(member, png(uuid.uuid4().bytes[:3]))["id"], subtitles


@pytest.mark.parametrize("service", CALLERS)
def test_code_and_document_name_the_same_conditions(stack, member, known, service):
    found, wanted = conditions(stack, member, service, known)
    assert differences(found, wanted) == []
    assert any(found.values()), "nothing read a condition: this test sees nothing"


def test_a_wrong_condition_is_noticed(stack, member, known):
    found, wanted = conditions(stack, member, "content-center", known)
    wanted["PATCH /v1/contents/{id}"] = set()
    wanted["GET /v1/contents"] = {"If-None-Match"}
    wanted["GET /v1/contents/{id}"] = set()
    assert differences(found, wanted) == [
        "GET /v1/contents documents If-None-Match, which is not read",
        "GET /v1/contents/{id} reads If-None-Match, which is not documented",
        "PATCH /v1/contents/{id} reads If-Match, which is not documented",
    ]
