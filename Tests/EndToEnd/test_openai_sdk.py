"""The official `openai` package against the gateway with a tenant's key: models, embeddings, keys, and each failure as the exception that
its users catch. Chat has its own file beside this one."""

import asyncio
import base64
import math
import struct
import time
import uuid

import openai
import pytest
import requests

from openai_clients import add_budget, async_client, client, ledger, make_key, set_fault, vendor_log
from support import eventually

SMALL = "text-embedding-3-small"
# Of the small model, in 1e-9 USD per token.
PRICE = 20


@pytest.fixture(scope="module")
def key(member) -> dict:
    return make_key(member)


@pytest.fixture(scope="module")
def sdk(stack, key) -> openai.OpenAI:
    return client(stack, key["key"])


@pytest.fixture
def text() -> str:
    """Nobody has asked for it before."""
    return f"向量{uuid.uuid4().hex[:10]}"


def tokens(text: str) -> int:
    """As the sandbox counts."""
    return math.ceil(len(text.encode()) / 4)


def as_float32(vector: list[float]) -> bytes:
    """What two ways to write a vector have in common."""
    return struct.pack(f"<{len(vector)}f", *vector)


# Models

def test_models_are_listed_and_found(sdk):
    names = [model.id for model in sdk.models.list()]
    assert names[0] == "auto" and len(names) == len(set(names))
    assert {"gpt-4o-mini", "openai/gpt-4o-mini", "openai/chat", SMALL} <= set(names)
    for name in ("auto", "openai/chat", "openai/gpt-4o-mini"):
        model = sdk.models.retrieve(name)
        assert (model.id, model.object) == (name, "model")
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.models.retrieve("gpt-9")
    assert missing.value.code == "model_not_found"


# Embeddings

def test_embeddings_come_as_base64_by_default_and_as_numbers_when_asked(stack, key, sdk, text):
    before = len(ledger(stack, key["id"]))
    inputs = [text, text + "乙", text]
    answer = sdk.embeddings.create(model=SMALL, input=inputs)
    assert [item.index for item in answer.data] == [0, 1, 2] and answer.model.startswith(SMALL)
    vectors = [item.embedding for item in answer.data]
    assert {len(vector) for vector in vectors} == {1536}
    assert vectors[0] == vectors[2] != vectors[1]
    assert abs(sum(number * number for number in vectors[0]) - 1) < 1e-3
    # The same text is asked once.
    paid = tokens(inputs[0]) + tokens(inputs[1])
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (paid, paid)

    as_numbers = sdk.embeddings.create(model=f"openai/{SMALL}", input=inputs, encoding_format="float")
    assert [as_float32(item.embedding) for item in as_numbers.data] == [as_float32(vector) for vector in vectors]
    assert as_numbers.usage.prompt_tokens == 0
    raw = sdk.embeddings.create(model="auto", input=text, encoding_format="base64").data[0].embedding
    assert base64.b64decode(raw) == as_float32(vectors[0])
    assert ledger(stack, key["id"])[before:] == [(paid, 0, paid * PRICE, "openai")]
    assert len(vendor_log(stack, text)) == 1


def test_shorter_vectors_and_tokens(sdk, text):
    assert len(sdk.embeddings.create(model=SMALL, input=text, dimensions=256).data[0].embedding) == 256
    numbers = [[uuid.uuid4().int % 100_000 for _ in range(4)] for _ in range(2)]
    answer = sdk.embeddings.create(model="text-embedding-3-large", input=numbers, dimensions=8)
    assert [len(item.embedding) for item in answer.data] == [8, 8]


def test_two_thousand_and_forty_eight_texts_at_once(sdk, text):
    answer = sdk.embeddings.create(model=SMALL, input=[f"{text} {number}" for number in range(2048)], dimensions=8)
    assert [item.index for item in answer.data] == list(range(2048))
    assert len({tuple(item.embedding) for item in answer.data}) == 2048
    with pytest.raises(openai.BadRequestError):
        sdk.embeddings.create(model=SMALL, input=[text] * 2049)


