"""Contents that people write themselves, of every kind, through the gateway."""

import json
import uuid

import pytest
import requests

from media_files import make_video
from support import Member, assert_problem
from uploads import upload

TOPIC = {"topic": "夏季通勤防晒", "platform": "douyin"}
TEXT = {"title": "三步防晒", "text": "出门前十五分钟涂好。", "hashtags": ["防晒"]}
SCENE = {"index": 1, "startSecond": 0, "durationSeconds": 10, "shot": "特写", "camera": "", "visual": "手背上的防晒霜",
         "line": "别急着出门", "subtitle": "", "bgm": "", "props": []}
BODIES = {
    "title_set": TOPIC | {"candidates": [{"title": "通勤怎么防晒"}]},
    "copy": TOPIC | TEXT,
    "image_text": TOPIC | TEXT | {"slots": [{"caption": "", "alt": "", "prompt": "防晒霜"}]},
    "video_script": TOPIC | {"scriptType": "vlog", "durationSeconds": 10, "hook": "别急", "scenes": [SCENE], "cta": "关注",
                             "hashtags": [], "totalSeconds": 10},
    "video": TOPIC | TEXT | {"video": {}},
    "reply_template": {"scene": "询价", "text": "{{称呼}}您好", "variables": [{"name": "称呼", "fallback": "亲"}]},
}


def write(member: Member, kind: str, body: dict, key: str | None = None, **more):
    return member.request("POST", "/api/contents", json={"kind": kind, "title": "手写", "body": body} | more,
                          headers={"Idempotency-Key": key or str(uuid.uuid4())})


@pytest.mark.parametrize("kind", BODIES)
def test_a_person_writes_every_kind(member, stranger, kind):
    key = str(uuid.uuid4())
    made = write(member, kind, BODIES[kind], key)
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    content = made.json()
    assert (content["kind"], content["status"], content["source"]) == (kind, "draft", {"kind": "human"})
    path = made.headers["Location"]
    assert path == f"/api/contents/{content['id']}"
    assert member.request("GET", path).json() == content
    assert stranger.request("GET", path).status_code == 404
    again = write(member, kind, BODIES[kind], key)
    assert (again.headers["Idempotent-Replayed"], again.json()["id"]) == ("true", content["id"])
    edited = member.request("PATCH", path, json={"title": "改过"}, headers={"If-Match": '"1"'})
    assert edited.status_code == 200, edited.text


def test_a_video_is_made_of_an_uploaded_file(member, stranger, tmp_path):
    asset = upload(member, make_video(tmp_path / "a.mp4", size="320x180", seconds=1).read_bytes(), "成片.mp4", "video/mp4")["id"]
    body = TOPIC | TEXT | {"video": {"assetId": asset}}
    made = write(member, "video", body)
    assert made.status_code == 201, made.text
    assert made.json()["completeness"] == "finished"
    assert [use["contentId"] for use in member.request("GET", f"/api/assets/{asset}/uses").json()["items"]] == [made.json()["id"]]
    assert_problem(write(stranger, "video", body), 422, pointers={"/body/video/assetId"})
    assert_problem(write(member, "video", TOPIC | TEXT | {"video": {"coverAssetId": asset}}), 422,
                   pointers={"/body/video/coverAssetId"})


def test_nobody_passes_a_text_of_their_own_off_as_a_models(member):
    for name, value in (("source", {"kind": "model", "name": "deepseek"}), ("step", "copy")):
        assert_problem(write(member, "copy", BODIES["copy"], **{name: value}), 422, pointers={f"/{name}"})
    scored = {"title": "一", "score": 99, "reasons": [], "formula": "number"}
    assert_problem(write(member, "title_set", TOPIC | {"candidates": [scored]}), 422, "request.invalid",
                   {f"/body/candidates/0/{name}" for name in ("score", "reasons", "formula")})


def test_a_long_script_goes_through_whole(member):
    scenes = [SCENE | {"index": n + 1, "startSecond": 10 * n, "visual": "防晒" * 150} for n in range(300)]
    body = BODIES["video_script"] | {"scenes": scenes, "totalSeconds": 3000}
    made = write(member, "video_script", body)
    assert made.status_code == 201, made.text
    edits = [scene | {"line": "换一句"} for scene in scenes]
    edited = member.request("PATCH", made.headers["Location"], json={"body": {"scenes": edits}}, headers={"If-Match": '"1"'})
    assert edited.status_code == 200, edited.text
    assert edited.json()["body"]["scenes"][299]["line"] == "换一句"


def test_rules_and_limits_agree_at_their_border(member):
    """What the rules allow fits the limit however it is written (escaped, an emoji takes twelve bytes); one character more is 422, and what
    is over the limit is 413, whatever it says."""
    def script(last: str) -> dict:
        scenes = [SCENE | {"index": n + 1, "startSecond": 10 * n, "visual": "😀" * 660} for n in range(300)]
        scenes[0] |= {"visual": last}
        return BODIES["video_script"] | {"scenes": scenes, "totalSeconds": 3000}

    def texts(value) -> int:
        if isinstance(value, str):
            return len(value)
        return sum(texts(item) for item in (value.values() if isinstance(value, dict) else value)) if isinstance(value, (dict, list)) else 0

    free = 200_000 - texts(script(""))
    assert 0 < free < 1_000
    whole = script("好" * free)
    assert 2 << 20 < len(json.dumps(whole)) < 3 << 20
    made = write(member, "video_script", whole)
    assert made.status_code == 201, made.text[:500]
    place = made.headers["Location"]
    over = script("好" * (free + 1))
    assert_problem(write(member, "video_script", over), 422, "request.invalid", {"/body"})
    edits = {"body": {"scenes": whole["scenes"]}}
    edits["body"]["scenes"][0]["visual"] += "好" * (1 + 200_000 - texts(edits))
    assert_problem(member.request("PATCH", place, json=edits, headers={"If-Match": '"1"'}), 422, "request.invalid", {"/body"})
    for method, path in (("POST", "/api/contents"), ("PATCH", place)):
        for size, status in ((3 << 20, 400), ((3 << 20) + 1, 413)):
            answer = member.request(method, path, data=b" " * size, headers={"Content-Type": "application/json", "If-Match": '"1"'})
            assert answer.status_code == status, answer.text[:500]


def test_heads_hold_no_stream(stack, member):
    def streams() -> list[str]:
        metrics = requests.get(stack.url("gateway-bff", "/metrics"), timeout=5).text
        return [line for line in metrics.splitlines() if line.startswith("gateway_event_streams ")]

    before, token = streams(), member.login["accessToken"]
    for _ in range(3):
        # Each on a connection of its own.
        answer = requests.head(stack.url("gateway-bff", "/api/stream"), headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 200
    assert streams() == before
