"""Raw model calls over the real processes: whole, streamed, and left by their caller."""

import json
import socket
import time
import uuid
from urllib.parse import quote, urlsplit

import pytest
import requests

from support import assert_problem, eventually


@pytest.fixture
def topic() -> str:
    return f"防晒{uuid.uuid4().hex[:10]}"


@pytest.fixture
def sandbox(stack, topic):
    """Sets a fault for this topic only."""
    def configure(fault: str, **parameters) -> None:
        rule = {"profile": "any", "fault": fault, "match": topic, **parameters}
        requests.post(stack.url("sandbox", "/__control/config"), json=rule, timeout=5).raise_for_status()

    yield configure
    requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)


def attempts(stack, topic: str) -> list[dict]:
    return requests.get(stack.url("sandbox", "/__control/log"), params={"contains": topic}, timeout=5).json()["attempts"]


def ledger(stack, member, step: str) -> list[tuple]:
    """Newest first: what the tenant paid, what the vendor was paid, the attempts."""
    return stack.rows("agent", """
        SELECT cost_nano, spent_nano, attempts FROM ai_usage_ledger WHERE tenant_id = %s AND step = %s ORDER BY created_at DESC""",
        (member.tenant, step))


def events(answer: requests.Response) -> list[tuple[str, dict]]:
    found, name = [], "message"
    for line in answer.content.decode().splitlines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and line != "data: [DONE]":
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_the_seeds_request_is_answered_and_paid(stack, member, topic):
    body = {"task": "summary", "model": "auto", "input": topic, "params": {"temperature": 0.7, "maxTokens": 400},
            "metadata": {"tenantId": member.tenant, "scene": "e2e"}}
    answer = member.request("POST", "/api/ai/generate", json=body)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert seen["output"] and seen["degraded"] is False and seen["usage"]["cost"] == int(seen["usage"]["costNano"]) / 1e9 > 0
    assert ledger(stack, member, "generate")[0][0] == int(seen["usage"]["costNano"])

    streamed = member.request("POST", "/api/ai/generate", json=body, headers={"Accept": "text/event-stream"})
    told = events(streamed)
    assert [name for name, _ in told][-2:] == ["usage", "done"]
    text = "".join(data["text"] for name, data in told if name == "delta").strip()
    assert text and told[-2][1] == seen["usage"] | {"completionTokens": told[-2][1]["completionTokens"], "cost": told[-2][1]["cost"],
                                                    "costNano": told[-2][1]["costNano"]}

    assert_problem(member.request("POST", "/api/ai/generate", json=body | {"metadata": {"tenantId": str(uuid.uuid4())}}), 403)
    assert_problem(member.request("POST", "/api/ai/generate", json=body | {"model": "gpt-imaginary"}), 422, pointers={"/model"})


def test_with_a_key_the_model_is_asked_and_paid_once(stack, member, topic):
    body, key = {"task": "summary", "input": topic}, {"Idempotency-Key": f"once-{topic.encode().hex()}"}
    first = member.request("POST", "/api/ai/generate", json=body, headers=key)
    assert first.status_code == 200 and first.json()["degraded"] is False, first.text
    rows, asked = len(ledger(stack, member, "generate")), len(attempts(stack, topic))
    assert asked == 1
    again = member.request("POST", "/api/ai/generate", json=body, headers=key)
    assert again.status_code == 200 and again.headers["Idempotent-Replayed"] == "true" and again.content == first.content
    assert_problem(member.request("POST", "/api/ai/generate", json=body | {"task": "copy"}, headers=key), 422)

    # As after a crash between agent-center's answer and the gateway's record of it: the operation is found there.
    with stack.administrator("gateway") as connection:
        opened = connection.execute(
            "UPDATE idempotency_keys SET state = 'open', response_body = NULL WHERE tenant_id = %s AND key = %s",
            (member.tenant, key["Idempotency-Key"])).rowcount
    assert opened == 1
    found = member.request("POST", "/api/ai/generate", json=body, headers=key)
    assert found.status_code == 200 and "Idempotent-Replayed" not in found.headers and found.json() == first.json()
    assert (len(ledger(stack, member, "generate")), len(attempts(stack, topic))) == (rows, asked)

    streamed = member.request("POST", "/api/ai/generate", json=body, headers=key | {"Accept": "text/event-stream"})
    assert assert_problem(streamed, 400, pointers={"Idempotency-Key"})["code"] == "idempotency.not_for_streams"
    assert len(attempts(stack, topic)) == asked


