"""Prompts and experiments as a tenant works with them: over the gateway, with a model's answer at the other end."""

import uuid

import pytest
import requests

from support import assert_problem

SHIPPED = "你是短视频平台的资深标题编辑，为营销团队写中文标题。"


@pytest.fixture
def own_version(member) -> int:
    """A version of the title prompt that is the tenant's own; `production` is back where it was afterwards."""
    text = member.request("GET", "/api/prompts/title/versions/0").json()["text"]
    assert SHIPPED in text
    added = member.request("POST", "/api/prompts/title/versions", json={"text": text.replace(SHIPPED, "你是本店的标题编辑。"), "note": "换个身份"})
    assert added.status_code == 201, added.text
    yield added.json()["version"]
    label = member.request("GET", "/api/prompts/title/labels/production")
    answer = member.request("PUT", "/api/prompts/title/labels/production", json={"version": 0}, headers={"If-Match": label.headers["ETag"]})
    assert answer.status_code == 200, answer.text


def prompt_version(member) -> str:
    titles = member.draft(topic="夏季通勤防晒", count=1)
    content = member.request("GET", f"/api/contents/{titles['contentId']}").json()
    return content["source"]["promptVersion"]


def test_a_label_decides_what_the_next_call_is_written_with(member, stranger, own_version):
    before = prompt_version(member)
    assert before.startswith("title@0.")
    label = "/api/prompts/title/labels/production"
    etag = member.request("GET", label).headers["ETag"]
    assert member.request("PUT", label, json={"version": own_version}, headers={"If-Match": etag}).status_code == 200
    assert prompt_version(member) == f"title@{own_version}"
    # Only this tenant's.
    assert prompt_version(stranger) == before
    assert_problem(stranger.request("GET", f"/api/prompts/title/versions/{own_version}"), 404)
    assert_problem(member.request("PUT", label, json={"version": 0}, headers={"If-Match": etag}), 412, "prompts.label_moved")
    diff = member.request("GET", "/api/prompts/title/diff", params={"from": 0, "to": own_version}).json()
    assert (diff["added"], diff["removed"]) == (1, 1)
    assert member.request("POST", "/api/prompts/title/rollback", json={"expectedVersion": own_version}).json()["version"] == 0
    assert prompt_version(member) == before


def test_an_experiment_from_its_start_to_its_results(stack, member, stranger, own_version):
    made = member.request("POST", "/api/experiments", json={
        "prompt": "title", "arms": [{"name": "shipped", "version": 0}, {"name": "own", "version": own_version}]})
    assert made.status_code == 201, made.text
    url = made.headers["Location"]
    assert member.request("POST", f"{url}/start").status_code == 200
    try:
        key = str(uuid.uuid4())
        titles = member.draft(topic="露营咖啡", count=1, key=key)
        ((operation,),) = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))
        assert titles["provider"] != "template", titles
        outcome = {"operationId": str(operation), "kind": "published", "value": 1280}
        posted = member.request("POST", f"{url}/outcomes", json=outcome)
        assert posted.status_code == 201, posted.text
        assert member.request("POST", f"{url}/outcomes", json=outcome).status_code == 200
        arms = {arm["name"]: arm for arm in member.request("GET", f"{url}/results").json()["arms"]}
        arm = arms[posted.json()["arm"]]
        published = next(outcome for outcome in arm["outcomes"] if outcome["kind"] == "published")
        assert arm["exposures"] == 1 and published["rate"]["value"] == 1 and published["mean"] == 1280
        assert prompt_version(member).endswith(f":{arm['name']}"), "the same person gets the same arm"
        for method, end, body in (("GET", "", None), ("GET", "/results", None), ("POST", "/stop", None), ("POST", "/outcomes", outcome)):
            assert_problem(stranger.request(method, url + end, json=body), 404)
    finally:
        assert member.request("POST", f"{url}/stop", json={"final": True}).status_code == 200
    assert prompt_version(member).startswith("title@0.")


FLOWS = {
    "title": ("/api/titles", {"count": 1}),
    "copy": ("/api/copies", {"platforms": ["douyin"]}),
    "image_text": ("/api/image-texts", {"slots": 1}),
    "video_script": ("/api/video-scripts", {"scriptType": "vlog", "durationSeconds": 20}),
}


