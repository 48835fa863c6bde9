"""Flows of one step as runs over the five real processes: titles, a text that is written anew, a video script. Shown while they go on,
cancelled, and paid for once whatever is killed meanwhile."""

import uuid
from dataclasses import dataclass, field

import pytest
import requests

from flow_runs import drafts, moves_of, paid, slow
from support import Member, eventually

FLOWS = ["TitleGeneration", "ContentRegeneration", "VideoScriptGeneration"]


@dataclass
class Order:
    path: str
    body: dict
    # As the run, the ledger and content-center name it.
    step: str
    ledger: str
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def topic(stack):
    yield f"通勤单车{uuid.uuid4().hex[:8]}"
    requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)


def order(member: Member, flow: str, topic: str) -> Order:
    if flow == "TitleGeneration":
        return Order("/api/titles", {"topic": topic, "count": 3}, "title_set", "titles")
    if flow == "VideoScriptGeneration":
        return Order("/api/video-scripts", {"topic": topic, "scriptType": "vlog", "durationSeconds": 30}, "video_script", "video_script")
    content = member.draft(topic=topic, count=3)["contentId"]
    return Order(f"/api/contents/{content}/regenerate", {"feedback": "再口语一点"}, "regenerate", "titles", {"If-Match": '"1"'})


def begin(member: Member, flow: str, order: Order) -> str:
    answer = member.request(
        "POST", order.path, json=order.body,
        headers=order.headers | {"Idempotency-Key": str(uuid.uuid4()), "Prefer": "respond-async"})
    assert answer.status_code == 202 and answer.headers["Preference-Applied"] == "respond-async", answer.text
    assert answer.json()["flow"] == flow
    assert answer.headers["Location"] == f"/api/runs/{answer.json()['runId']}"
    return answer.json()["runId"]


def under_way(stack, topic: str) -> None:
    """The vendor is at it."""
    eventually(
        lambda: requests.get(stack.url("sandbox", "/__control/log"), params={"contains": topic}, timeout=5).json()["attempts"],
        lambda attempts: any(attempt["outcome"] == "in-flight" for attempt in attempts), "the model's call", seconds=60)


def end_of(member: Member, run: str) -> dict:
    return eventually(lambda: member.request("GET", f"/api/runs/{run}").json(),
                      lambda run: run["state"] not in ("queued", "running"), "the run's end", seconds=120)


@pytest.mark.parametrize("flow", FLOWS)
def test_its_moves_are_told_and_it_shows_what_it_made(stack, member, topic, flow):
    asked = order(member, flow, topic)
    run = begin(member, flow, asked)
    told = [move["data"] for move in moves_of(member, run)]
    assert {move["flow"] for move in told} == {flow}
    assert [(move["state"], move["progress"]) for move in told] == [("queued", 0), ("running", 0), ("running", 100), ("succeeded", 100)]
    assert [move["step"] for move in told if "step" in move] == [
        {"name": asked.step, "state": "running"},
        {"name": asked.step, "state": "succeeded", "contentId": told[2]["step"]["contentId"]}]
    (content,) = end_of(member, run)["contentIds"]
    assert content == told[2]["step"]["contentId"]
    shown = member.request("GET", f"/api/contents/{content}").json()
    assert shown["version"] == (2 if flow == "ContentRegeneration" else 1) and shown["body"]["topic"] == topic
    assert paid(stack, run) == [asked.ledger] and drafts(stack, run) == [asked.step]


@pytest.mark.parametrize("flow", FLOWS)
def test_it_is_cancelled_amid_its_writing_and_nothing_is_kept(stack, member, topic, flow):
    asked = order(member, flow, topic)
    slow(stack, topic, 15_000)
    run = begin(member, flow, asked)
    under_way(stack, topic)
    assert member.request("POST", f"/api/runs/{run}/cancel").json()["cancelRequested"] is True
    ended = end_of(member, run)
    assert ended["state"] == "canceled" and [step["state"] for step in ended["steps"]] == ["canceled"]
    assert moves_of(member, run)[-1]["data"]["state"] == "canceled"
    assert ended["contentIds"] == drafts(stack, run) == []


@pytest.mark.parametrize("victim", ["orchestration-service", "agent-center"])
@pytest.mark.parametrize("flow", FLOWS)
def test_killed_amid_its_writing_it_goes_on_and_is_paid_once(stack, member, topic, flow, victim):
    asked = order(member, flow, topic)
    slow(stack, topic, 3_000)
    run = begin(member, flow, asked)
    under_way(stack, topic)
    stack.restart(victim)
    ended = end_of(member, run)
    assert ended["state"] == "succeeded" and len(ended["contentIds"]) == 1, ended
    assert paid(stack, run) == [asked.ledger] and drafts(stack, run) == [asked.step]
