"""Image-texts and video scripts through the five processes: texts with pictures, what a failing image service leaves, and one payment
per picture whatever dies in between."""

import threading
import time
import uuid

import pytest
import requests

from support import assert_problem, eventually, stream_events

IMAGES = "/openai/v1/images/generations"


@pytest.fixture
def topic() -> str:
    """Faults are set for one topic only, so that tests do not meet. Prompts hold the topic's first word."""
    return f"猫砂盆{uuid.uuid4().hex[:6]}"


@pytest.fixture
def fault(stack, topic):
    """A fault of the image service alone; its own text model stays well. The circuit breaker is forgotten afterwards."""
    def set_fault(name: str, match: str | None = None, path: str = IMAGES, **parameters) -> None:
        rule = {"profile": "openai", "fault": name, "path": path, **parameters}
        if path == IMAGES:
            rule["match"] = match or topic
        answer = requests.post(stack.url("sandbox", "/__control/config"), json=rule, timeout=5)
        assert answer.status_code == 200, answer.text

    yield set_fault
    requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)
    stack.restart("orchestration-service")


def image_calls(stack, topic: str) -> list[dict]:
    log = requests.get(stack.url("sandbox", "/__control/log"), params={"contains": topic}, timeout=5).json()["attempts"]
    return [attempt for attempt in log if attempt["path"] == IMAGES]


def create(member, topic: str, slots: int = 3, key: str | None = None, **fields) -> requests.Response:
    return member.request(
        "POST", "/api/image-texts", json={"topic": topic, "slots": slots, **fields},
        headers={"Idempotency-Key": key or str(uuid.uuid4())})


def outcome(member, answer: requests.Response) -> dict:
    """The answer's body, or that of the content when the run outlived the request."""
    if answer.status_code == 202:
        run = finished(member, answer.json()["runId"])
        assert run["state"] == "succeeded", run
        return member.request("GET", f"/api/contents/{run['contentIds'][0]}").json() | {"runId": run["id"]}
    assert answer.status_code == 201, answer.text
    return answer.json()


def finished(member, run_id: str) -> dict:
    return eventually(
        lambda: member.request("GET", f"/api/runs/{run_id}").json(), lambda run: run["state"] not in ("queued", "running"),
        "the run's end", seconds=120)


def ledger(stack, run_id: str) -> list[str]:
    return sorted(step for (step,) in stack.rows("agent", "SELECT step FROM ai_usage_ledger WHERE operation_id = %s", (run_id,)))


def open_holds(stack, run_id: str) -> int:
    return stack.rows("agent", "SELECT count(*) FROM ai_reservations WHERE operation_id = %s", (run_id,))[0][0]


def test_text_and_pictures_make_a_finished_content(stack, member, topic):
    key = str(uuid.uuid4())
    made = outcome(member, create(member, topic, key=key))
    assert made["completeness"] == "finished" and made["status"] == "draft"
    slots = made["body"]["slots"]
    assert len(slots) == 3 and len({slot["assetId"] for slot in slots}) == 3
    for slot in slots:
        picture = member.request("GET", f"/api/assets/{slot['assetId']}/content")
        assert picture.headers["Content-Type"] == "image/png" and picture.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(image_calls(stack, topic)) == 3
    assert ledger(stack, made["runId"]) == ["image:1", "image:2", "image:3", "image_text"]
    assert open_holds(stack, made["runId"]) == 0
    listed = member.request("GET", "/api/contents", params={"kind": "image_text", "completeness": "finished"}).json()["items"]
    assert made["contentId"] in {item["id"] for item in listed}
    document = member.request("GET", f"/api/contents/{made['contentId']}/export").text
    assert f"/api/assets/{slots[0]['assetId']}/content" in document
    # The repeat is the same answer, and pays for nothing.
    again = create(member, topic, key=key)
    assert outcome(member, again)["contentId"] == made["contentId"]
    assert len(image_calls(stack, topic)) == 3


