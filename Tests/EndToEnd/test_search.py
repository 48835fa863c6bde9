"""Finding contents: made by the flows, taken into the index by the running service, found over the gateway."""

import os
import subprocess
import uuid

import pytest

from provocations.pictures import png
from support import REPOSITORY, assert_problem, eventually
from uploads import upload


@pytest.fixture(scope="module")
def word() -> str:
    """Nobody else's."""
    return "".join(chr(0x5400 + byte) for byte in uuid.uuid4().bytes[:4])


@pytest.fixture(scope="module")
def drafts(member, word) -> list[str]:
    return [member.draft(topic=f"{word}通勤{number}", count=2)["contentId"] for number in range(3)]


def found(member, query: str, **more) -> dict:
    answer = member.request("GET", "/api/search", params={"q": query, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer: dict) -> list[str]:
    return [item["content"]["id"] for item in answer["items"]]


def test_a_draft_is_found_a_moment_after_it_was_made(member, word, drafts):
    answer = eventually(lambda: found(member, word), lambda answer: set(ids(answer)) == set(drafts), "all drafts in the index")
    assert answer["total"] == 3 and answer["isTotalExact"] and answer["corrections"] == []
    assert answer["facets"]["kind"] == [{"value": "title_set", "count": 3}]
    for item in answer["items"]:
        assert word in [part["text"] for part in item["title"] if part["isMatch"]]
    newest = found(member, word, sort="newest")
    assert ids(newest) == drafts[::-1]


def test_pages_follow_one_another(member, word, drafts):
    eventually(lambda: found(member, word), lambda answer: answer["total"] == 3, "all drafts in the index")
    first = found(member, word, limit=2)
    second = found(member, word, limit=2, cursor=first["nextCursor"])
    assert sorted(ids(first) + ids(second)) == sorted(drafts)
    assert "nextCursor" not in second


def test_an_edit_is_found_by_its_new_words(member, word, drafts):
    renamed = f"{word[::-1]}改名"
    path = f"/api/contents/{drafts[0]}"
    answer = member.request("PATCH", path, json={"title": renamed}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    eventually(lambda: ids(found(member, f"“{renamed}”")), lambda found: found == [drafts[0]], "the new name")


def test_another_tenant_finds_nothing(member, stranger, word, drafts):
    eventually(lambda: found(member, word), lambda answer: answer["total"] == 3, "all drafts in the index")
    assert found(stranger, word)["total"] == 0
    # Nor does a cursor of the other tenant's open anything.
    cursor = found(member, word, limit=1)["nextCursor"]
    assert found(stranger, word, cursor=cursor)["items"] == []


def test_a_file_that_nothing_shows_is_found(member, stranger):
    name = "".join(chr(0x6600 + byte) for byte in uuid.uuid4().bytes[:4])
    asset = upload(member, png(uuid.uuid4().bytes[:3]), f"{name}-终版.png")["id"]
    answer = eventually(lambda: found(member, name), lambda answer: answer["total"] == 1, "the file in the index")
    (hit,) = answer["items"]
    assert (hit["type"], hit["asset"]["id"], "content" in hit) == ("asset", asset, False)
    assert [part["text"] for part in hit["title"] if part["isMatch"]] == [name]
    assert found(member, name, type="content")["items"] == found(stranger, name)["items"] == []
    assert found(member, name, assetKind="image")["total"] == 1 and found(member, name, assetKind="video")["total"] == 0
    assert member.request("DELETE", f"/api/assets/{asset}").status_code == 204
    assert found(member, name)["items"] == []


def test_bad_queries_are_refused(member):
    for query, pointers in (({}, {"?q"}), ({"q": "a", "sort": "best"}, {"?sort"}), ({"q": "a", "cursor": "x"}, {"?cursor"})):
        assert_problem(member.request("GET", "/api/search", params=query), 422, pointers=pointers)


def test_the_index_is_rebuilt_by_a_command(stack, member, word, drafts):
    eventually(lambda: found(member, word), lambda answer: answer["total"] == 3, "all drafts in the index")
    with stack.administrator("content") as connection:
        # What does not name its reading is mended without a command.
        connection.execute("SELECT set_config('search.reading', '1', false)")
        connection.execute("UPDATE search_documents SET terms = '{}' WHERE tenant_id = %s", (member.tenant,))
    assert found(member, word)["total"] == 0
    environment = dict(entry.split("=", 1) for entry in environ(stack, "content-center") if "=" in entry)
    for arguments, code in ((["reindex", member.tenant], 0), (["reindex", "nonsense"], 1)):
        process = subprocess.run(
            [executable(), *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert process.returncode == code, process.stdout + process.stderr
    eventually(lambda: found(member, word), lambda answer: answer["total"] == 3, "the rebuilt index")


def executable() -> str:
    return str(REPOSITORY / ".build/debug/content-center")


def environ(stack, service: str) -> list[str]:
    """What the running service was started with."""
    with open(f"/proc/{stack.pid(service)}/environ", "rb") as file:
        return [os.fsdecode(entry) for entry in file.read().split(b"\0")]


def test_meaning_is_taken_in_from_the_first_such_search_on(stack, stranger, word):
    """The sandbox's vectors mean nothing, but each text has its own."""
    draft = stranger.draft(topic=f"{word}意思", count=1)["contentId"]

    def search() -> dict:
        answer = stranger.request("GET", "/api/search/semantic", params={"q": f"{word}意思", "limit": 100})
        assert answer.status_code == 200, answer.text
        return answer.json()

    answer = eventually(search, lambda answer: answer["pending"] == 0, "everything is taken in", 150)
    assert answer["model"].startswith("text-embedding-")
    assert draft in ids(answer)
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    # What comes later is taken in because of its event.
    later = stranger.draft(topic=f"{word}后来", count=1)["contentId"]
    eventually(lambda: ids(search()), lambda found: later in found, "the later draft", 150)
    ((kept,),) = stack.rows("content", "SELECT count(*) FROM search_vectors WHERE content_id = %s", (later,))
    assert kept == 1


def test_what_readers_may_not_ask_of_models_they_may_not_search_by(stack, member):
    context = stack.context_token("gateway-bff", "orchestration-service", member.tenant, scopes=["contents:read"])
    answer = stack.inner(
        "gateway-bff", "orchestration-service", "GET", "/v1/search/semantic", member.tenant, token=context, params={"q": "防晒"})
    assert answer.status_code == 403
