"""Flow CopyGeneration over the five real processes: one brief, a draft per platform, shown while it goes on, paid for once whatever is
killed meanwhile."""

import threading
import uuid

import pytest
import requests

from flow_runs import drafts, moves_of, operation_of, paid, slow
from openai_clients import make_key
from support import Member, assert_problem, eventually

ALL = ["douyin", "xiaohongshu", "wechat_channels", "kuaishou", "bilibili", "weibo", "wechat_official", "zhihu"]


@pytest.fixture
def topic() -> str:
    return f"通勤咖啡{uuid.uuid4().hex[:8]}"


def copies(member: Member, topic: str, platforms: list[str], key: str | None = None, **headers) -> requests.Response:
    return member.request(
        "POST", "/api/copies", json={"topic": topic, "platforms": platforms, "keywords": ["咖啡"]},
        headers={"Idempotency-Key": key or str(uuid.uuid4()), **headers})


def test_a_brief_becomes_a_draft_per_platform(stack, member, topic):
    key = str(uuid.uuid4())
    answer = copies(member, topic, ALL, key)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert [item["platform"] for item in body["items"]] == ALL
    assert {item["status"] for item in body["items"]} == {"succeeded"}
    for item in body["items"]:
        assert item["copy"]["text"] and "provider" in item and item["version"] == 1
        content = member.request("GET", f"/api/contents/{item['contentId']}").json()
        assert (content["kind"], content["status"], content["groupId"]) == ("copy", "draft", body["groupId"])
        assert content["body"]["platform"] == item["platform"] and content["body"]["text"] == item["copy"]["text"]
    assert answer.headers["Location"] == f"/api/contents?groupId={body['groupId']}"
    listed = member.request("GET", answer.headers["Location"], params={"limit": 100}).json()["items"]
    assert {content["id"] for content in listed} == {item["contentId"] for item in body["items"]}
    assert paid(stack, body["groupId"]) == sorted(f"copy:{platform}" for platform in ALL)

    again = copies(member, topic, ALL, key)
    assert again.content == answer.content and again.headers["Idempotent-Replayed"] == "true"


def test_each_step_is_seen_on_the_stream_and_in_the_run(member, topic):
    answer = copies(member, topic, ["weibo", "douyin"], Prefer="respond-async")
    assert answer.status_code == 202 and answer.headers["Preference-Applied"] == "respond-async"
    run = answer.json()["runId"]
    assert answer.headers["Location"] == f"/api/runs/{run}"
    moves = moves_of(member, run)
    assert [move["version"] for move in moves] == list(range(1, 7))
    assert moves[-1]["data"]["state"] == "succeeded" and moves[-1]["data"]["progress"] == 100
    steps = [(move["data"]["step"]["name"], move["data"]["step"]["state"]) for move in moves if "step" in move["data"]]
    assert sorted(steps) == sorted((f"copy:{name}", state) for name in ("weibo", "douyin") for state in ("running", "succeeded"))
    shown = member.request("GET", f"/api/runs/{run}").json()
    assert shown["state"] == "succeeded" and len(shown["contentIds"]) == 2
    assert run in {item["id"] for item in member.request("GET", "/api/runs").json()["items"]}


def test_a_run_is_nobody_elses(member, stranger, topic):
    run = copies(member, topic, ["weibo"]).json()["groupId"]
    assert_problem(stranger.request("GET", f"/api/runs/{run}"), 404, "run.not_found")
    assert_problem(stranger.request("POST", f"/api/runs/{run}/cancel"), 404, "run.not_found")
    assert run not in {item["id"] for item in stranger.request("GET", "/api/runs", params={"limit": 100}).json()["items"]}


def test_a_cancelled_run_keeps_what_is_done(stack, member, topic):
    slow(stack, topic, 3000)
    accepted = copies(member, topic, ALL, Prefer="respond-async")
    path = accepted.headers["Location"]
    eventually(lambda: member.request("GET", path).json()["steps"],
               lambda steps: any(step["state"] == "running" for step in steps), "a step under way")
    assert member.request("POST", f"{path}/cancel").status_code == 200
    run = eventually(lambda: member.request("GET", path).json(), lambda run: run["state"] == "canceled", "the end of the run")
    assert run["progress"] == 100 and all(step["state"] in ("succeeded", "canceled") for step in run["steps"])
    # Steps that had not begun never reach the model.
    assert len(paid(stack, run["id"])) < len(ALL) and len(drafts(stack, run["id"])) == len(run["contentIds"])


def test_a_set_of_which_a_platform_failed_is_retried_for_that_one(stack, member, topic):
    budget = member.request("POST", "/api/ai/budgets", json={
        "name": "微博暂停", "scope": "scene", "subject": "weibo-copy-zh", "period": "day", "zone": "Asia/Shanghai", "limitCalls": 0})
    assert budget.status_code == 201, budget.text
    try:
        made = copies(member, topic, ["douyin", "weibo", "zhihu"]).json()
    finally:
        gone = member.request("DELETE", f"/api/ai/budgets/{budget.json()['id']}", headers={"If-Match": budget.headers["ETag"]})
        assert gone.status_code == 204, gone.text
    assert [item["status"] for item in made["items"]] == ["succeeded", "failed", "succeeded"]
    assert made["items"][1]["problem"]["code"] == "budget.exhausted"
    run = f"/api/runs/{made['groupId']}"

    def retry(*scopes: str) -> requests.Response:
        bearer = f"Bearer {make_key(member, *scopes)['key']}"
        return requests.post(stack.url("gateway-bff", f"{run}/retry"), timeout=40,
                             headers={"Authorization": bearer, "Idempotency-Key": str(uuid.uuid4())})

    # Who may stop runs may not have money spent, as whoever may begin one.
    before = member.request("GET", run).json()
    assert_problem(retry("runs:cancel"), 403, "auth.permission_missing")
    assert member.request("GET", run).json() == before and len(paid(stack, made["groupId"])) == 2
    retried = retry("runs:cancel", "copies:generate", "contents:write")
    assert retried.status_code == 202, retried.text
    now = eventually(lambda: member.request("GET", run).json(),
                     lambda run: run["state"] == "succeeded" and all(step["state"] == "succeeded" for step in run["steps"]),
                     "all platforms have their copies", seconds=60)
    kept = {item["contentId"] for item in made["items"] if item["status"] == "succeeded"}
    assert kept < set(now["contentIds"]) and len(now["contentIds"]) == 3
    for steps in (paid, drafts):
        assert len(steps(stack, made["groupId"])) == 3
    assert_problem(member.request("POST", f"{run}/retry"), 409, "run.not_retryable")