def test_a_restart_is_said_and_the_whole_text_follows(stack, member, topic, sandbox):
    sandbox("cut-mid-stream", count=1)
    answer = member.request(
        "POST", "/api/ai/generate", json={"task": "reply", "input": topic}, headers={"Accept": "text/event-stream"})
    names = [name for name, _ in events(answer)]
    # On a loaded machine a route may also be given up for its slowness.
    assert "restart" in names and names[-1] == "done"
    assert names[::-1].index("delta") < names[::-1].index("restart"), "text follows the last restart"


def test_over_openais_face_a_broken_stream_ends_with_the_error(stack, member, topic, sandbox):
    sandbox("cut-mid-stream")
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": topic}]}
    answer = member.request("POST", "/api/openai/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert "error" in events(answer)[-1][1] and b"[DONE]" not in answer.content


@pytest.mark.parametrize("path", ["/api/ai/generate", "/api/openai/v1/chat/completions"])
def test_a_client_that_leaves_is_felt_by_the_vendor_and_pays_for_what_was_written(stack, member, topic, sandbox, path):
    """The vendor's own log says that its client was gone before the text was whole. How soon: `make bench-models`, part (d)."""
    sandbox("slow-drip", tokenGapMs=200)
    step = "generate" if "generate" in path else "chat"
    before = len(ledger(stack, member, step))
    body = json.dumps(
        {"task": "copy", "input": topic} if step == "generate" else
        {"model": "auto", "stream": True, "messages": [{"role": "user", "content": topic * 40}]}).encode()
    gateway = urlsplit(stack.url("gateway-bff"))
    with socket.create_connection((gateway.hostname, gateway.port), timeout=30) as connection:
        head = (f"POST {path} HTTP/1.1\r\nHost: {gateway.netloc}\r\nAuthorization: Bearer {member.login['accessToken']}\r\n"
                f"Content-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n")
        connection.sendall(head.encode() + body)
        seen = b""
        while seen.count(b"data: ") < 3:
            piece = connection.recv(65536)
            assert piece, seen
            seen += piece
        left = time.time()
    (attempt,) = eventually(
        lambda: attempts(stack, topic), lambda found: len(found) == 1 and found[0]["outcome"] != "in-flight", "the vendor's log")
    assert attempt["clientClosedEarly"], attempt
    # It looks for the hang-up itself (POLLRDHUP) while it waits between two tokens. Both clocks are this machine's.
    milliseconds = attempt["arrivedAtMs"] + attempt["clientClosedAfterMs"] - left * 1000
    print(f"{path}: the vendor's connection was closed {milliseconds:.0f} ms after the client's")
    rows = eventually(lambda: ledger(stack, member, step), lambda rows: len(rows) == before + 1, "the ledger's row")
    cost, spent, tried = rows[0]
    assert cost == spent > 0 and [one["outcome"] for one in tried] == ["abandoned"]
    assert tried[0]["completionTokens"] > 0 and tried[0]["isEstimated"]
    assert stack.rows("agent", "SELECT count(*) FROM ai_reservations WHERE tenant_id = %s", (member.tenant,)) == [(0,)]


def test_the_tenants_own_banned_words_hold_for_the_unified_call(member, topic):
    """agent-center hears of them by event: no flow brings them along here."""
    body = {"task": "copy", "input": topic}

    def ask() -> dict:
        answer = member.request("POST", "/api/ai/generate", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_held(answer: dict) -> bool:
        return any((finding["word"], finding["category"]) == (word, "banned") for finding in answer.get("findings", []))

    word = ask()["output"][:4]
    path = f"/api/vocabulary/banned-words/{quote(word)}"
    assert not is_held(ask())
    assert member.request("PUT", path).status_code == 204
    assert word not in eventually(ask, is_held, "the word is found", 30)["output"]
    assert member.request("DELETE", path).status_code == 204
    eventually(ask, lambda answer: not is_held(answer), "the word is allowed again", 30)
