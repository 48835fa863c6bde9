"""The model answers, or fails in every way it can: the caller gets good titles inside the deadline, truthfully labelled."""

import time
import uuid

import pytest
import requests

# Of the gateway's route; every answer must be there before.
DEADLINE_SECONDS = 30

ALWAYS_BROKEN = [
    "server-error", "bad-gateway-html", "overloaded", "unauthorized", "balance-empty", "rate-limit-no-hint", "insufficient-quota",
    "reset-before-headers", "never-answer", "cut-mid-stream", "stall-mid-stream", "malformed-body", "broken-json", "wrong-schema",
    "blank-content", "length-cut-json", "content-filter",
]


@pytest.fixture
def topic() -> str:
    """Faults are set for one topic only, so that tests do not meet."""
    return f"夏季防晒{uuid.uuid4().hex[:10]}"


@pytest.fixture
def fault(stack, topic):
    """Afterwards agent-center forgets what it learned about the model: its circuit breaker would spare the vendor the next test."""
    def set_fault(name: str, **parameters) -> None:
        answer = requests.post(
            stack.url("sandbox", "/__control/config"), json={"profile": "any", "fault": name, "match": topic, **parameters}, timeout=5)
        assert answer.status_code == 200, answer.text

    yield set_fault
    requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)
    stack.restart("agent-center")


def vendor_log(stack, topic: str) -> list[dict]:
    return requests.get(stack.url("sandbox", "/__control/log"), params={"contains": topic}, timeout=5).json()["attempts"]


def ask(stack, member, topic: str) -> tuple[dict, tuple]:
    """The answer, and what the ledger says about it."""
    key, started = str(uuid.uuid4()), time.monotonic()
    answer = member.titles(topic, key=key, count=5, keywords=["防晒"])
    seconds = time.monotonic() - started
    assert answer.status_code == 201, answer.text
    assert seconds < DEADLINE_SECONDS, f"{seconds:.1f} s"
    titles = answer.json()
    texts = [candidate["title"] for candidate in titles["candidates"]]
    assert len(texts) == len(set(texts)) == 5 and all(text.strip() for text in texts)
    (row,) = stack.rows("agent", """
        SELECT l.provider, l.model_name, l.degraded, l.degraded_reason, l.cost_nano, l.prompt_tokens
        FROM ai_usage_ledger l WHERE operation_id = %s""",
        stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))[0])
    content = member.request("GET", f"/api/contents/{titles['contentId']}").json()
    assert content["source"]["kind"] == ("template" if titles["provider"] == "template" else "model")
    assert (titles["provider"], titles["degraded"]) == (row[0], row[2])
    return titles, row


def assert_template(titles: dict, row: tuple) -> None:
    assert (titles["provider"], titles["degraded"]) == ("template", True)
    assert titles["degradedReason"]
    assert titles["usage"]["costNano"] == "0" and row[4] == 0, "templates are never billed"


def test_a_healthy_model_writes_and_is_not_called_degraded(stack, member, topic):
    titles, row = ask(stack, member, topic)
    assert (titles["provider"], titles["degraded"]) == ("openai", False)
    assert "degradedReason" not in titles
    assert titles["modelName"].startswith("gpt-")
    assert titles["usage"]["promptTokens"] == row[5] > 0 and int(titles["usage"]["costNano"]) > 0
    assert len(vendor_log(stack, topic)) == 1


@pytest.mark.parametrize("name", ALWAYS_BROKEN)
def test_a_broken_model_is_replaced_by_templates_that_say_so(stack, member, topic, fault, name):
    fault(name)
    assert_template(*ask(stack, member, topic))
    assert len(vendor_log(stack, topic)) >= 1


def test_a_hanging_model_is_hung_up_on(stack, member, topic, fault):
    fault("never-answer")
    assert_template(*ask(stack, member, topic))
    attempts = vendor_log(stack, topic)
    assert attempts and all(attempt["clientClosedEarly"] for attempt in attempts), "the cancellation reached the vendor"


@pytest.mark.parametrize("name", ["broken-json", "wrong-schema"])
def test_one_repair_attempt_saves_a_malformed_answer(stack, member, topic, fault, name):
    fault(name, count=1)
    titles, _ = ask(stack, member, topic)
    assert (titles["provider"], titles["degraded"]) == ("openai", False)
    assert len(vendor_log(stack, topic)) == 2


def test_a_replayed_request_does_not_call_the_model_again(stack, member, topic):
    key = str(uuid.uuid4())
    first, again = member.titles(topic, key=key), member.titles(topic, key=key)
    assert first.content == again.content
    assert len(vendor_log(stack, topic)) == 1