def asked(stack, topic: str) -> list[str]:
    """What the model was asked about this topic."""
    log = requests.get(stack.url("sandbox", "/__control/log"), params={"contains": topic}, timeout=5).json()["attempts"]
    bodies = [attempt["body"] for attempt in log if attempt["path"].endswith("/chat/completions")]
    assert bodies, topic
    return bodies


@pytest.mark.parametrize("name", FLOWS)
def test_a_label_leads_every_flow_to_its_version_and_so_does_the_editors_wish(stack, member, name):
    path, members = FLOWS[name]
    text = member.request("GET", f"/api/prompts/{name}/versions/0").json()["text"]
    versions = []
    for mark in ("甲版试写。", "乙版试写。"):
        front, _, template = text.rpartition("\n---\n")
        added = member.request("POST", f"/api/prompts/{name}/versions", json={"text": f"{front}\n---\n{mark}\n{template}", "note": mark})
        assert added.status_code == 201, added.text
        versions.append(added.json()["version"])
    label = f"canary-{uuid.uuid4().hex[:8]}"
    assert member.request("PUT", f"/api/prompts/{name}/labels/{label}", json={"version": versions[1]}).status_code == 200

    topic = f"露营咖啡{uuid.uuid4().hex[:10]}"
    made = member.request("POST", path, json={"topic": topic, "promptLabel": label, **members})
    assert made.status_code == 201, made.text
    answer = made.json()
    content_id = (answer["items"][0] if "items" in answer else answer)["contentId"]
    content = member.request("GET", f"/api/contents/{content_id}")
    # The text is the first version; pictures made for it are the second.
    first = member.request("GET", f"/api/contents/{content_id}/versions").json()["items"][-1]
    assert first["source"]["promptVersion"] == f"{name}.{label}@{versions[1]}"
    assert all("乙版试写。" in body for body in asked(stack, topic))

    again = member.request("POST", f"/api/contents/{content_id}/regenerate", json={"feedback": "短一点", "promptLabel": label},
                           headers={"If-Match": content.headers["ETag"]})
    assert again.status_code == 200, again.text
    assert again.json()["source"]["promptVersion"] == f"{name}.{label}@{versions[1]}"

    plain = f"露营咖啡{uuid.uuid4().hex[:10]}"
    assert member.request("POST", path, json={"topic": plain, **members}).status_code == 201
    assert not any("乙版试写。" in body for body in asked(stack, plain))
    refused = member.request("POST", path, json={"topic": plain, "promptLabel": "no-such", **members})
    assert [error["pointer"] for error in assert_problem(refused, 422)["errors"]] == ["/promptLabel"]


def test_the_unified_call_takes_labels_and_prompts_of_ones_own(stack, member):
    text = """---
scene: slogan-zh
language: zh
description: 口号
variables:
  input: text(200) required 卖点
  brand: text(20) required 品牌
---
丙版试写：写一条口号。
"""
    name = f"slogan-{uuid.uuid4().hex[:8]}"
    version = member.request("POST", f"/api/prompts/{name}/versions", json={"text": text, "note": ""}).json()["version"]
    assert member.request("PUT", f"/api/prompts/{name}/labels/canary", json={"version": version}).status_code == 200
    topic = f"露营咖啡{uuid.uuid4().hex[:10]}"
    wish = {"name": name, "label": "canary", "variables": {"brand": "小满"}}
    answer = member.request("POST", "/api/ai/generate", json={"task": "copy", "input": topic, "prompt": wish})
    assert answer.status_code == 200, answer.text
    assert all("丙版试写" in body and "小满" in body for body in asked(stack, topic))
    rows = stack.rows("agent", "SELECT prompt_version FROM ai_usage_ledger WHERE prompt_version LIKE %s", (f"{name}%",))
    assert rows == [(f"{name}.canary@{version}",)]
    for wrong, pointer in (({"name": name}, "/prompt/name"), ({"label": "no-such"}, "/prompt/label"),
                           ({"name": name, "label": "canary"}, "/prompt/variables/brand")):
        refused = member.request("POST", "/api/ai/generate", json={"task": "copy", "input": topic, "prompt": wrong})
        assert pointer in [error["pointer"] for error in assert_problem(refused, 422)["errors"]], wrong
