"""schemathesis walks every document against the running services: no 5xx, and no answer that the document does not know.

A hook mints a fresh token for every request, since context tokens live for a minute only.
"""

import pathlib
import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance, not_a_server_error, response_headers_conformance, response_schema_conformance,
    status_code_conformance,
)

from support import REPOSITORY, Stack
from test_parameters import SCOPES

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
)
# Who calls each service in these tests: one of the arrows of the call map.
CALLERS = {
    "orchestration-service": "gateway-bff", "agent-center": "orchestration-service", "content-center": "gateway-bff",
    "delivery-connector-douyin": "gateway-bff",
}
# Budgets, settings and policies made of random words are no other test's.
TENANTS = {"agent-center": str(uuid.uuid4())}
# What is nobody's own: providers, models, other names and prices are the platform's.
PLATFORM_TABLES = ("model_providers", "models", "model_aliases", "model_prices")
ENDLESS = ("/api/stream",)
# What is longer is answered 431 before any route is looked at: the documents say so once for all.
LARGEST_HEAD = 8_192
EXAMPLES = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)


def document(service: str):
    return schemathesis.openapi.from_path(pathlib.Path(REPOSITORY / "openapi" / f"{service}.yaml"))


def authorization(stack: Stack, member, service: str) -> str:
    if service == "gateway-bff":
        return f"Bearer {member.login['accessToken']}"
    # Whoever may do everything gets past 403, to what an operation does.
    tenant = TENANTS.get(service, member.tenant)
    return f"Bearer {stack.context_token(CALLERS[service], service, tenant, scopes=SCOPES, roles=['system_admin'])}"


@pytest.fixture(scope="module", autouse=True)
def catalogue_as_it_was(stack):
    """Afterwards every tenant's models are again those that they were."""
    with stack.administrator("agent") as connection:
        kept = {}
        for table in PLATFORM_TABLES:
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                kept[table] = b"".join(bytes(row) for row in rows)
    yield
    with stack.administrator("agent") as connection, connection.transaction():
        for table, rows in kept.items():
            connection.execute(f"DELETE FROM {table}")
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
        connection.execute("UPDATE catalogue_revision SET revision = revision + 1")


def cases():
    for service in ("gateway-bff", *CALLERS):
        for result in document(service).get_all_operations():
            operation = result.ok()
            if operation.path not in ENDLESS:
                yield pytest.param(service, operation, id=f"{service} {operation.method.upper()} {operation.path}")


@pytest.mark.parametrize("service, operation", list(cases()))
def test_only_documented_answers(stack, member, service, operation):
    @EXAMPLES
    @schemathesis_given(operation)
    def walk(case):
        case.headers = {**(case.headers or {}), "Authorization": authorization(stack, member, service)}
        # With a millisecond left 504 is the right answer; here all have time.
        case.headers.pop("X-Deadline-Ms", None)
        answer = case.call(base_url=stack.url(service), timeout=40)
        if answer.status_code == 431:
            assert head_bytes(answer.request) > LARGEST_HEAD
        else:
            case.validate_response(answer, checks=CHECKS)

    walk()
    if "/vocabulary/" in operation.path:
        # Random words banned from all texts would fail other tests.
        for name in ("brand-words", "banned-words"):
            assert member.request("PUT", f"/api/vocabulary/{name}", json={"words": []}).status_code == 200


def head_bytes(request) -> int:
    return len(request.path_url) + sum(len(name) + len(value) + len(": \r\n") for name, value in request.headers.items())


def schemathesis_given(operation):
    """Both well-formed and broken input for one operation."""
    from hypothesis import given

    from schemathesis import GenerationMode

    return given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE))