def test_what_one_tenant_has_asked_is_not_known_to_another(stack, member, stranger, text):
    for owner in (member, stranger):
        made = make_key(owner)
        answer = client(stack, made["key"]).embeddings.create(model=SMALL, input=text, dimensions=4)
        assert answer.usage.prompt_tokens == tokens(text)
        assert ledger(stack, made["id"]) == [(tokens(text), 0, tokens(text) * PRICE, "openai")]
    assert len(vendor_log(stack, text)) == 2


# Failures

def test_an_unknown_key_is_an_authentication_error(stack):
    with pytest.raises(openai.AuthenticationError) as refused:
        client(stack, "dmk_nobody").models.list()
    assert refused.value.code == "invalid_api_key" and refused.value.type == "invalid_request_error"


def test_what_reaches_no_route_is_told_in_the_same_words(stack, sdk, key, text):
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.post("/completions", cast_to=dict, body={"model": "auto", "prompt": text})
    assert missing.value.code == "not_found" and missing.value.type == "invalid_request_error"
    assert missing.value.request_id
    with pytest.raises(openai.APIStatusError) as other:
        sdk.get("/embeddings", cast_to=dict)
    assert other.value.status_code == 405 and other.value.code == "method_not_allowed"
    assert "POST" in other.value.response.headers["Allow"]
    with pytest.raises(openai.APIStatusError) as large:
        sdk.embeddings.create(model=SMALL, input="长" * (1 << 20))
    assert large.value.status_code == 413 and large.value.type == "invalid_request_error"
    # Raw: what the package would never send.
    url, bearer = stack.url("gateway-bff", "/api/openai/v1/embeddings"), {"Authorization": f"Bearer {key['key']}"}
    for answer, status in [
        (requests.post(url, data=b"{}", headers=bearer | {"Content-Type": "text/plain"}, timeout=30), 415),
        (requests.post(url, data=b"{", headers=bearer | {"Content-Type": "application/json"}, timeout=30), 400),
        (requests.post(url, json={}, timeout=30), 401),
        (requests.get(url + "?%FF=1", headers=bearer, timeout=30), 405),
    ]:
        assert answer.status_code == status and answer.headers["Content-Type"] == "application/json", answer.text
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"} and answer.headers["X-Request-Id"]


def test_a_key_without_the_scope_is_a_permission_error(stack, member):
    with pytest.raises(openai.PermissionDeniedError):
        client(stack, make_key(member, "contents:read")["key"]).embeddings.create(model=SMALL, input="甲")


@pytest.mark.parametrize("wrong, param", [
    ({"input": ""}, "input"), ({"input": ["甲", ""]}, "input/1"), ({"dimensions": 0}, "dimensions"), ({"dimensions": 1537}, "dimensions"),
    ({"model": "gpt-4o-mini"}, "model"), ({"extra_body": {"colour": 1}}, "colour"),
])
def test_a_wrong_field_is_a_bad_request_error_that_names_it(sdk, wrong, param):
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.embeddings.create(**({"model": SMALL, "input": "甲"} | wrong))
    assert refused.value.param == param and refused.value.type == "invalid_request_error"


def test_an_unknown_model_is_a_not_found_error(sdk):
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.embeddings.create(model="text-embedding-9", input="甲")
    assert refused.value.code == "model_not_found"