def test_progress_is_on_the_stream(stack, member, topic):
    made = outcome(member, create(member, topic, slots=1))
    seen = []
    for event in stream_events(member, last_event_id=0):
        if event.type == "run.progressed.v1" and event.data["data"]["runId"] == made["runId"]:
            step = event.data["data"].get("step")
            seen.append((event.data["data"]["state"], step and f"{step['name']} {step['state']}"))
            if event.data["data"]["state"] == "succeeded":
                break
    assert seen == [
        ("queued", None), ("running", "image_text running"), ("running", "image_text succeeded"), ("running", "image:1 running"),
        ("running", "image:1 succeeded"), ("running", "pictures running"), ("running", "pictures succeeded"), ("succeeded", None),
    ]


@pytest.mark.parametrize(("name", "parameters", "problem", "calls", "paid"), [
    ("content-policy", {}, "画面提示词未通过图片服务的内容审核，请修改后再试", 1, False),
    ("unauthorized", {}, "图片服务的密钥、余额或模型设置有误，请联系管理员", 1, False),
    ("bad-request", {}, "图片服务不接受该请求", 1, False),
    ("bad-gateway-html", {}, "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图", 1, True),
    ("cut-mid-stream", {}, "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图", 1, True),
    ("never-answer", {}, "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图", 1, True),
    ("picture-wrong-bytes", {}, "图片服务返回的内容不是可用的图片", 1, True),
    ("picture-gone", {}, "图片服务返回的内容不是可用的图片", 1, True),
    ("picture-huge", {}, "图片服务返回的内容不是可用的图片", 1, True),
    ("picture-missing", {}, "图片服务返回的内容不是可用的图片", 1, True),
    ("picture-elsewhere", {"url": "http://169.254.169.254/latest/meta-data/"}, "图片服务返回的内容不是可用的图片", 1, True),
    ("picture-redirect", {}, "图片服务返回的内容不是可用的图片", 1, True),
])
def test_a_picture_that_fails_leaves_its_prompt(stack, member, topic, fault, name, parameters, problem, calls, paid):
    fault(name, match="picture 2 of 3", **parameters)
    made = outcome(member, create(member, topic))
    assert made["completeness"] == "draft"
    slots = made["body"]["slots"]
    assert [("assetId" in slot, slot.get("problem")) for slot in slots] == [(True, None), (False, problem), (True, None)]
    assert len([call for call in image_calls(stack, topic) if "picture 2 of 3" in call["body"]]) == calls
    assert ("image:2" in ledger(stack, made["runId"])) is paid
    assert open_holds(stack, made["runId"]) == 0


@pytest.mark.parametrize("name", ["rate-limit-seconds", "server-error", "overloaded"])
def test_a_busy_image_service_is_asked_again(stack, member, topic, fault, name):
    fault(name, match="picture 1 of 1", count=2)
    made = outcome(member, create(member, topic, slots=1))
    assert made["completeness"] == "finished"
    assert len(image_calls(stack, topic)) == 3
    assert ledger(stack, made["runId"]) == ["image:1", "image_text"]


def test_a_person_has_the_missing_picture_made(stack, member, topic, fault):
    fault("bad-gateway-html", match="picture 2 of 2", count=1)
    made = outcome(member, create(member, topic, slots=2))
    assert "problem" in made["body"]["slots"][1]
    answer = member.request("POST", f"/api/contents/{made['contentId']}/pictures", json={"slots": [2]})
    assert answer.status_code == 200, answer.text
    completed = answer.json()
    assert completed["completeness"] == "finished" and "problem" not in completed["body"]["slots"][1]
    assert len(image_calls(stack, topic)) == 3
    assert ledger(stack, completed["runId"]) == ["image:2"]


