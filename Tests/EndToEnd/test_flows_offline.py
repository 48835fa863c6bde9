"""The four writing flows over the five real processes while no vendor can be reached: usable texts from the template libraries, said to be
that, for nothing."""

import uuid

import pytest
import requests

PLATFORMS = ["douyin", "xiaohongshu", "zhihu"]


@pytest.fixture
def topic(stack):
    """Every call about this topic to a text model breaks off before a byte of an answer. The image service makes nothing either: it refuses
    our key, since a picture whose call breaks off may have been made, and counts as paid."""
    topic = f"露营灯{uuid.uuid4().hex[:8]}"
    # The first that applies counts, and a picture's prompt may name the topic.
    for rule in ({"profile": "openai", "fault": "unauthorized", "path": "/openai/v1/images/generations"},
                 {"profile": "any", "fault": "reset-before-headers", "match": topic}):
        requests.post(stack.url("sandbox", "/__control/config"), json=rule, timeout=5).raise_for_status()
    yield topic
    requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)
    # They forget what they learned about the vendors.
    stack.restart("agent-center")
    stack.restart("orchestration-service")


def made(member, path: str, **body) -> tuple[dict, str]:
    """The answer and its operation."""
    key = str(uuid.uuid4())
    answer = member.request("POST", path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return answer.json(), key


def assert_free(stack, key: str, steps: set[str]) -> None:
    """The ledger names the template for each step and charges nothing; nothing is held any more."""
    rows = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))
    ledger = stack.rows(
        "agent", "SELECT step, provider, degraded, cost_nano, calls FROM ai_usage_ledger WHERE operation_id = %s", rows[0])
    assert {row[0] for row in ledger} == steps
    assert {row[1:] for row in ledger} == {("template", True, 0, 0)}
    assert stack.rows("agent", "SELECT count(*) FROM ai_reservations WHERE operation_id = %s", rows[0]) == [(0,)]


def assert_template(answer: dict) -> None:
    assert (answer["provider"], answer["degraded"]) == ("template", True) and answer["degradedReason"]
    assert answer["usage"]["costNano"] == "0"


def test_titles(stack, member, topic):
    answer, key = made(member, "/api/titles", topic=topic, count=5)
    assert_template(answer)
    assert len({candidate["title"] for candidate in answer["candidates"]}) == 5
    assert_free(stack, key, {"titles"})


def test_copies(stack, member, topic):
    answer, key = made(member, "/api/copies", topic=topic, platforms=PLATFORMS)
    assert [item["platform"] for item in answer["items"]] == PLATFORMS
    for item in answer["items"]:
        assert item["status"] == "succeeded"
        assert_template(item)
        content = member.request("GET", f"/api/contents/{item['contentId']}").json()
        assert content["source"]["kind"] == "template" and topic in content["body"]["text"]
    assert len({item["copy"]["text"] for item in answer["items"]}) == len(PLATFORMS)
    assert_free(stack, key, {f"copy:{platform}" for platform in PLATFORMS})


def test_image_texts_keep_the_prompts_of_their_pictures(stack, member, topic):
    answer, key = made(member, "/api/image-texts", topic=topic, slots=2)
    assert_template(answer)
    content = member.request("GET", f"/api/contents/{answer['contentId']}").json()
    assert content["completeness"] == "draft" and content["source"]["kind"] == "template"
    slots = content["body"]["slots"]
    assert len(slots) == 2 and all(slot["prompt"] and slot["caption"] and slot.get("assetId") is None for slot in slots)
    # What was held for the pictures is given back: nobody could make them.
    assert all(slot["problem"] for slot in slots)
    assert_free(stack, key, {"image_text"})


@pytest.mark.parametrize("kind", ["product", "live_teaser"])
def test_video_scripts(stack, member, topic, kind):
    answer, key = made(member, "/api/video-scripts", topic=topic, scriptType=kind, durationSeconds=60)
    assert_template(answer)
    assert abs(answer["script"]["totalSeconds"] - 60) <= 6
    assert all(len(scene["line"]) <= 5 * scene["durationSeconds"] for scene in answer["script"]["scenes"])
    assert_free(stack, key, {"video_script"})