def test_an_exhausted_budget_is_a_rate_limit_error_that_nobody_retries(stack, member, text):
    made = make_key(member)
    add_budget(stack, member, made["id"], calls=1)
    sdk = client(stack, made["key"], max_retries=5)
    sdk.embeddings.create(model=SMALL, input=text, dimensions=4)
    started = time.monotonic()
    with pytest.raises(openai.RateLimitError) as refused:
        sdk.embeddings.create(model=SMALL, input=text + "乙", dimensions=4)
    assert time.monotonic() - started < 5
    assert refused.value.code == "insufficient_quota"
    assert int(refused.value.response.headers["Retry-After"]) > 0
    assert refused.value.response.headers["x-should-retry"] == "false"
    # What is known needs no budget.
    sdk.embeddings.create(model=SMALL, input=text, dimensions=4)
    assert len(ledger(stack, made["id"])) == 1


def test_a_failing_model_is_an_internal_server_error(stack, sdk, text):
    set_fault(stack, text, fault="server-error", count=2)
    with pytest.raises(openai.InternalServerError) as failed:
        sdk.embeddings.create(model=SMALL, input=text, dimensions=4)
    assert failed.value.status_code == 503
    assert len(vendor_log(stack, text)) == 2
    # It is well again.
    assert len(sdk.embeddings.create(model=SMALL, input=text, dimensions=4).data) == 1


def test_the_clients_own_retry_gets_an_answer(stack, key, text):
    set_fault(stack, text, fault="server-error", count=2)
    answer = client(stack, key["key"], max_retries=2).embeddings.create(model=SMALL, input=text, dimensions=4)
    assert len(answer.data) == 1


def test_a_client_that_waits_no_longer_has_a_time_out_error_and_stops_the_model(stack, key, text):
    set_fault(stack, text, fault="never-answer", count=1)
    with pytest.raises(openai.APITimeoutError):
        client(stack, key["key"], timeout=1).embeddings.create(model=SMALL, input=text, dimensions=4)
    (attempt,) = eventually(
        lambda: vendor_log(stack, text), lambda log: bool(log) and log[0]["clientClosedEarly"], "the vendor was hung up on")
    assert attempt["path"] == "/openai/v1/embeddings"


# Keys

def test_a_key_is_shown_once_used_seen_and_revoked_at_once(stack, member, stranger):
    made = make_key(member)
    sdk = client(stack, made["key"])
    assert sdk.models.list().data
    path = f"/api/api-keys/{made['id']}"
    assert made["key"] not in member.request("GET", path).text + member.request("GET", "/api/api-keys").text
    ((stored,),) = stack.rows("gateway", "SELECT to_jsonb(k)::text FROM api_keys k WHERE id = %s", (made["id"],))
    assert made["key"] not in stored
    eventually(lambda: member.request("GET", path).json(), lambda seen: "lastUsedAt" in seen, "the last use")
    for method in ("GET", "DELETE"):
        assert stranger.request(method, path).status_code == 404
    assert sdk.models.list().data
    assert member.request("DELETE", path).status_code == 204
    with pytest.raises(openai.AuthenticationError):
        sdk.models.list()


def test_a_key_cannot_make_keys_nor_do_what_its_maker_may_not(stack, member):
    made = make_key(member, "ai:generate", "contents:read")
    answer = requests.request("POST", stack.url("gateway-bff", "/api/api-keys"), json={"name": "x", "scopes": ["ai:generate"]},
                              headers={"Authorization": f"Bearer {made['key']}"}, timeout=10)
    assert answer.status_code == 403


# Many at once

def test_fifty_at_once(stack, member, text):
    made = make_key(member)

    async def all_of_them() -> list:
        async with async_client(stack, made["key"]) as sdk:
            return await asyncio.gather(*(
                sdk.embeddings.create(model=SMALL, input=f"{text}{number % 25:02}", dimensions=16) for number in range(50)))

    answers = asyncio.run(all_of_them())
    vectors = [answer.data[0].embedding for answer in answers]
    assert all(vectors[number] == vectors[number + 25] for number in range(25))
    assert len({tuple(vector) for vector in vectors}) == 25
    paid = sum(answer.usage.prompt_tokens for answer in answers)
    assert sum(cost for _, _, cost, _ in ledger(stack, made["id"])) == paid * PRICE
