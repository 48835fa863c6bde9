"""Contents found by what is said in their videos: a real video, heard by the recogniser, found by a phrase, also after an edit of what was heard."""

import uuid

import pytest
import requests

from media_files import make_video
from support import Member, eventually
from uploads import upload
from test_media import ended, order, output, upload_video
from test_search import found, ids


def show(stack, member: Member, title: str, video: dict) -> str:
    """A content that shows the video, as a flow keeps it."""
    body = {"topic": "护肤", "platform": "douyin", "title": title, "text": "", "hashtags": [], "video": video}
    draft = {"step": "video", "kind": "video", "title": title, "body": body, "source": {"kind": "human"}}
    made = stack.inner("orchestration-service", "content-center", "POST", "/v1/contents", member.tenant, json=draft)
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_video(tmp_path_factory.mktemp("spoken") / "film.mp4", size="320x240", seconds=6.2, rate=10)


def test_a_video_is_found_by_a_phrase_that_is_said_in_it(stack, member, stranger, film):
    asset = upload_video(member, film)
    title = f"片子{uuid.uuid4().hex[:8]}"
    content = show(stack, member, title, {"assetId": asset})
    heard = ended(member, order(member, type="subtitle", assetId=asset)["jobId"])
    assert heard["status"] == "succeeded", heard
    # From one sentence of the recogniser's; nobody has written it anywhere.
    phrase = "“敏感肌先在耳后试一试”"
    answer = eventually(
        lambda: found(member, phrase, type="content"), lambda answer: content in ids(answer), "what is said is in the index")
    hit = next(item for item in answer["items"] if item["content"]["id"] == content)
    assert (hit["matchedFields"], hit["snippetField"]) == (["subtitle"], "subtitle")
    assert "敏感肌先在耳后试一试" in "".join(part["text"] for part in hit["snippet"] if part["isMatch"])
    assert content not in ids(found(stranger, phrase))

    # Somebody corrects it: the content names the corrected file.
    srt = requests.get(output(heard, "srt")["url"], timeout=10).content.decode()
    word = "".join(chr(0x5400 + byte) for byte in uuid.uuid4().bytes[:4])
    assert "大家好" in srt
    corrected = upload(member, srt.replace("大家好", word).encode(), "校对.srt", "application/x-subrip")["id"]
    path = f"/api/contents/{content}"
    patch = {"body": {"video": {"assetId": asset, "subtitleAssetId": corrected}}}
    answer = member.request("PATCH", path, json=patch, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    eventually(
        lambda: ids(found(member, f"“{word}”", type="content")), lambda found: found == [content], "the corrected words are found")
    assert member.request("DELETE", f"/api/assets/{corrected}").status_code == 409