def test_a_run_is_retried_and_asks_for_the_missing_picture_only(stack, member, stranger, topic, fault):
    fault("content-policy", match="picture 2 of 3", count=1)
    made = outcome(member, create(member, topic))
    path, content = f"/api/runs/{made['runId']}", f"/api/contents/{made['contentId']}"
    first = member.request("GET", content).json()
    assert ["assetId" in slot for slot in first["body"]["slots"]] == [True, False, True]
    assert_problem(stranger.request("POST", f"{path}/retry"), 404, "run.not_found")

    key = {"Idempotency-Key": str(uuid.uuid4())}
    retried = member.request("POST", f"{path}/retry", headers=key)
    assert retried.status_code == 202 and retried.headers["Location"] == path, retried.text
    run = finished(member, made["runId"])
    assert run["state"] == "succeeded" and {step["state"] for step in run["steps"]} == {"succeeded"}
    now = member.request("GET", content).json()
    assert now["completeness"] == "finished" and now["id"] == first["id"] and now["version"] == first["version"] + 1
    # What was there stays; one picture was asked for again, and each was paid for once.
    for before, after in zip(first["body"]["slots"], now["body"]["slots"]):
        assert before.get("assetId") in (None, after["assetId"]) and "problem" not in after
    assert sorted(len([call for call in image_calls(stack, topic) if f"picture {number} of 3" in call["body"]])
                  for number in (1, 2, 3)) == [1, 1, 2]
    assert ledger(stack, made["runId"]) == ["image:1", "image:2", "image:3", "image_text"]
    assert open_holds(stack, made["runId"]) == 0

    assert member.request("POST", f"{path}/retry", headers=key).headers["Idempotent-Replayed"] == "true"
    assert_problem(member.request("POST", f"{path}/retry"), 409, "run.not_retryable")


def test_killed_half_way_it_goes_on_and_pays_once(stack, member, topic, fault):
    """kill -9 while picture 2 of 5 is being made: everything else is there, and no picture is asked for twice."""
    fault("never-answer", match="picture 2 of 5")
    operation = start_async(member, topic, slots=5)
    eventually(lambda: attempts(stack, operation), lambda states: states == ["kept", "calling", "kept", "kept", "kept"],
               "all pictures but the second are made")
    stack.restart("orchestration-service")
    run = finished(member, operation)
    assert run["state"] == "succeeded"
    content = member.request("GET", f"/api/contents/{run['contentIds'][0]}").json()
    slots = content["body"]["slots"]
    prompts = [call["body"] for call in image_calls(stack, topic)]
    assert len(prompts) == len(set(prompts)) == 5, "each picture was asked for once"
    # What was under way when the process died is not known to have been made; it counts, and a person decides.
    assert "assetId" not in slots[1] and slots[1]["problem"].startswith("图片服务没有给出完整答复")
    assert sum("assetId" in slot for slot in slots) == 4
    assert ledger(stack, operation) == ["image:1", "image:2", "image:3", "image:4", "image:5", "image_text"]
    assert open_holds(stack, operation) == 0
    texts = stack.rows("agent", "SELECT count(*) FROM ai_usage_ledger WHERE operation_id = %s AND step = 'image_text'", (operation,))
    assert texts == [(1,)]


def attempts(stack, run_id: str) -> list[str]:
    return [state for (state,) in stack.rows(
        "orchestration", "SELECT state FROM picture_attempts WHERE run_id = %s ORDER BY number", (run_id,))]


def test_killed_at_any_moment_it_never_pays_twice(stack, member):
    """The moments that the test above does not hold still: between hold and call, answer and asset, asset and version."""
    for delay in (0.0, 0.05, 0.1, 0.2, 0.4):
        word = f"猫砂盆{uuid.uuid4().hex[:6]}"
        operation = start_async(member, word, slots=4)
        time.sleep(delay)
        stack.restart("orchestration-service")
        run = finished(member, operation)
        assert run["state"] == "succeeded"
        prompts = [call["body"] for call in image_calls(stack, word)]
        assert len(prompts) == len(set(prompts)), "a picture was asked for twice"
        content = member.request("GET", f"/api/contents/{run['contentIds'][0]}").json()
        for slot in content["body"]["slots"]:
            assert "assetId" in slot or slot["problem"].startswith("图片服务没有给出完整答复")
        assert ledger(stack, operation) == ["image:1", "image:2", "image:3", "image:4", "image_text"]
        assert open_holds(stack, operation) == 0


