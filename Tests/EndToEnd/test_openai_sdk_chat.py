"""Chat over the official `openai` package: whole, streamed, with tools, structured, cancelled, and each failure as its exception."""

import asyncio
import json
import math
import time
import uuid

import openai
import pydantic
import pytest

from openai_clients import add_budget, async_client, client, ledger, make_key, set_fault, vendor_log
from support import eventually

MODEL = "gpt-4o-mini"
# In 1e-9 USD per token.
PROMPT, COMPLETION = 150, 600
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather", "description": "天气",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
    },
}


class Slogan(pydantic.BaseModel):
    text: str
    stars: int


@pytest.fixture(scope="module")
def key(member) -> dict:
    return make_key(member)


@pytest.fixture(scope="module")
def sdk(stack, key) -> openai.OpenAI:
    return client(stack, key["key"])


@pytest.fixture
def text() -> str:
    return f"写一条防晒文案{uuid.uuid4().hex[:10]}"


def messages(text: str) -> list[dict]:
    return [{"role": "system", "content": "你是短视频文案编辑。"}, {"role": "user", "content": text}]


def prompt_tokens(conversation: list[dict]) -> int:
    """As the sandbox counts."""
    return math.ceil(sum(len(message["content"].encode()) for message in conversation) / 4)


def test_chat(stack, key, sdk, text):
    before = len(ledger(stack, key["id"]))
    raw = sdk.chat.completions.with_raw_response.create(model=MODEL, messages=messages(text), max_tokens=200, temperature=0.7)
    answer = raw.parse()
    assert answer.object == "chat.completion" and answer.id and answer.model.startswith(MODEL)
    (choice,) = answer.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content.strip()
    assert answer.usage.prompt_tokens == prompt_tokens(messages(text))
    assert answer.usage.completion_tokens == math.ceil(len(choice.message.content.encode()) / 4)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert raw.headers["X-Request-Id"]
    cost = answer.usage.prompt_tokens * PROMPT + answer.usage.completion_tokens * COMPLETION
    assert ledger(stack, key["id"])[before:] == [(answer.usage.prompt_tokens, answer.usage.completion_tokens, cost, "openai")]


@pytest.mark.parametrize("name", ["auto", "openai/chat", "openai/gpt-4o-mini"])
def test_other_names_of_a_model(sdk, text, name):
    assert sdk.chat.completions.create(model=name, messages=messages(text)).choices[0].message.content


def test_a_stream_says_the_same_and_costs_the_same(stack, member, text):
    made = make_key(member)
    sdk = client(stack, made["key"])
    # What the sandbox says depends on the whole body, so on whether it asks for a stream.
    set_fault(stack, text, fault="scripted", answers=["出门前十五分钟涂防晒，每两小时补一次。"] * 2, count=2)
    whole = sdk.chat.completions.create(model=MODEL, messages=messages(text))
    chunks = list(sdk.chat.completions.create(model=MODEL, messages=messages(text), stream=True, stream_options={"include_usage": True}))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"} and len({chunk.id for chunk in chunks}) == 1
    *pieces, last = chunks
    assert last.choices == [] and all(piece.usage is None for piece in pieces)
    assert pieces[0].choices[0].delta.role == "assistant"
    content = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert content == whole.choices[0].message.content
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices and piece.choices[0].finish_reason] == ["stop"]
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (whole.usage.prompt_tokens, whole.usage.completion_tokens)
    rows = eventually(lambda: ledger(stack, made["id"]), lambda rows: len(rows) == 2, "two rows")
    assert rows[0] == rows[1]


def test_a_stream_without_usage_asked_for_has_none(sdk, text):
    chunks = list(sdk.chat.completions.create(model=MODEL, messages=messages(text), stream=True))
    assert all(chunk.choices for chunk in chunks)


def test_tools_whole_and_streamed(sdk, text):
    conversation = messages(text)
    first = sdk.chat.completions.create(model=MODEL, messages=conversation, tools=[WEATHER])
    (choice,) = first.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert call.type == "function" and call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}

    names, arguments = [], ""
    for chunk in sdk.chat.completions.create(model=MODEL, messages=conversation, tools=[WEATHER], stream=True):
        for piece in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            names += [piece.function.name] if piece.function.name else []
            arguments += piece.function.arguments or ""
    assert names == ["get_weather"] and set(json.loads(arguments)) == {"city"}

    second = sdk.chat.completions.create(model=MODEL, tools=[WEATHER], messages=[
        *conversation, choice.message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "晴，32 度"}])
    assert second.choices[0].finish_reason == "stop" and second.choices[0].message.content


def test_structured_output_is_parsed(sdk, text):
    answer = sdk.chat.completions.parse(model=MODEL, messages=messages(text), response_format=Slogan)
    parsed = answer.choices[0].message.parsed
    assert isinstance(parsed, Slogan)
    loose = sdk.chat.completions.create(model=MODEL, messages=messages(text + "，JSON"), response_format={"type": "json_object"})
    assert isinstance(json.loads(loose.choices[0].message.content), dict)


# Failures

def test_an_unknown_key_is_an_authentication_error(stack, text):
    with pytest.raises(openai.AuthenticationError) as refused:
        client(stack, "dmk_nobody").chat.completions.create(model=MODEL, messages=messages(text))
    assert refused.value.code == "invalid_api_key"


def test_a_key_without_the_scope_is_a_permission_error(stack, member, text):
    with pytest.raises(openai.PermissionDeniedError):
        client(stack, make_key(member, "contents:read")["key"]).chat.completions.create(model=MODEL, messages=messages(text))


