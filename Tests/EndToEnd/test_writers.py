"""agent-center's writers with a model over HTTP: what the model slips in is mended, what it wrote is billed once."""

import uuid

import pytest

from provocations.writers import BRIEF, RULES

PLATFORMS = ["douyin", "xiaohongshu", "wechat_channels", "kuaishou", "bilibili", "weibo", "wechat_official", "zhihu"]


def write(stack, tenant: str, path: str, body: dict, operation: str | None = None) -> dict:
    answer = stack.inner("orchestration-service", "agent-center", "POST", path, tenant, json=BRIEF | body,
                         headers={"X-Operation-Id": operation or str(uuid.uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ledger(stack, operation: str) -> list[tuple]:
    return stack.rows("agent", "SELECT step, provider, cost_nano, checks IS NOT NULL FROM ai_usage_ledger WHERE operation_id = %s", (operation,))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_model_writes_copy_for_each_platform(stack, member, platform):
    operation = str(uuid.uuid4())
    first = write(stack, member.tenant, "/v1/copies", {"platform": platform}, operation)
    assert not first["degraded"], first["degradedReason"]
    assert RULES["minLength"] <= len(first["copy"]["text"]) <= RULES["maxLength"]
    assert write(stack, member.tenant, "/v1/copies", {"platform": platform}, operation) == first
    ((step, provider, cost, has_checks),) = ledger(stack, operation)
    assert (step, provider, cost, has_checks) == (f"copy:{platform}", first["provider"], int(first["usage"]["costNano"]), True)


def test_what_no_substitute_helps_is_written_anew(stack, member):
    """A model is told of the first 200 banned words; the text is held against all of them."""
    topic = f"防晒{uuid.uuid4().hex[:6]}"
    answer = write(stack, member.tenant, "/v1/copies", {"topic": topic, "bannedWords": [f"禁词{n}号" for n in range(199)] + ["先", "照着做"]})
    assert not answer["degraded"], answer["degradedReason"]
    assert {"rewritten"} == {finding["action"] for finding in answer["findings"] if finding["category"] == "banned"}


@pytest.mark.parametrize("slots", [1, 9])
def test_a_model_writes_image_texts(stack, member, slots):
    answer = write(stack, member.tenant, "/v1/image-texts", {"slots": slots})
    assert not answer["degraded"], answer["degradedReason"]
    assert len(answer["imageText"]["slots"]) == slots


@pytest.mark.parametrize("kind", ["product", "story", "tutorial", "review", "vlog", "live_teaser"])
@pytest.mark.parametrize("seconds", [15, 60, 300, 900])
def test_a_model_writes_scripts_of_every_length(stack, member, kind, seconds):
    answer = write(stack, member.tenant, "/v1/video-scripts", {"scriptType": kind, "durationSeconds": seconds})
    assert not answer["degraded"], answer["degradedReason"]
    scenes = answer["script"]["scenes"]
    assert [scene["index"] for scene in scenes] == list(range(1, len(scenes) + 1))
    assert [scene["startSecond"] for scene in scenes] == [sum(s["durationSeconds"] for s in scenes[:n]) for n in range(len(scenes))]
    assert sum(scene["durationSeconds"] for scene in scenes) == answer["script"]["totalSeconds"]
    assert abs(answer["script"]["totalSeconds"] - seconds) <= seconds / 10