def start_async(member, topic: str, **fields) -> str:
    answer = member.request(
        "POST", "/api/image-texts", json={"topic": topic, **fields},
        headers={"Idempotency-Key": str(uuid.uuid4()), "Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Location"] == f"/api/runs/{answer.json()['runId']}"
    return answer.json()["runId"]


def test_cancelled_between_pictures_it_keeps_what_is_there(stack, member, topic, fault):
    fault("none", match=" of 9", latencyMs=2_500)
    run_id = start_async(member, topic, slots=9)
    eventually(lambda: len(image_calls(stack, topic)) >= 4, bool, "some pictures are made")
    assert member.request("POST", f"/api/runs/{run_id}/cancel").status_code == 200
    run = finished(member, run_id)
    assert run["state"] == "canceled"
    [content_id] = run["contentIds"]
    content = eventually(
        lambda: member.request("GET", f"/api/contents/{content_id}").json(),
        lambda content: any("assetId" in slot for slot in content["body"]["slots"]), "the pictures that were made are linked")
    made = sum("assetId" in slot for slot in content["body"]["slots"])
    assert 1 <= made < 9 and content["completeness"] == "draft"
    calls = len(image_calls(stack, topic))
    time.sleep(2)
    assert len(image_calls(stack, topic)) == calls, "nobody goes on"
    eventually(lambda: open_holds(stack, run_id), lambda held: held == 0, "every hold has ended")


@pytest.mark.parametrize("seconds", [10, 45, 300])
def test_a_script_is_as_long_as_asked_and_has_its_files(stack, member, topic, seconds):
    answer = member.request(
        "POST", "/api/video-scripts", json={"topic": topic, "scriptType": "tutorial", "durationSeconds": seconds})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    script = made["script"]
    assert abs(script["totalSeconds"] - seconds) * 10 <= seconds
    assert sum(scene["durationSeconds"] for scene in script["scenes"]) == script["totalSeconds"]
    starts = [scene["startSecond"] for scene in script["scenes"]]
    assert starts == [sum(scene["durationSeconds"] for scene in script["scenes"][:index]) for index in range(len(starts))]
    for scene in script["scenes"]:
        assert len(scene["line"]) <= 5 * scene["durationSeconds"]
    path = f"/api/contents/{made['contentId']}/export"
    table = member.request("GET", path, params={"format": "csv"})
    assert table.content.startswith(b"\xef\xbb\xbf") and table.text.count("\r\n") == len(script["scenes"]) + 1
    subtitles = member.request("GET", path, params={"format": "srt"})
    assert subtitles.headers["Content-Type"].startswith("application/x-subrip")
    assert subtitles.text.startswith("1\r\n00:00:0")
    assert "| 1 | 0:00–" in member.request("GET", path).text
    assert ledger(stack, made["runId"]) == ["video_script"]


@pytest.mark.parametrize(("path", "body", "pointers"), [
    ("/api/image-texts", {}, {"/topic"}),
    ("/api/image-texts", {"topic": "猫", "slots": 0}, {"/slots"}),
    ("/api/image-texts", {"topic": "猫", "slots": 10, "imageShape": "round", "imageStyle": ""}, {"/slots", "/imageShape", "/imageStyle"}),
    ("/api/image-texts", {"topic": "猫", "platform": "myspace", "sellingPoints": ["a"] * 11}, {"/platform", "/sellingPoints"}),
    ("/api/image-texts", {"topic": "猫", "colour": "red"}, {"/colour"}),
    ("/api/video-scripts", {"topic": "猫"}, {"/scriptType", "/durationSeconds"}),
    ("/api/video-scripts", {"topic": "猫", "scriptType": "opera", "durationSeconds": 9}, {"/scriptType", "/durationSeconds"}),
    ("/api/video-scripts", {"topic": "猫", "scriptType": "vlog", "durationSeconds": 901}, {"/durationSeconds"}),
    ("/api/video-scripts", {"topic": "", "scriptType": "vlog", "durationSeconds": "30", "tone": 5}, {"/topic", "/durationSeconds", "/tone"}),
])
def test_bad_input_points_at_each_field(member, path, body, pointers):
    assert_problem(member.request("POST", path, json=body), 422, "request.invalid", pointers)


def test_other_tenants_see_nothing(member, stranger, topic):
    made = outcome(member, create(member, topic, slots=1))
    for path in (f"/api/contents/{made['contentId']}", f"/api/contents/{made['contentId']}/export",
                 f"/api/assets/{made['body']['slots'][0]['assetId']}/content", f"/api/runs/{made['runId']}"):
        assert_problem(stranger.request("GET", path), 404)


def test_a_double_click_is_one_run(stack, member, topic):
    key = str(uuid.uuid4())
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(create(member, topic, slots=2, key=key))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert len(image_calls(stack, topic)) == 2