def test_an_unknown_model_is_a_not_found_error(sdk, text):
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.chat.completions.create(model="gpt-9", messages=messages(text))
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize("wrong, param", [
    ({"temperature": 9}, "temperature"), ({"messages": []}, "messages"), ({"max_tokens": 0}, "max_tokens"),
    ({"messages": [{"role": "nobody", "content": "x"}]}, "messages/0/role"),
])
def test_a_wrong_field_is_a_bad_request_error_that_names_it(sdk, text, wrong, param):
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.chat.completions.create(**({"model": MODEL, "messages": messages(text)} | wrong))
    assert refused.value.param == param


def test_an_exhausted_budget_is_a_rate_limit_error_that_nobody_retries(stack, member, text):
    made = make_key(member)
    add_budget(stack, member, made["id"], calls=1)
    sdk = client(stack, made["key"], max_retries=5)
    sdk.chat.completions.create(model=MODEL, messages=messages(text))
    for stream in (False, True):
        started = time.monotonic()
        with pytest.raises(openai.RateLimitError) as refused:
            sdk.chat.completions.create(model=MODEL, messages=messages(text), stream=stream)
        assert time.monotonic() - started < 5
        assert refused.value.code == "insufficient_quota"
        assert int(refused.value.response.headers["Retry-After"]) > 0
    assert len(ledger(stack, made["id"])) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("hint", [None, 60])
def test_a_busy_vendor_is_a_rate_limit_error_that_clients_retry(stack, sdk, text, hint, stream):
    """They wait as long as the vendor asked for, or a second where it asked for nothing."""
    fault = {"fault": "rate-limit-no-hint"} if hint is None else {"fault": "rate-limit-seconds", "retryAfterSeconds": hint}
    set_fault(stack, text, **fault)
    with pytest.raises(openai.RateLimitError) as busy:
        sdk.chat.completions.create(model=MODEL, messages=messages(text), stream=stream)
    assert (busy.value.type, busy.value.code) == ("rate_limit_exceeded", "model.rate_limited")
    headers = busy.value.response.headers
    assert int(headers["Retry-After"]) == (hint or 1) and headers.get("x-should-retry") != "false"


def test_the_clients_own_retry_waits_for_a_busy_vendor(stack, key, text):
    # Both of our own attempts.
    set_fault(stack, text, fault="rate-limit-no-hint", count=2)
    answer = client(stack, key["key"], max_retries=2).chat.completions.create(model=MODEL, messages=messages(text))
    assert answer.choices[0].message.content and len(vendor_log(stack, text)) == 3


def test_a_refused_prompt_is_a_bad_request_error(stack, sdk, text):
    set_fault(stack, text, fault="content-policy", count=1)
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.chat.completions.create(model=MODEL, messages=messages(text))
    assert refused.value.code == "content_policy_violation"
    assert len(vendor_log(stack, text)) == 1


def test_a_client_that_waits_no_longer_has_a_time_out_error_and_stops_the_model(stack, key, text):
    set_fault(stack, text, fault="never-answer", count=1)
    with pytest.raises(openai.APITimeoutError):
        client(stack, key["key"], timeout=1).chat.completions.create(model=MODEL, messages=messages(text))
    eventually(lambda: vendor_log(stack, text), lambda log: bool(log) and log[0]["clientClosedEarly"], "the vendor was hung up on")


def test_a_stream_that_is_closed_stops_the_model_and_is_paid_for_as_far_as_it_came(stack, member, text):
    made = make_key(member)
    set_fault(stack, text, fault="slow-drip", tokenGapMs=200, count=1)
    stream = client(stack, made["key"]).chat.completions.create(model=MODEL, messages=messages(text), stream=True)
    seen = ""
    for chunk in stream:
        seen += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if len(seen) >= 4:
            break
    stream.close()
    (attempt,) = eventually(
        lambda: vendor_log(stack, text), lambda log: bool(log) and log[0]["clientClosedEarly"], "the vendor was hung up on")
    assert attempt["clientClosedAfterMs"] > 0
    rows = eventually(lambda: ledger(stack, made["id"]), bool, "a row")
    prompt, completion, cost, _ = rows[0]
    assert 0 < completion and cost == prompt * PROMPT + completion * COMPLETION


def test_a_stream_that_breaks_off_is_an_error_and_no_end(stack, sdk, text):
    """Nothing of it can be restarted for a client of this face: it has been given the beginning."""
    set_fault(stack, text, fault="cut-mid-stream", afterTokens=6)
    seen, ended = "", False
    with pytest.raises(openai.APIError):
        for chunk in sdk.chat.completions.create(model=MODEL, messages=messages(text), stream=True):
            seen += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            ended = ended or bool(chunk.choices and chunk.choices[0].finish_reason)
    assert not ended


# Many at once

def test_fifty_at_once(stack, member, text):
    made = make_key(member)

    async def one(sdk, number: int) -> str:
        if number % 2:
            answer = await sdk.chat.completions.create(model=MODEL, messages=messages(f"{text} {number}"))
            return answer.choices[0].message.content
        stream = await sdk.chat.completions.create(model=MODEL, messages=messages(f"{text} {number}"), stream=True)
        return "".join([(chunk.choices[0].delta.content or "") async for chunk in stream if chunk.choices])

    async def all_of_them() -> list[str]:
        async with async_client(stack, made["key"]) as sdk:
            return await asyncio.gather(*(one(sdk, number) for number in range(50)))

    assert all(content.strip() for content in asyncio.run(all_of_them()))
    rows = eventually(lambda: ledger(stack, made["id"]), lambda rows: len(rows) == 50, "fifty rows")
    assert all(cost == prompt * PROMPT + completion * COMPLETION for prompt, completion, cost, _ in rows)