@pytest.mark.parametrize("victim", ["orchestration-service", "agent-center"])
def test_a_set_that_is_killed_half_way_goes_on_and_is_paid_once(stack, member, topic, victim):
    slow(stack, topic, 1500)
    key, answers = str(uuid.uuid4()), []

    def ask() -> None:
        while True:
            answer = copies(member, topic, ALL, key)
            answers.append(answer)
            # What a client does: come again while the answer says that this may help.
            if answer.status_code not in (409, 500, 502, 503, 504):
                return

    client = threading.Thread(target=ask)
    client.start()
    operation = operation_of(stack, key)
    eventually(lambda: len(drafts(stack, operation)), lambda count: count >= 1, "the first draft")
    assert len(drafts(stack, operation)) < len(ALL)
    stack.restart(victim)
    client.join(120)
    assert not client.is_alive()
    run = eventually(lambda: member.request("GET", f"/api/runs/{operation}").json(), lambda run: run["state"] == "succeeded",
                     "the run's end", seconds=60)
    assert answers[-1].status_code in (201, 202), answers[-1].text
    assert {step["state"] for step in run["steps"]} == {"succeeded"}
    assert paid(stack, operation) == sorted(f"copy:{platform}" for platform in ALL)
    assert drafts(stack, operation) == sorted(f"copy.{platform}" for platform in ALL)


def test_a_run_without_a_client_is_taken_up_again(stack, member, topic):
    slow(stack, topic, 1500)
    accepted = copies(member, topic, ALL, Prefer="respond-async")
    run = accepted.json()["runId"]
    eventually(lambda: len(drafts(stack, run)), lambda count: count >= 1, "the first draft")
    stack.restart("orchestration-service")
    eventually(lambda: member.request("GET", f"/api/runs/{run}").json()["state"], lambda state: state == "succeeded",
               "the run's end", seconds=60)
    assert paid(stack, run) == sorted(f"copy:{platform}" for platform in ALL)
    assert drafts(stack, run) == sorted(f"copy.{platform}" for platform in ALL)


@pytest.mark.parametrize("body, pointers", [
    ({}, {"/topic", "/platforms"}),
    ({"topic": "", "platforms": []}, {"/topic", "/platforms"}),
    ({"topic": "a", "platforms": ["weibo", "tiktok", "weibo"]}, {"/platforms/1", "/platforms/2"}),
    ({"topic": "a", "platforms": ["weibo"], "model": "no-such-model"}, {"/model"}),
    ({"topic": "a", "platforms": ["weibo"], "tone": 5, "colour": 1}, {"/tone", "/colour"}),
])
def test_bad_input_is_told_field_by_field(member, body, pointers):
    assert_problem(member.request("POST", "/api/copies", json=body), 422, pointers=pointers)


def test_banned_words_of_the_tenant_hold_for_copies(member, topic):
    try:
        kept = [f"绝不出现{number}" for number in range(2000)]
        assert member.request("PUT", "/api/vocabulary/banned-words", json={"words": kept}).json() == {"count": 2000}
        assert copies(member, topic, ["weibo"]).status_code == 201
        assert member.titles(topic, count=2).status_code == 201
    finally:
        member.request("PUT", "/api/vocabulary/banned-words", json={"words": []})


def test_an_editor_has_each_kind_written_again(stack, member, topic):
    title_set = member.draft(topic=topic, count=3)["contentId"]
    copy = copies(member, topic, ["weibo"]).json()["items"][0]["contentId"]
    for content in (title_set, copy):
        path, key = f"/api/contents/{content}", str(uuid.uuid4())
        before = member.request("GET", path).json()
        options = {"json": {"feedback": "再口语一点"}, "headers": {"If-Match": '"1"', "Idempotency-Key": key}}
        answer = member.request("POST", f"{path}/regenerate", **options)
        assert answer.status_code == 200 and answer.headers["ETag"] == '"2"', answer.text
        after = answer.json()
        assert (after["version"], after["kind"], after["title"]) == (2, before["kind"], before["title"])
        assert after["source"]["kind"] == "model"
        assert len(paid(stack, operation_of(stack, key))) == 1
        assert_problem(member.request("POST", f"{path}/regenerate", json={"feedback": "a"}, headers={"If-Match": '"1"'}), 412)
        # Whoever names no version means the newest.
        answer = member.request("POST", f"{path}/regenerate", json={"feedback": "再短一点"})
        assert answer.status_code == 200 and answer.headers["ETag"] == '"3"', answer.text
        assert [version["version"] for version in member.request("GET", f"{path}/versions").json()["items"]] == [3, 2, 1]
